"""Observations: the results of orders and questions, from any thread to the controller.

Rules:
- Nothing raises and nothing is lost: what goes wrong becomes an observation like any other,
  because a lost observation would be a step that hangs for ever.
- That an attempt began is soft news: it waits for the next turn. So does an end after which only
  answers are to come, which are on their way.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.outcomes import Ended, Outcome, OutcomeUnknown, TimedOut
from drrun.core.model.probes import Purpose
from drrun.core.model.runbook import Capture
from drrun.core.rules.capacity import Activity
from drrun.core.rules.capturing import capture_all
from drrun.core.rules.last_words import last_words
from drrun.core.state.secrecy import withheld
from drrun.ports.clock import Clock
from drrun.ports.hands import ReachedHost
from drrun.ports.places import AttemptOrder, AttemptProgress, Output, ProbeAnswer


@dataclass(frozen=True, slots=True)
class AttemptFinished:
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
class ProbeAnswered:
    """A probe was evaluated once."""

    activity: Activity
    attempt: int
    seen: ProbeAnswer
    at: float
    #: As it was asked, and what was expected, rendered.
    question: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class WatchAnswered:
    """The probe of a watch has answered; `what` tells which."""

    what: Any
    seen: ProbeAnswer
    at: float


@dataclass(frozen=True, slots=True)
class ProgressReported:
    """News of an attempt that goes on."""

    activity: Activity
    attempt: int
    progress: AttemptProgress
    at: float


@dataclass(frozen=True, slots=True)
class CheckAnswered:
    """An answer that came along with an attempt; None: it will not come."""

    order: AttemptOrder
    activity: Activity
    seen: ProbeAnswer | None
    at: float


@dataclass(frozen=True, slots=True)
class Met:
    """A host was reached; `then` is to be called once that is durable."""

    meeting: ReachedHost
    then: Callable[[], None]
    at: float


Observation = AttemptFinished | ProbeAnswered | ProgressReported | WatchAnswered | Met


class ObservationQueue:
    """Observations on their way from any thread to the controller's."""

    def __init__(self) -> None:
        self._waiting: deque[Observation | CheckAnswered] = deque()
        self._news = threading.Event()

    def put(self, observation: Observation | CheckAnswered, *, soft: bool = False) -> None:
        """Add one; `soft`: wake nobody for it."""
        self._waiting.append(observation)
        if not soft:
            self._news.set()

    def wake(self) -> None:
        """Wake the waiting thread."""
        self._news.set()

    def take(self, timeout: float) -> Iterable[Observation | CheckAnswered]:
        """Take all observations, soft or not; waits up to `timeout` seconds for news."""
        self._news.wait(max(0.0, timeout))
        # Cleared first: what comes from here on is taken now, or wakes the next.
        self._news.clear()
        with suppress(IndexError):
            while True:
                yield self._waiting.popleft()


@dataclass(slots=True)
class Reporter:
    """Turns what hands tell of one attempt into observations. A `Report`."""

    line: ObservationQueue
    clock: Clock
    activity: Activity
    order: AttemptOrder
    output: Output
    captures: Sequence[Capture]
    #: How many probes are asked once the attempt has ended well.
    verifies: int
    _done: bool = False

    def news(self, progress: AttemptProgress) -> None:
        """Something is known of the attempt."""
        began = progress.silent is None and progress.found_after is None
        told = ProgressReported(self.activity, self.order.attempt, progress, self.clock.now())
        self.line.put(told, soft=began)

    def checked(self, index: int, seen: ProbeAnswer | None) -> None:
        """An answer came along with the attempt."""
        activity = Activity(self.activity.key, Purpose.VERIFY, index)
        now = self.clock.now()
        self.line.put(CheckAnswered(self.order, activity, seen, now), soft=not self._done)

    def done(self, outcome: Outcome, checks: Collection[int] = ()) -> None:
        """The attempt has ended; make its output durable first."""
        at, coming = self.clock.now(), frozenset(checks) & self.order.checks.keys()
        try:
            acted = self._closed(outcome, at, coming)
        except Exception as error:  # noqa: BLE001 - a lost outcome would be a step that hangs
            acted = AttemptFinished(self.activity, self.order, fault(error), at)
        self._done = True
        good = isinstance(outcome, Ended) and outcome.good and not acted.fault
        self.line.put(acted, soft=good and len(coming) == self.verifies > 0)

    def _tells(self, outcome: Outcome) -> bool:
        """Whether there are values for later steps."""
        return isinstance(outcome, Ended) and outcome.good and bool(self.captures or outcome.facts)

    def _closed(self, outcome: Outcome, at: float, coming: frozenset[int]) -> AttemptFinished:
        captured: dict[str, Any] = {}
        fault = ""
        if self.order.outdated and self._tells(outcome):
            outcome = OutcomeUnknown(
                f"it ended well; its values are {withheld(self.order.outdated)}"
            )
        if isinstance(outcome, Ended) and outcome.good:
            if self.captures:
                streams = {stream: self.output.text(stream) for stream in ("stdout", "stderr")}
                captured, fault = capture_all(self.captures, streams)
            captured = {**outcome.facts, **captured}
        outcome = self._explained(outcome)
        kept = self.output.close()
        return AttemptFinished(
            self.activity, self.order, outcome, at, captured, fault, kept, coming
        )

    def _readable(self, stream: str) -> str:
        kept = self.output.text(stream).encode("utf-8", "surrogateescape")
        return kept.decode("utf-8", "replace")

    def _explained(self, outcome: Outcome) -> Outcome:
        """Add the command's own words to a failure, unless the action has said why."""
        if isinstance(outcome, Ended) and outcome.good:
            return outcome
        if isinstance(outcome, Ended) and outcome.note:
            return outcome
        if not isinstance(outcome, Ended | TimedOut):
            return outcome
        said = last_words(self._readable("stderr"), self._readable("stdout"))
        if said and outcome.note:
            said = f"{outcome.note}; last words: {said}"
        return replace(outcome, note=said) if said else outcome


def fault(error: Exception) -> OutcomeUnknown:
    """What we know of an attempt after a fault of drrun itself."""
    return OutcomeUnknown(f"drrun itself failed here: {type(error).__name__}: {error}")
