"""What is different in a dry-run: hosts are read, actions are shown and not done. Pure.

Rules (contract guarantee 11):
- Guards, `done_when`, `fact`, `rsync -n` and written `dry_run` actions are executed: they only
  read.
- A check that does not hold is tolerated where steps before would first change what it sees, and
  the record says which. A person's word alone changes nothing. An unreachable host is never
  tolerated, so every host that a step acts on is reached.
- Nobody is asked and nothing is waited for.
"""

from collections.abc import Mapping
from dataclasses import replace

from drrun.core.model.actions import DecisionAction, ManualAction, UsesAction
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.plan import PlannedStep
from drrun.core.model.probes import Probe, ProbeKind
from drrun.core.model.runbook import Mode, Step
from drrun.core.state.run_state import RunState
from drrun.core.state.target import TargetState

#: The guard that every step on a host has in a dry-run.
REACHED = "the host is reached"
#: Named actions that a dry-run executes: all but `fact` then only show what they would change.
_READING = frozenset({"fact", "rsync", "copy", "template", "dns.update"})


def looks_only(step: Step) -> bool:
    """Whether a dry-run executes the step's action, or what it has in its place."""
    return step.dry_run is not None or _named(step) in _READING


def done_with(state: RunState, key: TargetKey) -> bool:
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
    unreached = target.judged.cause == "unreachable" or REACHED in target.judged.why
    return not unreached and _changes_come_first(state, key)


def doubtful(target: TargetState) -> bool:
    """Whether something was seen to fail, or could not be told, and is tolerated.

    A guard that does not hold is none of that: what comes before it is there to make it hold.
    """
    judged = target.judged
    return judged is not None and (judged.cause != "guard" or judged.doubt)


def toleration(target: TargetState) -> str:
    """What was tolerated, for people."""
    if target.judged is None:
        return ""
    if doubtful(target):
        return f"would fail now ({target.judged.cause}): {target.judged.why}"
    return f"does not hold yet: {target.judged.why}"


def _named(step: Step) -> str:
    return step.action.name if isinstance(step.action, UsesAction) else ""


def _changes_come_first(state: RunState, key: TargetKey) -> bool:
    """Whether anything that the step needs, near or far, would act in a live run."""
    seen, behind = set(), [key.step]
    while behind:
        for need in state.plan.steps[behind.pop()].step.needs:
            for step in need.any_of:
                if step in state.shown and _changes(state.plan.steps[step].step):
                    return True
                if step not in seen:
                    seen.add(step)
                    behind.append(step)
    return False


def _changes(step: Step) -> bool:
    """Whether a step would leave anything different; a word of a person that nobody checks not."""
    return not isinstance(step.action, ManualAction | DecisionAction) or bool(step.verify)


def reaching(steps: Mapping[StepId, PlannedStep]) -> dict[StepId, PlannedStep]:
    """Steps as a dry-run has them: each that acts on a host sees first whether it is reached."""
    look = Probe(kind=ProbeKind.RUN, ask={"text": "true"}, name=REACHED)
    found = dict(steps)
    for name, planned in steps.items():
        if not planned.left_out and any(target.host for target in planned.targets):
            step = replace(planned.step, guard=(look, *planned.step.guard))
            found[name] = replace(planned, step=step)
    return found
