"""What is in the air, and what comes of it: orders and questions go out, observations come in.

Rules:
- The controller decides how much there is; here nobody waits for a place.
- Nothing raises and nothing is lost: what goes wrong becomes an observation like any other,
  because a lost observation would be a step that hangs for ever.
- Everything but `collect`'s inflow belongs to the controller's thread. Reports come from any
  thread, and only put observations into a line.
- That an attempt began is soft news: it waits for the next turn, and costs none of its own. So
  does an end from which nothing follows but answers that are on their way.
- An early answer counts only for the very question that would be asked now.
"""

import threading
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Any

from drrun.core.air import Activity, Air
from drrun.core.capturing import capture_all
from drrun.core.dataclass import dataclass
from drrun.core.outcomes import ContactLost, Ended, Outcome
from drrun.core.probes import Purpose, Verdict, asked_in_a_line
from drrun.core.runbook import Capture, Step
from drrun.core.state import Key
from drrun.engine.pool import Pool
from drrun.engine.ports import (
    AttemptOrder,
    Clock,
    Hands,
    Output,
    Prober,
    Progress,
    Question,
    Seen,
    Spool,
)

#: How many probes are asked at once; more wait in line.
PROBES_AT_ONCE = 512
#: Seconds beyond a question's own time limit for which a promised answer is waited for.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Acted:
    """An attempt came to an end, as far as can be told."""

    activity: Activity
    order: AttemptOrder
    outcome: Outcome
    at: float
    captured: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)
    #: Which answers to `order.checks` are still to come.
    checks: frozenset[int] = frozenset()

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
    at: float
    #: As it was asked, and what was expected, rendered.
    question: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """A probe that goes on being asked has answered; `what` is for whoever asked."""

    what: Any
    seen: Seen
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """News of an attempt that goes on."""

    activity: Activity
    attempt: int
    progress: Progress
    at: float


@dataclass(frozen=True, slots=True)
class _Checked:
    """An answer that came along with an attempt; None: it will not come."""

    order: AttemptOrder
    activity: Activity
    seen: Seen | None
    at: float


Observation = Acted | Asked | Told | Watched


class _Line:
    """Observations on their way from any thread to the controller's."""

    def __init__(self) -> None:
        self._waiting: deque[Observation | _Checked] = deque()
        self._news = threading.Event()

    def put(self, observation: Observation | _Checked, *, soft: bool = False) -> None:
        """Add one; `soft`: nobody is woken for it."""
        self._waiting.append(observation)
        if not soft:
            self._news.set()

    def wake(self) -> None:
        """Let whoever waits look."""
        self._news.set()

    def take(self, timeout: float) -> Iterable[Observation | _Checked]:
        """All that is there, soft or not; waits up to `timeout` seconds for news."""
        self._news.wait(max(0.0, timeout))
        # Cleared first: what comes from here on is taken now, or wakes the next.
        self._news.clear()
        with suppress(IndexError):
            while True:
                yield self._waiting.popleft()


