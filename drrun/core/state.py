"""The state of a run: what the journal folds to, kept ready for the next decision.

Rules:
- `apply` is the only way in. Nothing here is known that the events do not say, so a state folded
  from the journal after a crash equals the one that was kept in memory.
- It changes in place and touches only what an event is about, because one full look at 10,000
  steps after each of their events would take minutes; a test compares it with a full look.
- Readers outside get read-only views.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from drrun.core import events as ev
from drrun.core.around import Around
from drrun.core.errors import IllegalMove
from drrun.core.ids import StepId, TargetName
from drrun.core.plan import Plan, PlannedStep
from drrun.core.runbook import Need, OnFailure, StandIn
from drrun.core.status import FINAL, GOOD, Phase, RunStatus, Status, step_status
from drrun.core.target import TargetState, advance

#: Makes the plan of a run anew, with all amendments so far.
Replan = Callable[[Sequence[ev.PlanAmended]], Plan]


class Key(NamedTuple):
    """One target of one step."""

    step: StepId
    target: TargetName

    def __str__(self) -> str:
        return self.step if self.target == "local" else f"{self.step}@{self.target}"


@dataclass(eq=False)
class RunState:
    """What is known of a run. Made empty from a plan; then events are applied in order."""

    plan: Plan
    #: Makes the plan anew with amendments; None where none can come.
    replan: Replan | None = None
    amendments: tuple[ev.PlanAmended, ...] = ()
    targets: dict[Key, TargetState] = field(default_factory=dict)
    #: Name of the host that a target acts on, "" for the controller.
    hosts: dict[Key, str] = field(default_factory=dict)
    #: Begun and not ended, in the order in which they began.
    active: dict[Key, None] = field(default_factory=dict)
    #: Steps whose needs are met and that have targets not begun; longest tail first.
    ready: list[tuple[float, int, StepId]] = field(default_factory=list)
    #: Steps that need something that failed.
    doomed: dict[StepId, None] = field(default_factory=dict)
    conditions: dict[StepId, bool] = field(default_factory=dict)
    clocks: dict[StepId, float] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    #: The last answer of a person to each target's gate.
    answers: dict[Key, ev.GateAnswered] = field(default_factory=dict)
    #: Who wanted a target to be tried again.
    reopened_by: dict[Key, str] = field(default_factory=dict)
    around: Around = field(init=False)
    options: Mapping[str, object] = field(default_factory=dict)
    paused: str = ""
    aborted: str = ""
    #: Why passed steps are being undone; "" while they are not.
    rolling_back: str = ""
    ended: RunStatus | None = None
    started_at: float | None = None
    epoch: int = 0
    #: Steps that passed, failed, … with the moment, in order; for the service ledger.
    settled_at: dict[StepId, float] = field(default_factory=dict)
    #: In a dry-run: steps that would act.
    shown: set[StepId] = field(default_factory=set)
    #: Targets whose step has another form, now that their host is lost.
    ungraceful: set[Key] = field(default_factory=set)
    _position: dict[StepId, int] = field(init=False)
    _counts: dict[StepId, Counter[Status]] = field(default_factory=dict)
    _status: dict[StepId, Status] = field(default_factory=dict)
    _queued: dict[StepId, int] = field(default_factory=dict)
    _open_steps: int = 0

    def __post_init__(self) -> None:
        self.around = Around(self.plan.inventory)
        self._lay_out()

    def _lay_out(self) -> None:
        """Count what there is; after an amendment what was known of targets is kept."""
        plan, known = self.plan, self.targets
        self.targets, self.hosts, self.ready, self.doomed = {}, {}, [], {}
        self._counts, self._status, self._queued, self._open_steps = {}, {}, {}, 0
        self._position = {step: index for index, step in enumerate(plan.order)}
        for step in plan.order:
            planned = plan.steps[step]
            for target in planned.targets:
                key = Key(step, target.name)
                self.targets[key] = known.get(key) or TargetState()
                self.hosts[key] = target.host.name if target.host else ""
            states = [self.targets[key] for key in self.keys(step)]
            self._counts[step] = Counter(each.status for each in states)
            self._restate(step)
            self._queued[step] = sum(_queued(each) for each in states)
            self._open_steps += bool(states) and self.step(step) not in FINAL
        for step in plan.order:
            self._sort_in(step)

    def _amend(self, event: ev.PlanAmended) -> None:
        if self.replan is None:
            raise IllegalMove("a plan that cannot be made anew was amended")
        self.amendments = (*self.amendments, event)
        self.plan = self.replan(self.amendments)
        for step in event.changed:
            self.conditions.pop(StepId(step), None)
            self.clocks.pop(StepId(step), None)
        self._lay_out()
        self._change_forms()

    # --- reading --------------------------------------------------------------------------------

    def step(self, step: StepId) -> Status:
        """Where a step stands."""
        return self._status[step]

    def counts(self, step: StepId) -> Mapping[Status, int]:
        """How many targets of a step stand where."""
        return self._counts[step]

    def keys(self, step: StepId) -> Iterator[Key]:
        """The targets of a step, in the plan's order."""
        return (Key(step, target.name) for target in self.plan.steps[step].targets)

    def starters(self, key: Key) -> frozenset[str]:
        """Who started a target: whoever drives the run, and whoever wanted it tried again."""
        return frozenset({self.around.driver, self.reopened_by.get(key, "")})

    @property
    def all_final(self) -> bool:
        """Whether every target has ended."""
        return self._open_steps == 0

    def good(self, step: StepId) -> bool:
        """Whether dependents of a step may go on."""
        status = self.step(step)
        if status in GOOD:
            return True
        written = self.plan.steps[step].step
        if status is Status.REGRESSED:
            return written.on_regressed == "continue"
        return status is Status.FAILED and written.on_failure is OnFailure.CONTINUE

    def met(self, need: Need) -> bool:
        """Whether a need is met."""
        return any(self.good(step) for step in need.any_of)

    def hopeless(self, need: Need) -> bool:
        """Whether a need will not be met unless a person intervenes."""
        return all(self._lost_for_good(step) for step in need.any_of)

    def _lost_for_good(self, step: StepId) -> bool:
        status = self.step(step)
        return status in FINAL and status is not Status.REGRESSED and not self.good(step)

    # --- changing -------------------------------------------------------------------------------

    def apply(self, event: ev.Event, at: float) -> None:
        """Take in one event.

        Raises:
            IllegalMove: The event cannot happen now; the state is as it was.
        """
        match event:
            case ev.TargetEvent():
                key = Key(StepId(event.step), TargetName(event.target))
                self._change(key, event, at)
                self._remember(key, event)
            case ev.StepSkipped() | ev.StepBlocked() | ev.TargetsCancelled():
                self._change_all(StepId(event.step), event, at)
            case ev.ConditionSeen():
                self.conditions[StepId(event.step)] = event.value
            case ev.ClockSet():
                self.clocks[StepId(event.step)] = event.until
            case _:
                self._apply_to_run(event, at)

    def _remember(self, key: Key, event: ev.TargetEvent) -> None:
        match event:
            case ev.GateAnswered():
                self.answers[key] = event
            case ev.ActionShown():
                self.shown.add(key.step)
            case ev.TargetReopened(by=by):
                self.reopened_by[key] = by
            case ev.RetryPlanned(cause="lost"):
                self._change_form(key)
            case _:
                pass

    def _apply_to_run(self, event: ev.Event, at: float) -> None:
        self.around.apply(event)
        match event:
            case ev.RunStarted():
                self.started_at = at
                self.options = event.options
            case ev.ControllerTook(epoch=epoch):
                self.epoch = epoch
            case ev.RunPaused(why=why):
                self.paused = why or "paused"
            case ev.RunUnpaused():
                self.paused = ""
            case ev.RunAborted(why=why):
                self.aborted = why or "aborted"
            case ev.RunEnded(status=status):
                self.ended = RunStatus(status)
            case ev.RunResumed():
                self._reopen(event, at)
            case _:
                self._turn(event)

    def _turn(self, event: ev.Event) -> None:
        """The run takes another course than the plan's."""
        match event:
            case ev.Lost() | ev.Found():
                self._change_forms()
            case ev.PlanAmended():
                self._amend(event)
            case ev.RollbackBegan(why=why):
                self.rolling_back, self.ended, self.paused = why, None, ""
            case ev.InvariantBroken(name=name, why=why):
                self.paused = f"invariant {name!r} is broken: {why}"
            case _:
                pass

    def _reopen(self, event: ev.RunResumed, at: float) -> None:
        self.ended, self.paused, self.aborted = None, "", ""
        again = [Status.UNKNOWN]
        if not self.rolling_back:
            again += [Status.FAILED, Status.BLOCKED, Status.CANCELLED]
        for key, target in list(self.targets.items()):
            if target.status in again:
                seek = target.status is Status.UNKNOWN and target.lost
                reopened = ev.TargetReopened(
                    step=key.step, target=key.target, by=event.by, seek=seek
                )
                self._change(key, reopened, at)

    def _change_forms(self) -> None:
        """Targets on lost hosts take their other form, if their step has one."""
        for key in self.targets:
            planned = self.plan.steps[key.step]
            host = next(each.host for each in planned.targets if each.name == key.target)
            name = host.name if host else ""
            other = isinstance(planned.step.when_lost, StandIn) and name in self.around.lost_hosts
            # What is in flight is let go of first.
            if other and self.targets[key].phase is not Phase.ACTING:
                self._change_form(key)
            elif not other:
                self.ungraceful.discard(key)
                self.hosts[key] = name

    def _change_form(self, key: Key) -> None:
        self.ungraceful.add(key)
        self.hosts[key] = ""

    def _change_all(self, step: StepId, event: ev.StepEvent, at: float) -> None:
        for key in self.keys(step):
            target = self.targets[key]
            ending = (self.aborted or self.rolling_back) and not target.undoing
            if _queued(target) or (ending and given_up(target)):
                self._change(key, event, at)

    def _change(self, key: Key, event: ev.Event, at: float) -> None:
        before = self.targets[key]
        after = advance(before, event, at)
        self.targets[key] = after
        if _active(before) != _active(after):
            self._hold_or_release(key, begins=_active(after))
        if before.status is not after.status:
            self._recount(key.step, before.status, after.status, at)
        if _queued(before) != _queued(after):
            self._queued[key.step] += 1 if _queued(after) else -1
            self._sort_in(key.step)

    def _hold_or_release(self, key: Key, *, begins: bool) -> None:
        if begins:
            self.active[key] = None
        else:
            del self.active[key]
        for lock in self.plan.steps[key.step].step.locks:
            self.held[lock] += 1 if begins else -1

    def _recount(self, step: StepId, before: Status, after: Status, at: float) -> None:
        was = self.step(step)
        counts = self._counts[step]
        counts[before] -= 1
        counts[after] += 1
        if not counts[before]:
            del counts[before]
        now = self._restate(step)
        if was is now:
            return
        self._open_steps += (now not in FINAL) - (was not in FINAL)
        if now in FINAL:
            self.settled_at[step] = at
        if now in FINAL or was in FINAL:
            for dependent in self.plan.dependents[step]:
                self._sort_in(dependent)

    def _restate(self, step: StepId) -> Status:
        found = step_status(self._counts[step], self.plan.steps[step].allowed_failures)
        self._status[step] = found
        return found

    def _sort_in(self, step: StepId) -> None:
        """Put a step among the ready or the doomed, or among neither."""
        entry = (-self.plan.tails[step], self._position[step], step)
        place = bisect_left(self.ready, entry)
        listed = place < len(self.ready) and self.ready[place] == entry
        needs = self.plan.steps[step].step.needs
        ready = self._queued[step] > 0 and all(self.met(need) for need in needs)
        if ready and not listed:
            insort(self.ready, entry)
        elif listed and not ready:
            del self.ready[place]
        self.doomed.pop(step, None)
        if self._queued[step] and not ready and any(self.hopeless(need) for need in needs):
            self.doomed[step] = None

    def because(self, step: StepId) -> tuple[StepId, ...]:
        """The steps that doom a step."""
        needs = self.plan.steps[step].step.needs
        return tuple(each for need in needs if self.hopeless(need) for each in need.any_of)


def given_up(target: TargetState) -> bool:
    """Whether aborting the run leaves nothing of a target behind: it has not acted."""
    before = target.phase in (Phase.GUARD, Phase.DONE_WHEN, Phase.ACT)
    return target.status is Status.WAITING or (target.status is Status.RUNNING and before)


def _active(target: TargetState) -> bool:
    return target.begun and target.status not in FINAL


def _queued(target: TargetState) -> bool:
    return not target.begun and target.status in (Status.PENDING, Status.WAITING)


def fold(
    plan: Plan, events: Iterable[tuple[float, ev.Event]], replan: Replan | None = None
) -> RunState:
    """The state after events, given with the moments at which they happened."""
    state = RunState(plan, replan)
    for at, event in events:
        state.apply(event, at)
    return state


def planned(state: RunState, key: Key) -> PlannedStep:
    """The plan of the step that a target belongs to."""
    return state.plan.steps[key.step]
