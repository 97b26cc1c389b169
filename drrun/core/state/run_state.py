"""The state of a run: what the journal folds to, kept ready for the next decision.

Rules:
- `apply` is the only way in. Nothing here is known that the events do not say, so a state folded
  from the journal after a crash equals the one that was kept in memory.
- It changes in place and touches only what an event is about, because one full look at 10,000
  steps after each of their events would take minutes; a test compares it with a full look.
- Readers outside get read-only views.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, assert_never

from drrun.core import events as ev
from drrun.core.model.errors import IllegalMove
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.plan import Plan, PlannedStep, PlannedTarget
from drrun.core.model.probes import Verdict
from drrun.core.model.revision import same
from drrun.core.model.runbook import Need, OnFailure, StandIn
from drrun.core.model.status import FINAL, GOOD, SUPERSEDABLE, Phase, RunStatus, Status
from drrun.core.state.circumstances import Circumstances
from drrun.core.state.clocks import Clocks
from drrun.core.state.reached import Reached
from drrun.core.state.ready_steps import ReadySteps, is_light
from drrun.core.state.secrecy import Secrecy
from drrun.core.state.tally import Tally
from drrun.core.state.target import TargetState, advance, given_up

_OPEN_AGAIN = {Status.UNKNOWN, Status.FAILED, Status.BLOCKED, Status.CANCELLED}
#: Makes the plan of a run anew, with all amendments so far.
Replan = Callable[[Sequence[ev.PlanAmended]], Plan]


@dataclass(eq=False)
class RunState:
    """What is known of a run. Made empty from a plan; then events are applied in order."""

    plan: Plan
    #: Makes the plan anew with amendments; None where none can come.
    replan: Replan | None = None
    amendments: tuple[ev.PlanAmended, ...] = ()
    targets: dict[TargetKey, TargetState] = field(default_factory=dict)
    #: Name of the host that a target acts on, "" for the controller.
    hosts: dict[TargetKey, str] = field(default_factory=dict)
    #: What the plan says of each target.
    acts_on: dict[TargetKey, PlannedTarget] = field(default_factory=dict)
    #: Begun and not ended, in the order in which they began; each with a number that grows.
    active: dict[TargetKey, int] = field(default_factory=dict)
    #: Steps whose needs are met and that have targets not begun; longest tail first.
    ready: ReadySteps = field(init=False)
    #: Targets that have not ended although their host was declared lost.
    stranded: dict[TargetKey, None] = field(default_factory=dict)
    #: Targets that changed while they were active, or for which the run took a turn, since
    #: somebody looked at them; not part of what is known.
    stirred: dict[TargetKey, None] = field(default_factory=dict)
    #: Steps that need something that failed.
    to_block: dict[StepId, None] = field(default_factory=dict)
    conditions: dict[StepId, bool] = field(default_factory=dict)
    #: What the names in a step's condition stood for.
    seen: dict[StepId, Mapping[str, str]] = field(default_factory=dict)
    clocks: dict[StepId, float] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    #: The last answer of a person to each target's gate.
    answers: dict[TargetKey, ev.GateAnswered] = field(default_factory=dict)
    #: The word of a person by which a target is done, or not wanted.
    words: dict[TargetKey, ev.TargetMarked | ev.GateAnswered] = field(default_factory=dict)
    #: Who last let a target pass without one of its guards.
    bypasses: dict[TargetKey, ev.TargetReopened] = field(default_factory=dict)
    #: Targets of which the present rollback begins no undo (again), and why.
    not_rolled_back: dict[TargetKey, str] = field(default_factory=dict)
    #: Targets that were undone, and of which nothing shows it; and why.
    undone_unverified: dict[TargetKey, str] = field(default_factory=dict)
    #: Who wanted this very target to be tried again; "" where it came along with others.
    reopened_by: dict[TargetKey, str] = field(default_factory=dict)
    #: Who wrote a step that was added or rewritten in the run.
    written_by: dict[StepId, str] = field(default_factory=dict)
    #: Targets that a rewritten step has no more: their attempts go on being counted.
    dropped: dict[TargetKey, TargetState] = field(default_factory=dict)
    circumstances: Circumstances = field(init=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    paused: str = ""
    aborted: str = ""
    #: Why passed steps are being undone; "" while they are not.
    rolling_back: str = ""
    ended: RunStatus | None = None
    started_at: float | None = None
    epoch: int = 0
    #: Steps that passed, failed, … with the moment, in order; for the service ledger. Undoing a
    #: step does not change it: how long the step took is known for good.
    settled_at: dict[StepId, float] = field(default_factory=dict)
    #: Steps whose undo has ended, with the moment.
    undone_at: dict[StepId, float] = field(default_factory=dict)
    #: When the run was closed.
    closed_at: float | None = None
    #: Steps of which an attempt was intended.
    acted: set[StepId] = field(default_factory=set)
    #: In a dry-run: steps that would act.
    shown: set[StepId] = field(default_factory=set)
    reached: Reached = field(default_factory=Reached)
    secrecy: Secrecy = field(default_factory=Secrecy)
    #: What each invariant was seen to be last, by position; and when it was recorded to hold.
    invariants: dict[int, ev.InvariantSeen] = field(default_factory=dict)
    held_at: dict[int, float] = field(default_factory=dict)
    time: Clocks = field(default_factory=Clocks)
    #: Targets whose step has another form, now that their host is lost.
    in_lost_form: set[TargetKey] = field(default_factory=set)
    _position: dict[StepId, int] = field(init=False)
    _keys: dict[StepId, tuple[TargetKey, ...]] = field(default_factory=dict)
    _place: dict[TargetKey, int] = field(default_factory=dict)
    _tallies: dict[StepId, Tally] = field(default_factory=dict)
    _open_steps: int = 0
    _begun: int = 0
    _inside: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.circumstances = Circumstances(self.plan.inventory)
        self._lay_out()

    def _lay_out(self) -> None:
        """Count what there is; after an amendment what was known of targets is kept."""
        plan, known = self.plan, {**self.dropped, **self.targets}
        self.targets, self.hosts, self.acts_on, self.to_block = {}, {}, {}, {}
        self._open_steps = 0
        self._keys, self._place, self._inside = {}, {}, {}
        self._position = {step: index for index, step in enumerate(plan.order)}
        self.ready = ReadySteps()
        for step in plan.order:
            self._lay_out_step(step, known)
        for step in plan.order:
            self._sort_in(step)
        self.dropped = {key: each for key, each in known.items() if key not in self.targets}

    def _lay_out_step(self, step: StepId, known: Mapping[TargetKey, TargetState]) -> None:
        planned = self.plan.steps[step]
        self._keys[step] = keys = tuple(TargetKey(step, each.name) for each in planned.targets)
        for place, (key, target) in enumerate(zip(keys, planned.targets, strict=True)):
            self._place[key] = place
            self.acts_on[key] = target
            self.targets[key] = known.get(key) or TargetState()
            self.hosts[key] = target.host.name if target.host else ""
        states, before = [self.targets[key] for key in keys], self._tallies.get(step)
        self._tallies[step] = tally = Tally.of(states, planned.allowed_failures)
        tally.excused = before.excused if before else 0
        self._open_steps += tally.open

    def _amend(self, event: ev.PlanAmended) -> None:
        if self.replan is None:
            raise IllegalMove("a plan that cannot be made again was amended")
        self.amendments = (*self.amendments, event)
        before, self.plan = self.plan, self.replan(self.amendments)
        for step in map(StepId, event.changed):
            self.conditions.pop(step, None)
            self.clocks.pop(step, None)
        self.written_by |= {StepId(step): event.by for step in (*event.added, *event.changed)}
        if not same(before.runbook.invariants, self.plan.runbook.invariants):
            self.invariants, self.held_at = {}, {}  # they are known by their position
        self.circumstances.live_in(self.plan.inventory)
        self._lay_out()
        self._change_forms()

    # --- reading --------------------------------------------------------------------------------

    def step(self, step: StepId) -> Status:
        """Where a step stands."""
        return self._tallies[step].status

    def counts(self, step: StepId) -> Mapping[Status, int]:
        """How many targets of a step stand where."""
        return self._tallies[step].counts

    def new_failures(self, step: StepId) -> int:
        """How many targets of a step have failed since one of them was last opened again."""
        tally = self._tallies[step]
        return tally.counts[Status.FAILED] - tally.excused

    def keys(self, step: StepId) -> Iterator[TargetKey]:
        """The targets of a step, in the plan's order."""
        return iter(self._keys[step])

    def through(self, step: StepId) -> int:
        """How many targets of a step, from the first on in the plan's order, have all ended."""
        unended = self._tallies[step].unended
        return unended[0] if unended else len(self._keys[step])

    def has_queued(self, step: StepId) -> bool:
        """Whether a step has targets that have not begun, and may still."""
        return bool(self._tallies[step].queued)

    def queued(self, step: StepId, limit: int) -> Iterator[TargetKey]:
        """Those of a step's first `limit` targets that have not begun, in the plan's order."""
        keys = self._keys[step]
        return (keys[place] for place in takewhile(limit.__gt__, self._tallies[step].queued))

    def steps_inside(self, prefix: str) -> Mapping[str, object]:
        """Steps whose ids begin with `prefix`, without it; in order."""
        if prefix not in self._inside:
            inside = (step for step in self.plan.order if step.startswith(prefix))
            self._inside[prefix] = dict.fromkeys(step.removeprefix(prefix) for step in inside)
        return self._inside[prefix]

    def starters(self, key: TargetKey) -> frozenset[str]:
        """Who started a target: who drives the run, wanted it tried again, or wrote it in the run.

        Whoever went back to an earlier step, or took up one that it needs, did not start it.
        """
        wrote, again = self.written_by.get(key.step, ""), self.reopened_by.get(key, "")
        return frozenset({self.circumstances.drives_now, wrote, again})

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

    def cannot_be_met(self, need: Need) -> bool:
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
        if isinstance(event, ev.TargetEvent):
            self._change(event.key, event, at)
        elif isinstance(event, ev.StepSkipped | ev.StepBlocked | ev.TargetsCancelled):
            self._change_all(StepId(event.step), event, at)
        elif not isinstance(event, ev.ConditionSeen | ev.ClockSet):
            self.stirred.update(dict.fromkeys(self.active))
        match event:
            case ev.GateAnswered():
                self.answers[event.key] = event
                if event.gate == "unknown" and event.answer == "confirm" and not event.purpose:
                    self.words[event.key] = event
            case ev.NotRolledBack():
                self.not_rolled_back[event.key] = event.why
            case ev.UndoBegan():
                self.undone_unverified.pop(event.key, None)
                self.not_rolled_back[event.key] = "its undo was begun"
            case ev.UndoneUnverified():
                self.undone_unverified[event.key] = event.why
            case ev.TargetMarked():
                self.words[event.key] = event
            case ev.ActionShown():
                self.shown.add(event.key.step)
            case ev.AttemptIntended():
                self.reached.intend(event.key, self.hosts[event.key])
                self.secrecy.intend(event.key)
                self.acted.add(event.key.step)
            case ev.TargetReopened():
                self.reopened_by[event.key] = "" if event.rewind or event.freed else event.by
                self._tallies[event.key.step].excuse()
                self.words.pop(event.key, None)
                if event.bypass:
                    self.bypasses[event.key] = event
            case ev.RetryPlanned(cause="lost"):
                self._change_form(event.key)
            case ev.TargetEvent() | ev.StepSkipped() | ev.StepBlocked() | ev.TargetsCancelled():
                pass  # `advance` took in all of it
            case ev.ConditionSeen():
                self.conditions[StepId(event.step)] = event.value
                self.seen[StepId(event.step)] = event.seen
            case ev.ClockSet():
                self.clocks[StepId(event.step)] = event.until
            case ev.HostReached():
                there = [key for key in self.active if self.hosts[key] == event.host]
                self.reached.reach(event.host, event.boot, there)
                self.time.apply(event, at)
            case ev.RunStarted():
                self.circumstances.apply(event)
                self.started_at, self.options = at, event.options
            case ev.RunResumed():
                self.circumstances.apply(event)
                self._reopen(event, at)
            case ev.WallClockSet():
                self.time.apply(event, at)
            case ev.ControllerTook():
                self.circumstances.apply(event)
                self.time.apply(event, at)
                self.epoch, self.reached.recorded = event.epoch, event.meets
            case ev.SecretsUsed():
                self.secrecy.use(event.marks)
            case ev.RunPaused():
                self.paused = event.why or "paused"
            case ev.RunUnpaused():
                self.paused = ""
            case ev.RunAborted():
                self.aborted = event.why or "aborted"
            case ev.RunEnded():
                self.ended = RunStatus(event.status)
            case ev.Lost() | ev.Found():
                self.circumstances.apply(event)
                self._change_forms()
            case ev.PlanAmended():
                self._amend(event)
            case ev.RollbackBegan():
                self.rolling_back = event.why or f"by {event.by}"
                self.ended, self.paused = None, ""
                self.not_rolled_back.clear()
            case ev.InvariantBroken():
                self.paused = f"invariant {event.name!r} is broken: {event.why}"
            case ev.RecordAccepted():
                self.reached.lines = (*self.reached.lines, event.line)
            case ev.RunClosed():
                self.circumstances.apply(event)
                self.closed_at = at
            case ev.Claimed() | ev.Assigned() | ev.HandedOver() | ev.RouteSet():
                self.circumstances.apply(event)
            case ev.SeatTaken():
                self.circumstances.apply(event)
            case ev.InvariantSeen():
                self.invariants[event.index] = event
                if event.verdict == Verdict.HOLDS:
                    self.held_at[event.index] = at
            case (
                ev.ControllerLeft()
                | ev.FilesChanged()
                | ev.HostOverruled()
                | ev.Noted()
                | ev.RequestRefused()
                | ev.RequestWithdrawn()
                | ev.FindingNoted()
                | ev.FollowUpNoted()
                | ev.ClockStated()
            ):
                pass  # for people to read; nothing follows from it
            case _:
                assert_never(event)
        self.time.reach(at, over=self.ended is not None)

    def _reopen(self, event: ev.RunResumed, at: float) -> None:
        self.ended, self.paused, self.aborted = None, "", ""
        again = {Status.UNKNOWN} if self.rolling_back else _OPEN_AGAIN
        for key, target in list(self.targets.items()):
            wanted = target.status is Status.UNKNOWN or self.circumstances.wants(key.step)
            if target.status in again and wanted:
                reopened = ev.TargetReopened(
                    step=key.step, target=key.target, by=event.by, seek=target.unaccounted
                )
                self._change(key, reopened, at)

    def _change_forms(self) -> None:
        """Targets on lost hosts take their other form, if their step has one."""
        self.stranded = {key: None for key in self.targets if self._is_stranded(key)}
        for key, target in self.acts_on.items():
            when_lost = self.plan.steps[key.step].step.when_lost
            name = target.host.name if target.host else ""
            other = isinstance(when_lost, StandIn) and name in self.circumstances.lost_hosts
            # What is in flight is let go of first.
            if other and self.targets[key].phase is not Phase.ACTING:
                self._change_form(key)
            elif not other:
                self.in_lost_form.discard(key)
                self._move(key, name)

    def _is_stranded(self, key: TargetKey) -> bool:
        host = self.acts_on[key].host
        return (
            host is not None
            and host.name in self.circumstances.lost_hosts
            and self.targets[key].status not in FINAL
            and not self.plan.steps[key.step].left_out
        )

    def _change_form(self, key: TargetKey) -> None:
        self.in_lost_form.add(key)
        self._move(key, "")

    def _move(self, key: TargetKey, host: str) -> None:
        """Let a target act on another host."""
        if self.hosts[key] != host:
            self.hosts[key] = host
            self.ready.remove(key.step)
            self._sort_in(key.step)

    def _change_all(self, step: StepId, event: ev.OfTargets, at: float) -> None:
        for key in self.keys(step):
            target = self.targets[key]
            ending = (self.aborted or self.rolling_back) and not target.undoing
            if target.queued or (ending and given_up(target)) or _makes_needless(event, target):
                self._change(key, event, at)

    def _change(self, key: TargetKey, event: ev.OfTarget | ev.OfTargets, at: float) -> None:
        before = self.targets[key]
        after = advance(before, event, at)
        self.targets[key] = after
        if before.active != after.active:
            self._hold_or_release(key, begins=after.active)
        if before.active or after.active:
            self.stirred[key] = None
        if before.status is not after.status:
            self._recount(key, before, after, at)
            if self.circumstances.lost_hosts:
                self._strand(key)
        if before.queued != after.queued:
            self._tallies[key.step].queue(self._place[key], waits=after.queued)
            self._sort_in(key.step)

    def _strand(self, key: TargetKey) -> None:
        if self._is_stranded(key):
            self.stranded[key] = None
        else:
            self.stranded.pop(key, None)

    def _hold_or_release(self, key: TargetKey, *, begins: bool) -> None:
        if begins:
            self._begun += 1
            self.active[key] = self._begun
        else:
            del self.active[key]
        for lock in self.plan.steps[key.step].step.locks:
            self.held[lock] += 1 if begins else -1

    def _recount(self, key: TargetKey, before: TargetState, after: TargetState, at: float) -> None:
        step, tally = key.step, self._tallies[key.step]
        was = tally.status
        tally.move(self._place[key], before.status, after.status)
        now = tally.status
        if was is now:
            return
        self._open_steps += (now not in FINAL) - (was not in FINAL)
        if now in FINAL and after.undoing:
            self.undone_at[step] = at
        elif now in FINAL and not before.undoing:  # what stays as it was has settled before
            self.settled_at[step] = at
            self.undone_at.pop(step, None)
        if now in FINAL or was in FINAL:
            for dependent in self.plan.dependents[step]:
                self._sort_in(dependent)

    def _sort_in(self, step: StepId) -> None:
        """Put a step among the ready, or those to block, or among neither."""
        planned = self.plan.steps[step]
        needs = planned.step.needs
        queued = bool(self._tallies[step].queued)
        ready = queued and all(self.met(need) for need in needs)
        if not ready:
            self.ready.remove(step)
        elif step not in self.ready:
            entry = -self.plan.tails[step], self._position[step], step
            self.ready.add(entry, self._hosts_of(step), light=is_light(planned))
        self.to_block.pop(step, None)
        if queued and not ready and any(self.cannot_be_met(need) for need in needs):
            self.to_block[step] = None

    def _hosts_of(self, step: StepId) -> frozenset[str]:
        return frozenset(self.hosts[key] for key in self._keys[step])

    def because(self, step: StepId) -> tuple[StepId, ...]:
        """The steps that doom a step."""
        needs = self.plan.steps[step].step.needs
        return tuple(each for need in needs if self.cannot_be_met(need) for each in need.any_of)


def _makes_needless(event: ev.OfTargets, target: TargetState) -> bool:
    return isinstance(event, ev.StepSkipped) and event.superseded and target.status in SUPERSEDABLE


def fold(
    plan: Plan, events: Iterable[tuple[float, ev.Event]], replan: Replan | None = None
) -> RunState:
    """The state after events, given with the moments at which they happened."""
    state = RunState(plan, replan)
    for at, event in events:
        state.apply(event, at)
    return state


def planned(state: RunState, key: TargetKey) -> PlannedStep:
    """The plan of the step that a target belongs to."""
    return state.plan.steps[key.step]


def attempt_of(state: RunState, key: TargetKey) -> ev.AttemptName:
    """What names a target's current attempt in an event."""
    return ev.attempt_name(key, state.targets[key].attempt)
