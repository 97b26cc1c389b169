"""What a run went through: every try of every target, what failed, how services rose and fell.

Rules:
- It is seen while the journal is folded, so nothing is lost of what a later event undid.
- A failure stands until its target has passed or was left out. Undoing other steps does not
  change it.
"""

from collections.abc import Iterable
from dataclasses import field

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.model.runbook import Level
from drrun.core.model.status import FINAL, GOOD, Status
from drrun.core.state.run_state import RunState
from drrun.report.facts import Fact
from drrun.report.run_view import target_note


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt on one target, or its undo. Moments in seconds since the epoch."""

    step: StepId
    target: TargetName
    undo: bool
    began: float
    #: None: it goes on.
    ended: float | None
    #: Where the target stood at its end.
    status: Status


@dataclass(frozen=True, slots=True)
class Failure:
    """A target that failed and has not passed since, or whose undo failed."""

    step: StepId
    target: TargetName
    at: float
    why: str
    #: It had passed, and could not be undone.
    undo: bool = False


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A service rose or fell, because a step passed or does not count any more."""

    service: str
    at: float
    #: None: down.
    level: Level | None
    step: StepId
    #: What became of the step: `passed`, `is being undone`, `is regressed`.
    why: str


@dataclass(frozen=True, slots=True)
class Course:
    """All of it, in the order of time."""

    tries: tuple[Try, ...] = ()
    failures: tuple[Failure, ...] = ()
    #: Failures that do not stand any more: the target was tried again, passed, or was left out.
    corrected: tuple[Failure, ...] = ()
    levels: tuple[LevelChange, ...] = ()


def course_of(state: RunState, facts: Iterable[Fact]) -> Course:
    """Watch a run from its first entry to its last.

    Args:
        state: An empty state of the run's plan; it is folded here.
        facts: The whole journal.
    """
    watcher = _Watcher(state)
    for fact in facts:
        watcher.see(fact)
    return watcher.course()


@dataclass(slots=True)
class _Watcher:
    """Compares the state before and after each event."""

    state: RunState
    tries: list[Try] = field(default_factory=list)
    failures: dict[TargetKey, Failure] = field(default_factory=dict)
    corrected: list[Failure] = field(default_factory=list)
    levels: list[LevelChange] = field(default_factory=list)
    #: Target -> when its current attempt began, and whether that is an undo.
    going_on: dict[TargetKey, tuple[float, bool]] = field(default_factory=dict)
    #: Steps that have passed and still count.
    passed: set[StepId] = field(default_factory=set)
    #: Service -> its level now.
    now: dict[str, Level | None] = field(default_factory=dict)

    def see(self, fact: Fact) -> None:
        """Take in one event."""
        event = fact.event
        if isinstance(event, ev.TargetEvent):
            keys: Iterable[TargetKey] = (event.key,)
        elif isinstance(event, ev.StepEvent):
            keys = tuple(self.state.keys(StepId(event.step)))
        else:
            self.state.apply(event, fact.at)
            return
        before = {key: self.state.targets[key].status for key in keys}
        self.state.apply(event, fact.at)
        if isinstance(event, ev.RetryPlanned):
            self._end(event.key, fact.at, Status.FAILED)
        for key, was in before.items():
            self._moved(key, was, fact.at)
        if isinstance(event, ev.TargetBegan | ev.UndoBegan):
            self.going_on[event.key] = fact.at, isinstance(event, ev.UndoBegan)

    def course(self) -> Course:
        """What was seen; attempts that have not ended go on."""
        open_ = [
            Try(key.step, key.target, undo, began, None, self.state.targets[key].status)
            for key, (began, undo) in self.going_on.items()
        ]
        tries = sorted((*self.tries, *open_), key=lambda each: each.began)
        failures = sorted(self.failures.values(), key=lambda each: each.at)
        corrected = sorted(self.corrected, key=lambda each: each.at)
        return Course(tuple(tries), tuple(failures), tuple(corrected), tuple(self.levels))

    def _moved(self, key: TargetKey, was: Status, at: float) -> None:
        target = self.state.targets[key]
        if target.status is was:
            return
        if target.status in FINAL:
            self._end(key, at, target.status)
        if target.status is Status.FAILED:
            note, undo = target_note(target), target.undoing
            self._corrected(key)
            self.failures[key] = Failure(key.step, key.target, at, note, undo)
        elif target.status in GOOD:
            self._corrected(key)
        if (self.state.step(key.step) is Status.PASSED) is not (key.step in self.passed):
            self.passed ^= {key.step}
            passed = key.step in self.passed
            undone = "is being undone" if target.undoing else f"is {target.status}"
            for service in self.state.plan.steps[key.step].step.raises:
                self._rise(service, key.step, at, "passed" if passed else undone)

    def _corrected(self, key: TargetKey) -> None:
        if key in self.failures:
            self.corrected.append(self.failures.pop(key))

    def _end(self, key: TargetKey, at: float, status: Status) -> None:
        if key in self.going_on:
            began, undo = self.going_on.pop(key)
            self.tries.append(Try(key.step, key.target, undo, began, at, status))

    def _rise(self, service: str, step: StepId, at: float, why: str) -> None:
        level = self._level(service)
        if level is not self.now.get(service):
            self.now[service] = level
            self.levels.append(LevelChange(service, at, level, step, why))

    def _level(self, service: str) -> Level | None:
        """What the step that passed last has raised it to."""
        state, raised = self.state, []
        for step, planned in state.plan.steps.items():
            level = planned.step.raises.get(service)
            if level is not None and state.step(step) is Status.PASSED:
                raised.append((state.settled_at[step], level))
        return max(raised, key=lambda each: each[0])[1] if raised else None