@dataclass(slots=True)
class _Reporter:
    """Turns what hands tell of one attempt into observations. A `Report`."""

    line: _Line
    clock: Clock
    activity: Activity
    order: AttemptOrder
    output: Output
    captures: Sequence[Capture]
    #: How many probes are asked once the attempt has ended well.
    verifies: int
    _done: bool = False

    def news(self, progress: Progress) -> None:
        """Something is known of the attempt."""
        began = progress.silent is None and progress.found_after is None
        told = Told(self.activity, self.order.attempt, progress, self.clock.now())
        self.line.put(told, soft=began)

    def checked(self, index: int, seen: Seen | None) -> None:
        """An answer came along with the attempt."""
        activity = Activity(self.activity.key, Purpose.VERIFY, index)
        now = self.clock.now()
        self.line.put(_Checked(self.order, activity, seen, now), soft=not self._done)

    def done(self, outcome: Outcome, checks: Collection[int] = ()) -> None:
        """The attempt has come to its end; what it printed is made durable first."""
        at, coming = self.clock.now(), frozenset(checks) & self.order.checks.keys()
        try:
            acted = self._closed(outcome, at, coming)
        except Exception as error:  # noqa: BLE001 - a lost outcome would be a step that hangs
            acted = Acted(self.activity, self.order, _fault(error), at)
        self._done = True
        good = isinstance(outcome, Ended) and outcome.good and not acted.fault
        self.line.put(acted, soft=good and len(coming) == self.verifies > 0)

    def _closed(self, outcome: Outcome, at: float, coming: frozenset[int]) -> Acted:
        captured: dict[str, Any] = {}
        fault = ""
        if isinstance(outcome, Ended) and outcome.good:
            if self.captures:
                streams = {stream: self.output.text(stream) for stream in ("stdout", "stderr")}
                captured, fault = capture_all(self.captures, streams)
            captured = {**outcome.facts, **captured}
        kept = self.output.close()
        return Acted(self.activity, self.order, outcome, at, captured, fault, kept, coming)


