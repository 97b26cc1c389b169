"""The whole scheduler: which wishes follow from a state. Pure, total, idempotent.

Rules:
- Every step starts the moment it may: no waves, no barriers. Where not all can (parallelism,
  sessions of a host, locks), the one with the longest path behind it goes first.
- What is in the air is told from outside: an attempt that was intended and is not in the air was
  left behind by an earlier controller, and is reconciled, never started again.
- Obeying all wishes and asking again must come to an end: each wish changes the state or puts
  something into the air.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from drrun.core import events as ev
from drrun.core.model.actions import DecisionAction, ManualAction
from drrun.core.model.ids import TargetKey
from drrun.core.model.probes import Probe, ProbeKind, Purpose, Verdict
from drrun.core.model.runbook import Mode, OnFailure, OnUnknown, RetryCause
from drrun.core.model.status import Phase, Status
from drrun.core.rules import dry_run
from drrun.core.rules import wishes as w
from drrun.core.rules.beginning import allowed, begin_steps
from drrun.core.rules.capacity import Activity, Capacity
from drrun.core.rules.decision import Decision, WakeUp
from drrun.core.rules.endings import ending_of
from drrun.core.rules.losses import losses
from drrun.core.rules.probe_lists import asked_of, until_of, waits_now
from drrun.core.rules.stopping import failed, wind_up
from drrun.core.rules.superseding import superseded
from drrun.core.rules.undoing import (
    conclusion_of_undo,
    points_of_no_return,
    roll_back,
    roll_back_began,
    to_undo,
    undo_of,
    undoable,
)
from drrun.core.rules.waiting import while_asked
from drrun.core.state.polling import ProbeProgress, Settled, outlook
from drrun.core.state.run_state import RunState, attempt_of
from drrun.core.state.target import TargetState

#: How many things are done at once unless the user says otherwise.
MAX_PARALLEL = 256


def decide(
    state: RunState,
    room: Capacity,
    now: float,
    *,
    begin: bool = True,
    look: Iterable[TargetKey] | None = None,
) -> Decision:
    """The wishes that follow from a state.

    Args:
        state: What is known.
        room: What is in the air, and how much more may be.
        now: Seconds since the epoch.
        begin: False: nothing new begins; what has acted is still verified.
        look: The active targets to look at, in order; None: all. `Agenda` knows which do.
    """
    decision = Decision()
    if state.ended is not None:
        return decision
    begin = begin and not (state.paused or state.aborted or state.rolling_back)
    decision.wishes.extend(list(superseded(state)) or _blocked(state))
    if decision.wishes:
        return decision  # what ends or opens here cannot be blocked, lost or cancelled besides
    decision.wishes.extend(losses(state, room))
    if state.aborted:
        decision.wishes.extend(wind_up(state, room))
    else:
        if state.rolling_back:
            decision.wishes.extend(roll_back(state))
        for key in state.active if look is None else look:
            _look_at(state, key, room, now, decision, begin=begin)
            if _turns(decision):
                break  # what becomes of the others is asked anew after it
    if begin and not decision.wishes:
        # Only when nothing else follows: what goes on may make a step ready that comes first.
        begin_steps(state, room, now, decision)
    if not decision.wishes and not room.air:
        decision.wishes.extend(_at_rest(state, decision, begin=begin))
    return decision


def _at_rest(state: RunState, decision: Decision, *, begin: bool) -> Iterator[w.Wish]:
    """Nothing moves: the run is over, or has done the steps that alone were wanted."""
    only = state.circumstances.only
    if _over(state):
        yield w.Record(ev.RunEnded(status=ending_of(state)))
    elif only and begin and not state.active and decision.wake_at is None:
        names = ", ".join(step for step in state.plan.order if step in only)
        why = (
            f"only {names} had to go on, and nothing more of that can; resume the run for the rest"
        )
        yield w.Record(ev.RunPaused(why=why, by="controller"))


def _blocked(state: RunState) -> Iterator[w.Wish]:
    for step in state.to_block:
        yield w.Record(ev.StepBlocked(step=step, because=state.because(step)))


def _look_at(
    state: RunState, key: TargetKey, room: Capacity, now: float, decision: Decision, *, begin: bool
) -> None:
    """What follows of one active target; it rests if nothing does, and not for want of a place."""
    if key in state.stranded and key not in state.in_lost_form:
        return  # its loss comes first
    alarm, refused = WakeUp(), room.refused
    wishes = list(_go_on(state, key, room, now, alarm, begin=begin))
    decision.wishes.extend(wishes)
    if alarm.wake_at is not None:
        decision.wake(alarm.wake_at)
    if not wishes and room.refused == refused:
        decision.resting[key] = alarm.wake_at
    elif not wishes and room.full:
        decision.wanting[key] = alarm.wake_at


def _turns(decision: Decision) -> bool:
    """Whether the run as a whole is to be paused, aborted or rolled back."""
    last = decision.wishes[-1] if decision.wishes else None
    turns = ev.RunPaused | ev.RunAborted | ev.RollbackBegan
    return isinstance(last, w.Record) and isinstance(last.event, turns)


def _over(state: RunState) -> bool:
    """Whether nothing is left to do; an aborted run does not wait to learn what is unknown.

    A run that is paused waits for a person's word even then: they may want it undone.
    """
    if state.aborted:
        return all(state.targets[key].status is Status.UNKNOWN for key in state.active)
    if state.rolling_back:
        return not state.active and next(undoable(state), None) is None
    return state.all_final and not state.paused


def _go_on(
    state: RunState, key: TargetKey, room: Capacity, now: float, alarm: WakeUp, *, begin: bool
) -> Iterator[w.Wish]:
    target = state.targets[key]
    if target.gate is not None:
        yield from while_asked(state, key, target.gate, now, alarm.wake)
        if target.gate.kind != "late":
            return
    begin = begin or target.undoing
    match target.phase:
        case Phase.QUEUED:
            if begin:
                yield from _try_again(key, target, room, now, alarm)
        case Phase.GUARD | Phase.DONE_WHEN | Phase.ACT:
            if begin:
                yield from _towards_action(state, key, room, alarm, now)
        case Phase.ACTING:
            yield from _while_acting(state, key, room, now, alarm)
        case Phase.VERIFY | Phase.JUDGED if dry_run.done_with(state, key):
            yield w.Show(key, dry_run.toleration(target))
        case Phase.VERIFY:
            purpose = Purpose.UNDONE if target.undoing else Purpose.VERIFY
            yield from _ask(state, key, purpose, room, now, alarm)
        case Phase.JUDGED:
            yield from _after_verdict(state, key)
        case Phase.RECONCILE | Phase.ASK:
            yield from _find_out(state, key, room, now, alarm)
        case Phase.ENDED:
            pass
        case _:
            assert_never(target.phase)


def _find_out(
    state: RunState, key: TargetKey, room: Capacity, now: float, alarm: WakeUp
) -> Iterator[w.Wish]:
    """The outcome is not known: by `on_unknown`, and by a person if that does not tell."""
    step = state.plan.steps[key.step].step
    if state.targets[key].undoing:
        # `on_unknown`, and a `verify` that holds, are about the step, and not about its undo.
        yield w.OpenGate(key, "unknown", Purpose.UNDONE)
        return
    if state.targets[key].phase is Phase.ASK:
        yield w.OpenGate(key, "unknown")
        return
    match step.on_unknown:
        case OnUnknown.RERUN:
            yield w.PlanRetry(key, "unknown", "on_unknown: rerun")
        case OnUnknown.RECONCILE if asked_of(state, key, Purpose.VERIFY):
            yield from _ask(state, key, Purpose.RECONCILE, room, now, alarm)
        case OnUnknown.RECONCILE | OnUnknown.ASK:
            yield w.OpenGate(key, "unknown")
        case _:
            assert_never(step.on_unknown)


def _try_again(
    key: TargetKey, target: TargetState, room: Capacity, now: float, alarm: WakeUp
) -> Iterator[w.Wish]:
    if target.until is not None and now < target.until:
        alarm.wake(target.until)
    elif room.take(""):
        yield w.Record(ev.TargetBegan(step=key.step, target=key.target))


def _towards_action(
    state: RunState, key: TargetKey, room: Capacity, alarm: WakeUp, now: float
) -> Iterator[w.Wish]:
    target = state.targets[key]
    step = state.plan.steps[key.step].step
    if target.undoing:
        yield from _undo(state, key, room)
    elif target.phase is Phase.GUARD and asked_of(state, key, Purpose.GUARD):
        yield from _ask(state, key, Purpose.GUARD, room, now, alarm)
    elif target.phase is not Phase.ACT and asked_of(state, key, Purpose.DONE_WHEN):
        yield from _ask(state, key, Purpose.DONE_WHEN, room, now, alarm)
    elif state.plan.mode is Mode.DRY_RUN and not dry_run.looks_only(step):
        yield w.Show(key)
    elif state.plan.mode is Mode.DRY_RUN:  # nobody is asked
        if room.take(state.hosts[key]):
            yield w.StartAttempt(key)
    elif step.approval is not None and not (target.permitted or target.unasked):
        yield w.OpenGate(key, "approval")
    elif step.irreversible and not target.permitted and not allowed(state, step):
        yield w.OpenGate(key, "irreversible")
    elif key not in state.in_lost_form and isinstance(step.action, ManualAction | DecisionAction):
        yield w.OpenGate(key, "manual" if isinstance(step.action, ManualAction) else "decision")
    elif waits_now(state, key):
        yield w.BeginWait(key)
    elif room.take(state.hosts[key]):
        yield w.StartAttempt(key)


def _undo(state: RunState, key: TargetKey, room: Capacity) -> Iterator[w.Wish]:
    undo = undo_of(state, key.step)
    if undo is not None and isinstance(undo.action, ManualAction):
        yield w.OpenGate(key, "manual")
    elif room.take(state.hosts[key]):
        yield w.StartAttempt(key)


def _while_acting(
    state: RunState, key: TargetKey, room: Capacity, now: float, alarm: WakeUp
) -> Iterator[w.Wish]:
    target = state.targets[key]
    step = state.plan.steps[key.step].step
    if target.until is not None:
        if now >= target.until:
            yield w.Record(ev.WaitEnded(**attempt_of(state, key)))
        else:
            alarm.wake(target.until)
    elif until_of(step) and waits_now(state, key):
        yield from _ask(state, key, Purpose.UNTIL, room, now, alarm)
    elif Activity(key) not in room.air:
        if room.take(state.hosts[key]):
            yield w.Reconcile(key)
    elif target.to_end and not target.ending:
        yield w.EndAttempt(key, "out of time: a person ended it")
    elif step.on_timeout == "ask":
        yield from _ask_whether_late(state, key, now, alarm)
    elif step.timeout is None:
        yield from _say_whether_late(state, key, now, alarm)


def _acts_since(state: RunState, key: TargetKey) -> float | None:
    """When an attempt began; connecting to its host is not its time (contract section 2)."""
    target = state.targets[key]
    here = not state.hosts[key]
    return target.intended_at if here and target.started_at is None else target.started_at


def _say_whether_late(
    state: RunState, key: TargetKey, now: float, alarm: WakeUp
) -> Iterator[w.Wish]:
    """Without a written limit nothing is ended; past p90 a person is told (contract section 2)."""
    estimate, since = state.plan.steps[key.step].step.estimate, _acts_since(state, key)
    if estimate is None or since is None or state.targets[key].late:
        return
    limit = float(estimate.late_after)
    if now >= since + limit:
        yield w.Record(ev.AttemptLate(**attempt_of(state, key), p90=limit))
    else:
        alarm.wake(since + limit)


def _ask_whether_late(
    state: RunState, key: TargetKey, now: float, alarm: WakeUp
) -> Iterator[w.Wish]:
    target, since = state.targets[key], _acts_since(state, key)
    timeout = state.plan.steps[key.step].step.timeout
    if since is None or timeout is None or target.unlimited:
        return
    if now < since + timeout:
        alarm.wake(since + timeout)
    elif target.gate is None and not target.to_end:
        yield w.OpenGate(key, "late")


def _ask(
    state: RunState, key: TargetKey, purpose: Purpose, room: Capacity, now: float, alarm: WakeUp
) -> Iterator[w.Wish]:
    target = state.targets[key]
    probes = asked_of(state, key, purpose)
    view = outlook(probes, {**target.progress, **_bypassed(probes, purpose, target.bypass, now)})
    if view.conclusion is not None:
        yield w.Record(_concluded(state, key, purpose, view.conclusion))
        return
    people = [index for index, _ in view.looks if probes[index].kind is ProbeKind.ASK]
    for index, at in view.looks:
        if index in people or Activity(key, purpose, index) in room.air:
            continue
        if now < at:
            alarm.wake(at)
        elif room.take(state.hosts[key]):
            yield w.Evaluate(key, purpose, index)
    if people and len(people) == len(view.looks):
        yield w.OpenGate(key, "ask", purpose, people[0])


def _concluded(state: RunState, key: TargetKey, purpose: Purpose, seen: Settled) -> ev.Event:
    if purpose is Purpose.UNDONE:
        return conclusion_of_undo(state, key, seen)
    return ev.ProbesConcluded(
        **attempt_of(state, key), purpose=purpose, verdict=seen.verdict, why=seen.why
    )


def _bypassed(
    probes: Sequence[Probe], purpose: Purpose, label: str, now: float
) -> dict[int, ProbeProgress]:
    """A guard that a person lets pass this once counts as seen to hold."""
    if not label or purpose is not Purpose.GUARD:
        return {}
    holds = ProbeProgress(Verdict.HOLDS, 0.0, now, 0.0, "bypassed by a person")
    return {index: holds for index, probe in enumerate(probes) if probe.label == label}


def _after_verdict(state: RunState, key: TargetKey) -> Iterator[w.Wish]:
    target = state.targets[key]
    step = state.plan.steps[key.step].step
    given_up = failed(state, key)
    cause, why = given_up.cause, given_up.why
    retried = cause in {str(each) for each in step.retry.on}
    again = not (state.aborted or target.undoing or target.judged is None or target.judged.final)
    if retried and target.verdicts < step.retry.attempts and again:
        yield w.PlanRetry(key, cause, why)
        return
    if target.undoing and cause == RetryCause.UNREACHABLE:
        yield w.Record(ev.NotRolledBack(step=key.step, target=key.target, why=why))
        return
    yield w.Record(given_up)
    failure = f"step {key} failed: {why}"
    match step.on_failure:
        case OnFailure.PAUSE:
            if not state.paused:
                yield w.Record(ev.RunPaused(why=failure, by="controller"))
        case OnFailure.ABORT:
            if not state.aborted:
                yield w.Record(ev.RunAborted(why=failure, by="controller"))
        case OnFailure.ROLLBACK:
            if not state.rolling_back and not state.paused:
                yield from _back(state, key, why)
        case OnFailure.STOP | OnFailure.CONTINUE:
            pass
        case _:
            assert_never(step.on_failure)


def _back(state: RunState, key: TargetKey, why: str) -> Iterator[w.Wish]:
    """Undo what has passed, unless there is no way back; then a person has to say."""
    past = points_of_no_return(state)
    if past:
        stuck = f"step {key} failed ({why}), and {past[-1]} cannot be taken back"
        yield w.Record(ev.RunPaused(why=stuck, by="controller"))
    elif to_undo(state):
        yield w.Record(roll_back_began(state, f"step {key} failed: {why}", "controller"))
