"""The threads that touch the world: one for each activity in the air, all reporting to one queue.

Rules:
- The controller decides how many there are; here nobody waits for a place.
- A thread never raises: what goes wrong in it becomes an observation like any other, because a
  lost observation would be a step that hangs for ever.
- Threads are daemons: detaching leaves at once, remote commands go on.
"""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any

from drrun.core.air import Activity
from drrun.core.capturing import capture_all
from drrun.core.dataclass import dataclass
from drrun.core.outcomes import ContactLost, Ended, Outcome
from drrun.core.probes import Verdict, asked_in_a_line
from drrun.core.runbook import Capture
from drrun.engine.either import Either
from drrun.engine.ports import (
    AttemptOrder,
    Hands,
    Output,
    Prober,
    Progress,
    Question,
    Seen,
    Spool,
)


@dataclass(frozen=True, slots=True)
class Acted:
    """An attempt came to an end, as far as can be told."""

    activity: Activity
    order: AttemptOrder
    outcome: Outcome
    captured: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)

    @property
    def attempt(self) -> int:
        """Its number."""
        return self.order.attempt


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe was evaluated once."""

    activity: Activity
    attempt: int
    seen: Seen
    #: As it was asked, and what was expected, rendered.
    question: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """A probe that goes on being asked has answered; `what` is for whoever asked."""

    what: Any
    seen: Seen


@dataclass(frozen=True, slots=True)
class Told:
    """News of an attempt that goes on."""

    activity: Activity
    attempt: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody wants the controller to look."""


Observation = Acted | Asked | Told | Watched | Woken


