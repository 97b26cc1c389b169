"""How a run ends, and what keeps it from having simply succeeded. Pure.

Rules:
- A run has succeeded when every step has passed by its own verification, or was not applicable by
  its `when`, mode or variant, or was superseded, and every service is at the level that the
  runbook raises it to.
- What is not so is an exception. It is named with its reason, and with whoever decided it.
- Some exceptions are named and do not change the ending, because the author, or the person who
  began the run, decided them beforehand: a step without any `verify`, and steps outside of what
  `--only`, `--from` or `--limit` chose.
- A step that failed makes the run `failed`, whatever else is true of it.
"""

from collections.abc import Iterator
from enum import StrEnum

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.actions import changes
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.plan import NAMED_BY_SKIP
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.runbook import Level, Mode, StandIn
from drrun.core.model.status import RunStatus, Status
from drrun.core.rules.dry_run import doubtful
from drrun.core.rules.probe_lists import asked_of, own_undo_verify
from drrun.core.rules.superseding import is_superseded
from drrun.core.rules.undoing import left_standing, undo_broke_off
from drrun.core.state.run_state import RunState

_LEVELS = tuple(Level)


class ExceptionKind(StrEnum):
    """In which way something is not as the runbook says."""

    SKIPPED = "skipped"
    MARKED_DONE = "marked done"
    BYPASSED = "guard bypassed"
    UNVERIFIED = "not verified"
    FAILED = "failed"
    #: In a dry-run: it would fail now, but steps before it would first change what it sees.
    DOUBTFUL = "doubtful"
    SERVICE = "service"
    NOT_ROLLED_BACK = "not rolled back"
    UNDONE_UNVERIFIED = "undone, not verified"
    UNDO_FAILED = "undo failed"
    MARKED_UNDONE = "marked undone"
    INVARIANT = "invariant"


@dataclass(frozen=True, slots=True)
class RunException:
    """One thing that is not as the runbook says."""

    kind: ExceptionKind
    #: `step`, `step@target`, or the name of a service or invariant.
    about: str
    why: str = ""
    #: Who decided it; "" where nobody did.
    by: str = ""
    #: The step, "" for a service or invariant.
    step: str = ""
    #: Whether the run has not simply succeeded because of it.
    decisive: bool = True


def ending_of(state: RunState) -> RunStatus:
    """The status with which a run ends that has nothing left to do."""
    if state.aborted:
        return RunStatus.ABORTED
    if state.rolling_back:
        if any(map(undo_broke_off, state.targets.values())):
            return RunStatus.FAILED
        plain = not any(each.decisive for each in exceptions_of(state))
        return RunStatus.ROLLED_BACK if plain else RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
    if any(state.step(step) not in (Status.PASSED, Status.SKIPPED) for step in state.plan.order):
        return RunStatus.FAILED
    plain = not any(each.decisive for each in exceptions_of(state))
    return RunStatus.SUCCEEDED if plain else RunStatus.SUCCEEDED_WITH_EXCEPTIONS


def exceptions_of(state: RunState) -> Iterator[RunException]:
    """All that is not as the runbook says: steps in the plan's order, then services."""
    if state.plan.mode is Mode.DRY_RUN:
        yield from _seen_in_dry_run(state)
        return
    if state.rolling_back:
        yield from _of_rollback(state)
        return
    for step in state.plan.order:
        for key in state.keys(step):
            yield from _of_target(state, key)
        for target in state.plan.steps[step].without:
            left = TargetKey(step, target)
            by = state.circumstances.driver
            yield _named_only(left, ExceptionKind.SKIPPED, "not in --limit", by)
    yield from _services(state)
    for index, seen in sorted(state.invariants.items()):
        if seen.verdict == Verdict.DOES_NOT_HOLD:
            name = state.plan.runbook.invariants[index].name or seen.name
            yield RunException(ExceptionKind.INVARIANT, name, seen.why)


def _of_rollback(state: RunState) -> Iterator[RunException]:
    for key, why in left_standing(state):
        yield _about(key, ExceptionKind.NOT_ROLLED_BACK, why)
    for key, why in state.undone_unverified.items():
        if state.targets[key].status is Status.ROLLED_BACK:
            asked = own_undo_verify(state.plan.steps[key.step].step) or asked_of(
                state, key, Purpose.UNDONE
            )
            told = _about if asked else _named_only
            yield told(key, ExceptionKind.UNDONE_UNVERIFIED, why)
    for key, target in state.targets.items():
        if undo_broke_off(target):
            yield _about(key, ExceptionKind.UNDO_FAILED, target.note)
        word = state.words.get(key)
        marked = isinstance(word, ev.TargetMarked) and word.status == Status.ROLLED_BACK
        if word is not None and marked and target.status is Status.ROLLED_BACK:
            yield _about(key, ExceptionKind.MARKED_UNDONE, _reason(word), word.by)


