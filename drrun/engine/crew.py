"""What is in flight, and what comes of it: orders and questions go out, observations come in.

Rules:
- The controller decides how much is in flight; nothing waits for a slot here.
- The controller's thread owns everything here. Other threads only add observations to a queue.
- An early answer counts only for the very question that would be asked now.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import TargetKey
from drrun.core.model.probes import Purpose, Verdict, asked_in_a_line
from drrun.core.model.runbook import Step
from drrun.core.rules.capacity import Activity, InFlight
from drrun.engine.observations import (
    AttemptFinished,
    CheckAnswered,
    Met,
    Observation,
    ObservationQueue,
    ProbeAnswered,
    Reporter,
    WatchAnswered,
    fault,
)
from drrun.engine.pool import Pool
from drrun.ports.clock import Clock
from drrun.ports.hands import Hands, ReachedHost
from drrun.ports.places import AttemptOrder, ProbeAnswer, Prober, Question, Spool

#: How many probes are asked at once; more wait in a queue.
PROBES_AT_ONCE = 512
#: Seconds that we wait for a promised answer beyond the question's own time limit.
PATIENCE = 10.0


@dataclass(slots=True)
class _Early:
    """Answers that come along with one attempt."""

    order: AttemptOrder
    #: Those that came; None: not to be waited for.
    seen: dict[int, CheckAnswered] = field(default_factory=dict)
    coming: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A promised answer that was asked for before it came."""

    attempt: int
    question: Question
    until: float


