"""What is different in a dry-run: hosts are read, actions are shown and not done. Pure.

Rules (SPEC guarantee 11):
- Guards, `done_when`, `fact`, `rsync -n` and written `dry_run` actions are executed: they only
  read.
- A check that does not hold is tolerated where steps before would first change what it sees, and
  the record says which. An unreachable host is never tolerated.
- Nobody is asked and nothing is waited for.
"""

from drrun.core.actions import UsesAction
from drrun.core.runbook import Mode, Step
from drrun.core.state import Key, RunState
from drrun.core.target import TargetState

#: Named actions that a dry-run executes: `rsync` then shows what it would change.
_READING = frozenset({"fact", "rsync"})


def looks_only(step: Step) -> bool:
    """Whether a dry-run executes the step's action, or what it has in its place."""
    return step.dry_run is not None or _named(step) in _READING


def done_with(state: RunState, key: Key) -> bool:
    """Whether a dry-run has seen all that it can see of a target.

    What went well was not the action itself, so verifying makes no sense. And what does not hold
    is no fault where a live run would change things before.
    """
    target = state.targets[key]
    if state.plan.mode is not Mode.DRY_RUN:
        return False
    if target.judged is None:
        return _named(state.plan.steps[key.step].step) != "fact"
    if target.judged.cause == "done_when":
        return True
    return target.judged.cause != "unreachable" and _changes_come_first(state, key)


def toleration(target: TargetState) -> str:
    """What was tolerated, for people."""
    if target.judged is None:
        return "only looked at: it went well"
    return f"{target.judged.cause}, before any change was made: {target.judged.why}"


def _named(step: Step) -> str:
    return step.action.name if isinstance(step.action, UsesAction) else ""


def _changes_come_first(state: RunState, key: Key) -> bool:
    """Whether anything that the step needs, near or far, would act in a live run."""
    seen, behind = set(), [key.step]
    while behind:
        for need in state.plan.steps[behind.pop()].step.needs:
            for step in need.any_of:
                if step in state.shown:
                    return True
                if step not in seen:
                    seen.add(step)
                    behind.append(step)
    return False