def _seen_in_dry_run(state: RunState) -> Iterator[RunException]:
    """What a dry-run saw fail, or could not tell; that nothing was done is no exception."""
    for key, target in state.targets.items():
        if target.status is Status.FAILED:
            yield _about(key, ExceptionKind.FAILED, target.note)
        elif target.status is Status.SKIPPED and target.judged is not None and doubtful(target):
            yield _about(key, ExceptionKind.DOUBTFUL, target.judged.why)


def _of_target(state: RunState, key: TargetKey) -> Iterator[RunException]:
    target = state.targets[key]
    if target.status is Status.FAILED:
        yield _about(key, ExceptionKind.FAILED, target.note)
    elif target.status is Status.SKIPPED and (
        key in state.words or not _not_applicable(state, key.step)
    ):
        yield _skipped(state, key)
    elif target.status is Status.PASSED:
        yield from _passed(state, key)


def _passed(state: RunState, key: TargetKey) -> Iterator[RunException]:
    target = state.targets[key]
    bypass = state.bypasses.get(key)
    if bypass is not None and target.bypass:
        why = f"{bypass.bypass}: {bypass.why}"
        yield _about(key, ExceptionKind.BYPASSED, why, bypass.by)
    word = state.words.get(key)
    if word is not None:
        yield _about(key, ExceptionKind.MARKED_DONE, _reason(word), word.by)
    elif not target.already and _unverified(state, key):
        yield _named_only(key, ExceptionKind.UNVERIFIED, "no verify")


def _about(key: TargetKey, kind: ExceptionKind, why: str, by: str = "") -> RunException:
    return RunException(kind, str(key), why, by, key.step)


def _named_only(key: TargetKey, kind: ExceptionKind, why: str, by: str = "") -> RunException:
    return RunException(kind, str(key), why, by, key.step, decisive=False)


def _not_applicable(state: RunState, step: StepId) -> bool:
    """Whether the runbook itself says that a step is not to be executed."""
    planned = state.plan.steps[step]
    if planned.left_out:
        return not planned.by_choice
    if is_superseded(state, step):
        return True
    return not state.conditions.get(step, True)


def _is_needless(state: RunState, step: StepId) -> bool:
    """Whether another step did what this one was for, and this one did not."""
    return is_superseded(state, step) and state.step(step) is Status.SKIPPED


def _skipped(state: RunState, key: TargetKey) -> RunException:
    word = state.words.get(key)
    if word is not None:
        return _about(key, ExceptionKind.SKIPPED, _reason(word), word.by)
    planned, note = state.plan.steps[key.step], state.targets[key].note
    if planned.by_choice and planned.left_out != NAMED_BY_SKIP:
        return _named_only(key, ExceptionKind.SKIPPED, note, state.circumstances.driver)
    by = state.circumstances.driver if planned.by_choice else ""
    return _about(key, ExceptionKind.SKIPPED, note, by)


def _reason(word: ev.TargetMarked | ev.GateAnswered) -> str:
    match word:
        case ev.TargetMarked():
            return word.why
        case ev.GateAnswered():
            return word.reason


def _unverified(state: RunState, key: TargetKey) -> bool:
    """Whether something was changed that nothing looks at afterwards, and nobody accepts that."""
    step = state.plan.steps[key.step].step
    action, verify = step.action, step.verify
    if key in state.in_lost_form and isinstance(step.when_lost, StandIn):
        action, verify = step.when_lost.action, step.when_lost.verify
    return changes(action) and not verify and not state.plan.runbook.waives(UNVERIFIED, step.id)


def _services(state: RunState) -> Iterator[RunException]:
    """Services that are below the best level to which a step of the plan raises them."""
    raising: dict[str, list[tuple[Level, StepId]]] = {}
    for step in state.plan.order:
        planned = state.plan.steps[step]
        if (not planned.left_out or planned.by_choice) and not _is_needless(state, step):
            for name, level in planned.step.raises.items():
                raising.setdefault(name, []).append((level, step))
    for name, raises in raising.items():
        best = max((level for level, _ in raises), key=_LEVELS.index)
        reached = [
            (state.settled_at[step], level)
            for level, step in raises
            if state.step(step) is Status.PASSED
        ]
        if all(level is not best for _, level in reached):
            now = max(reached)[1] if reached else "down"
            yield RunException(ExceptionKind.SERVICE, name, f"it is {now}, not {best}")


#: The rule of validation that a step without `verify` does not meet.
UNVERIFIED = "missing-verify"