class Crew:
    """Sends out orders and questions, and collects what comes of them."""

    def __init__(self, hands: Hands, prober: Prober, spool: Spool, clock: Clock) -> None:
        self._hands = hands
        self._prober = prober
        self._spool = spool
        self._clock = clock
        self._line = ObservationQueue()
        self._pool = Pool(PROBES_AT_ONCE)
        self._leave = threading.Event()
        #: What is in flight, and on which host ("": the controller).
        self.air = InFlight()
        self._orders: dict[Activity, AttemptOrder] = {}
        self._early: dict[TargetKey, _Early] = {}
        self._awaited: dict[Activity, _Awaited] = {}

    def book(self, activity: Activity, host: str, order: AttemptOrder | None = None) -> None:
        """Reserve a slot for what is sent out once its facts are durable."""
        self.air[activity] = host
        if order is not None:
            self._orders[activity] = order
            self._early.pop(activity.key, None)
            if order.checks:
                self._early[activity.key] = _Early(order)

    def act(self, activity: Activity, order: AttemptOrder, step: Step) -> None:
        """Carry out an attempt, or with `order.again` find out what became of it."""
        if self._orders.get(activity) is not order:
            return  # released before it was sent
        try:
            output = self._spool.open(
                order.run, order.step, order.target, order.attempt, order.mask, order.outdated
            )
            report = Reporter(
                self._line, self._clock, activity, order, output, order.captures, len(step.verify)
            )
            self._hands.begin(order, output, report)
        except Exception as error:  # noqa: BLE001 - a lost outcome would be a step that hangs
            self._line.put(AttemptFinished(activity, order, fault(error), self._clock.now()))

    def ask(self, activity: Activity, attempt: int, questions: Sequence[Question]) -> None:
        """Ask one probe at all its places, unless its answer is on its way."""
        if self._early_of(activity, attempt, questions) is None:
            self._pool.run(lambda: self._ask(activity, attempt, questions))
        else:
            until = self._clock.now() + questions[0].timeout + PATIENCE
            self._awaited[activity] = _Awaited(attempt, questions[0], until)

    def early(
        self, activity: Activity, attempt: int, questions: Sequence[Question]
    ) -> ProbeAnswered | None:
        """The answer to these very questions, if it came along with the attempt."""
        early = self._early_of(activity, attempt, questions)
        checked = early.seen.pop(activity.position, None) if early else None
        return _answer(checked, attempt, questions[0]) if checked else None

    def let_go(self, activity: Activity) -> AttemptOrder | None:
        """Stop following an attempt; returns the order for `release`, if it was in flight."""
        order = self._orders.pop(activity, None)
        if order is not None:
            self.air.pop(activity, None)
            self._early.pop(activity.key, None)
        return order

    def release(self, order: AttemptOrder) -> None:
        """Tell the hands to stop following an attempt."""
        self._hands.let_go(order)

    def judged(self, key: TargetKey) -> None:
        """A target neither acts nor verifies any more: drop its early answers."""
        self._early.pop(key, None)

    def end(self, activity: Activity) -> None:
        """End all processes of an attempt that is in flight."""
        if activity in self._orders:
            self._hands.end(self._orders[activity])

    def watch(self, what: Any, questions: Sequence[Question]) -> None:
        """Ask the probe of a watch; takes no slot from the steps of the run."""
        self._pool.run(lambda: self._watch(what, questions))

    def _watch(self, what: Any, questions: Sequence[Question]) -> None:
        seen = self._see(questions)
        self._line.put(WatchAnswered(what, seen, self._clock.now()))

    def forget(self, order: AttemptOrder) -> None:
        """Let a place forget an attempt whose outcome is durable."""
        with suppress(Exception):  # the next controller finds what is left over
            self._hands.forget(order)

    def meet(self, meeting: ReachedHost, then: Callable[[], None]) -> None:
        """A host was reached; from any thread."""
        self._line.put(Met(meeting, then, self._clock.now()))

    def wake(self) -> None:
        """Make `collect` return."""
        self._line.wake()

    def collect(self, timeout: float) -> list[Observation]:
        """The observations; waits up to `timeout` seconds for news."""
        found: list[Observation] = []
        for observation in self._line.take(timeout):
            if isinstance(observation, CheckAnswered):
                found.extend(self._checked(observation))
            elif isinstance(observation, ProbeAnswered):
                self.air.pop(observation.activity, None)
                found.append(observation)
            else:
                if isinstance(observation, AttemptFinished):
                    self._land(observation)
                found.append(observation)
        self._lose_patience()
        return found

    def _land(self, acted: AttemptFinished) -> None:
        """Free the slot of this very attempt; a released one must not free that of the next."""
        activity = acted.activity
        if self._orders.get(activity) is not acted.order:
            return
        del self._orders[activity]
        self.air.pop(activity, None)
        early = self._early.get(activity.key)
        if early is not None:
            early.coming = acted.checks - early.seen.keys()

    def leave(self) -> None:
        """Release everything without ending what was begun."""
        self._leave.set()
        self._hands.leave()

    # --- answers that come along with an attempt ------------------------------------------------

    def _early_of(
        self, activity: Activity, attempt: int, questions: Sequence[Question]
    ) -> _Early | None:
        """Where the answer to these very questions comes from, if it came along or will come."""
        early, index = self._early.get(activity.key), activity.position
        if early is None or activity.purpose is not Purpose.VERIFY:
            return None
        if early.order.attempt != attempt or len(questions) != 1:
            return None
        there = index in early.seen or index in early.coming
        same = there and early.order.checks[index] == questions[0]
        return early if same else None

    def _checked(self, checked: CheckAnswered) -> Iterable[ProbeAnswered]:
        activity, index = checked.activity, checked.activity.position
        early = self._early.get(activity.key)
        if early is None or early.order is not checked.order:
            return
        early.coming -= {index}
        awaited = self._awaited.pop(activity, None)
        if awaited is None:
            if checked.seen is not None:
                early.seen[index] = checked
        elif checked.seen is None:
            self._ask_anew(activity, awaited)
        else:
            self.air.pop(activity, None)
            yield _answer(checked, awaited.attempt, awaited.question)

    def _lose_patience(self) -> None:
        """Ask again for promised answers that did not come in time."""
        now = self._clock.now()
        for activity, awaited in list(self._awaited.items()):
            if now >= awaited.until:
                del self._awaited[activity]
                self._ask_anew(activity, awaited)

    def _ask_anew(self, activity: Activity, awaited: _Awaited) -> None:
        self._pool.run(lambda: self._ask(activity, awaited.attempt, (awaited.question,)))

    # --- in threads of the pool -----------------------------------------------------------------

    def _ask(self, activity: Activity, attempt: int, questions: Sequence[Question]) -> None:
        seen = self._see(questions)
        words = _words(questions[0]) if questions else ("", "")
        self._line.put(ProbeAnswered(activity, attempt, seen, self._clock.now(), *words))

    def _see(self, questions: Sequence[Question]) -> ProbeAnswer:
        try:
            return together([self._prober.evaluate(each, self._leave) for each in questions])
        except Exception as error:  # noqa: BLE001 - a lost answer would be asked for for ever
            return ProbeAnswer(Verdict.COULD_NOT_TELL, "", fault(error).why)


def _answer(checked: CheckAnswered, attempt: int, question: Question) -> ProbeAnswered:
    seen = checked.seen or ProbeAnswer(Verdict.COULD_NOT_TELL, "")
    return ProbeAnswered(checked.activity, attempt, seen, checked.at, *_words(question))


def _words(question: Question) -> tuple[str, str]:
    """The question and the expectation as text; a failure here never loses the answer."""
    with suppress(Exception):
        # Mask first: putting text into one line changes what a secret looks like.
        return asked_in_a_line(question.mask.structure(question.ask)), str(question.expect)
    return "", ""


def together(answers: Sequence[ProbeAnswer]) -> ProbeAnswer:
    """One answer for a probe that is asked at several places: all must hold."""
    if len(answers) == 1:
        return answers[0]
    where = ", ".join(answer.where for answer in answers)
    value = "; ".join(f"{answer.where}: {answer.value}" for answer in answers)
    for verdict in (Verdict.DOES_NOT_HOLD, Verdict.COULD_NOT_TELL):
        bad = [answer for answer in answers if answer.verdict is verdict]
        if bad:
            why = "; ".join(f"{answer.where}: {answer.why}" for answer in bad)
            return ProbeAnswer(verdict, value, why, where)
    return ProbeAnswer(Verdict.HOLDS, value, "", where)