class Crew:
    """Carries out orders and questions in threads of their own."""

    def __init__(self, hands: Hands, prober: Prober, spool: Spool) -> None:
        self._hands = hands
        self._prober = prober
        self._spool = spool
        self._queue: queue.SimpleQueue[Observation] = queue.SimpleQueue()
        self._leave = threading.Event()
        #: What is in the air, and on which host ("": the controller).
        self.air: dict[Activity, str] = {}
        self._orders: dict[Activity, AttemptOrder] = {}
        self._let_go: dict[Activity, threading.Event] = {}

    def act(
        self, activity: Activity, order: AttemptOrder, captures: Sequence[Capture], *, again: bool
    ) -> None:
        """Execute an attempt, or with `again` find out what became of it."""
        self._orders[activity] = order
        self._let_go[activity] = let_go = threading.Event()
        self._start(activity, order.host.name if order.host else "", self._act,
                    (activity, order, captures, again, let_go))  # fmt: skip

    def ask(
        self, activity: Activity, attempt: int, host: str, questions: Sequence[Question]
    ) -> None:
        """Ask one probe at all its places."""
        self._start(activity, host, self._ask, (activity, attempt, questions))

    def let_go(self, activity: Activity) -> None:
        """Stop following an attempt at once; what it began goes on.

        Its thread may take a while to notice; nobody waits for it.
        """
        if activity in self._let_go:
            self._let_go.pop(activity).set()
            self._orders.pop(activity, None)
            self.air.pop(activity, None)

    def end(self, activity: Activity) -> None:
        """End all processes of an attempt that is in the air."""
        if activity in self.air:
            self._hands.end(self._orders[activity])

    def watch(self, what: Any, questions: Sequence[Question]) -> None:
        """Ask a probe that goes on being asked; takes no place from what the run does."""
        threading.Thread(target=self._watch, args=(what, questions), daemon=True).start()

    def _watch(self, what: Any, questions: Sequence[Question]) -> None:
        self._queue.put(Watched(what, self._see(questions)))

    def forget(self, order: AttemptOrder) -> None:
        """Let a place forget an attempt whose outcome is durable."""
        threading.Thread(target=self._forget, args=(order,), daemon=True).start()

    def _forget(self, order: AttemptOrder) -> None:
        with suppress(Exception):  # what is left over is found by the next controller
            self._hands.forget(order)

    def answer(self, activity: Activity, attempt: int, seen: Seen) -> None:
        """Report an answer that needed nobody to be asked."""
        self.air[activity] = ""
        self._queue.put(Asked(activity, attempt, seen))

    def wake(self) -> None:
        """Make `collect` return."""
        self._queue.put(Woken())

    def collect(self, timeout: float) -> list[Observation]:
        """What was observed; waits up to `timeout` seconds for the first."""
        found: list[Observation] = []
        try:
            found.append(self._queue.get(timeout=max(0.0, timeout)))
            while True:
                found.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        for observation in found:
            if isinstance(observation, Asked):
                self.air.pop(observation.activity, None)
            elif isinstance(observation, Acted):
                self._land(observation)
        return found

    def _land(self, acted: Acted) -> None:
        """It is in the air no more; one that was let go of must not be taken for the next."""
        activity = acted.activity
        if self._orders.get(activity) is acted.order:
            del self._orders[activity]
            self.air.pop(activity, None)
            self._let_go.pop(activity, None)

    def leave(self) -> None:
        """Tell all threads to let go without ending what they began."""
        self._leave.set()

    def _start(
        self, activity: Activity, host: str, work: Callable[..., None], given: tuple[Any, ...]
    ) -> None:
        self.air[activity] = host
        threading.Thread(target=work, args=given, name=str(activity.key), daemon=True).start()

    def _act(
        self,
        activity: Activity,
        order: AttemptOrder,
        captures: Sequence[Capture],
        again: bool,
        let_go: threading.Event,
    ) -> None:
        def tell(progress: Progress) -> None:
            self._queue.put(Told(activity, order.attempt, progress))

        try:
            output = self._spool.open(
                order.run, order.step, order.target, order.attempt, order.secrets
            )
            do = self._hands.reconcile if again else self._hands.perform
            outcome = do(order, output, tell, Either(self._leave, let_go))
            acted = _closed(activity, order, outcome, output, captures)
        except Exception as error:  # noqa: BLE001 - a thread that dies silently hangs its step
            why = f"drrun itself failed here: {type(error).__name__}: {error}"
            acted = Acted(activity, order, ContactLost(why))
        self._queue.put(acted)

    def _ask(self, activity: Activity, attempt: int, questions: Sequence[Question]) -> None:
        seen, question, expected = self._see(questions), "", ""
        with suppress(Exception):  # words for people: an answer is never lost for them
            question = asked_in_a_line(questions[0].ask)
            expected = str(questions[0].expect)
        self._queue.put(Asked(activity, attempt, seen, question, expected))

    def _see(self, questions: Sequence[Question]) -> Seen:
        try:
            return together([self._prober.evaluate(each, self._leave) for each in questions])
        except Exception as error:  # noqa: BLE001 - a lost answer would be asked for for ever
            why = f"drrun itself failed here: {type(error).__name__}: {error}"
            return Seen(Verdict.COULD_NOT_TELL, "", why)


def _closed(
    activity: Activity,
    order: AttemptOrder,
    outcome: Outcome,
    output: Output,
    captures: Sequence[Capture],
) -> Acted:
    captured: dict[str, Any] = {}
    fault = ""
    if isinstance(outcome, Ended) and outcome.good:
        streams = {stream: output.text(stream) for stream in ("stdout", "stderr")}
        captured, fault = capture_all(captures, streams) if captures else ({}, "")
        captured = {**outcome.facts, **captured}
    return Acted(activity, order, outcome, captured, fault, output.close())


def together(answers: Sequence[Seen]) -> Seen:
    """One answer for a probe that is asked at several places: all must hold."""
    if len(answers) == 1:
        return answers[0]
    where = ", ".join(answer.where for answer in answers)
    value = "; ".join(f"{answer.where}: {answer.value}" for answer in answers)
    for verdict in (Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL):
        bad = [answer for answer in answers if answer.verdict is verdict]
        if bad:
            why = "; ".join(f"{answer.where}: {answer.why}" for answer in bad)
            return Seen(verdict, value, why, where)
    return Seen(Verdict.HOLDS, value, "", where)