@dataclass(slots=True)
class _Early:
    """Answers that come along with one attempt."""

    order: AttemptOrder
    #: Those that came; None: not to be waited for.
    seen: dict[int, _Checked] = field(default_factory=dict)
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
        self._line = _Line()
        self._pool = Pool(PROBES_AT_ONCE)
        self._leave = threading.Event()
        #: What is in the air, and on which host ("": the controller).
        self.air = Air()
        self._orders: dict[Activity, AttemptOrder] = {}
        self._early: dict[Key, _Early] = {}
        self._awaited: dict[Activity, _Awaited] = {}

    def book(self, activity: Activity, host: str, order: AttemptOrder | None = None) -> None:
        """Keep a place in the air for what is sent out once its facts are durable."""
        self.air[activity] = host
        if order is not None:
            self._orders[activity] = order
            self._early.pop(activity.key, None)
            if order.checks:
                self._early[activity.key] = _Early(order)

    def act(self, activity: Activity, order: AttemptOrder, step: Step) -> None:
        """Carry out an attempt, or with `order.again` find out what became of it."""
        if self._orders.get(activity) is not order:
            return  # let go of before it was sent
        try:
            output = self._spool.open(
                order.run, order.step, order.target, order.attempt, order.secrets
            )
            report = _Reporter(
                self._line, self._clock, activity, order, output, step.capture, len(step.verify)
            )
            self._hands.begin(order, output, report)
        except Exception as error:  # noqa: BLE001 - a lost outcome would be a step that hangs
            self._line.put(Acted(activity, order, _fault(error), self._clock.now()))

    def ask(self, activity: Activity, attempt: int, questions: Sequence[Question]) -> None:
        """Ask one probe at all its places, unless its answer is on its way."""
        if self._early_of(activity, attempt, questions) is None:
            self._pool.run(lambda: self._ask(activity, attempt, questions))
        else:
            until = self._clock.now() + questions[0].timeout + PATIENCE
            self._awaited[activity] = _Awaited(attempt, questions[0], until)

    def early(
        self, activity: Activity, attempt: int, questions: Sequence[Question]
    ) -> Asked | None:
        """The answer to these very questions, if it came along with the attempt."""
        early = self._early_of(activity, attempt, questions)
        checked = early.seen.pop(activity.position, None) if early else None
        return _answer(checked, attempt, questions[0]) if checked else None

    def let_go(self, activity: Activity) -> AttemptOrder | None:
        """Follow an attempt no longer; the order to tell `release` of, if it was in the air."""
        order = self._orders.pop(activity, None)
        if order is not None:
            self.air.pop(activity, None)
            self._early.pop(activity.key, None)
        return order

    def release(self, order: AttemptOrder) -> None:
        """Tell the hands that an attempt is followed no longer."""
        self._hands.let_go(order)

    def judged(self, key: Key) -> None:
        """A target is neither acting nor verified any more: its early answers are nobody's."""
        self._early.pop(key, None)

    def end(self, activity: Activity) -> None:
        """End all processes of an attempt that is in the air."""
        if activity in self._orders:
            self._hands.end(self._orders[activity])

    def watch(self, what: Any, questions: Sequence[Question]) -> None:
        """Ask a probe that goes on being asked; takes no place from what the run does."""
        self._pool.run(lambda: self._watch(what, questions))

    def _watch(self, what: Any, questions: Sequence[Question]) -> None:
        seen = self._see(questions)
        self._line.put(Watched(what, seen, self._clock.now()))

    def forget(self, order: AttemptOrder) -> None:
        """Let a place forget an attempt whose outcome is durable."""
        with suppress(Exception):  # what is left over is found by the next controller
            self._hands.forget(order)

    def wake(self) -> None:
        """Make `collect` return."""
        self._line.wake()

    def collect(self, timeout: float) -> list[Observation]:
        """What was observed; waits up to `timeout` seconds for news."""
        found: list[Observation] = []
        for observation in self._line.take(timeout):
            if isinstance(observation, _Checked):
                found.extend(self._checked(observation))
            elif isinstance(observation, Asked):
                self.air.pop(observation.activity, None)
                found.append(observation)
            else:
                if isinstance(observation, Acted):
                    self._land(observation)
                found.append(observation)
        self._lose_patience()
        return found

    def _land(self, acted: Acted) -> None:
        """It is in the air no more; one that was let go of must not be taken for the next."""
        activity = acted.activity
        if self._orders.get(activity) is not acted.order:
            return
        del self._orders[activity]
        self.air.pop(activity, None)
        early = self._early.get(activity.key)
        if early is not None:
            early.coming = acted.checks - early.seen.keys()

    def leave(self) -> None:
        """Let go of everything without ending what was begun."""
        self._leave.set()
        self._hands.leave()

    # --- answers that come along with an attempt ------------------------------------------------

    def _early_of(
        self, activity: Activity, attempt: int, questions: Sequence[Question]
    ) -> _Early | None:
        """Where the answer to these very questions comes from, if it came along or will."""
        early, index = self._early.get(activity.key), activity.position
        if early is None or activity.purpose is not Purpose.VERIFY:
            return None
        if early.order.attempt != attempt or len(questions) != 1:
            return None
        there = index in early.seen or index in early.coming
        same = there and _same(early.order.checks[index], questions[0])
        return early if same else None

    def _checked(self, checked: _Checked) -> Iterable[Asked]:
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
        """Ask anew what was promised and did not come in its time."""
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
        self._line.put(Asked(activity, attempt, seen, self._clock.now(), *words))

    def _see(self, questions: Sequence[Question]) -> Seen:
        try:
            return together([self._prober.evaluate(each, self._leave) for each in questions])
        except Exception as error:  # noqa: BLE001 - a lost answer would be asked for for ever
            return Seen(Verdict.COULD_NOT_TELL, "", _fault(error).why)


def _fault(error: Exception) -> ContactLost:
    return ContactLost(f"drrun itself failed here: {type(error).__name__}: {error}")


def _same(sent: Question, now: Question) -> bool:
    """Whether two questions are the same; which secrets are masked is none of it."""
    return replace(sent, secrets=()) == replace(now, secrets=())


def _answer(checked: _Checked, attempt: int, question: Question) -> Asked:
    seen = checked.seen or Seen(Verdict.COULD_NOT_TELL, "")
    return Asked(checked.activity, attempt, seen, checked.at, *_words(question))


def _words(question: Question) -> tuple[str, str]:
    """The question and what was expected, for people; an answer is never lost for them."""
    with suppress(Exception):
        return asked_in_a_line(question.ask), str(question.expect)
    return "", ""


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
