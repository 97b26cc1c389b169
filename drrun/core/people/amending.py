"""Changes to the plan of a run: steps are added, or corrected and done again.

Rules:
- What passed or is being executed is never rewritten. Everything else may be, in every state of
  a run: what failed, waits, is blocked or has not begun.
- A corrected step begins anew. Its earlier attempts stay in the record, under the earlier text.
- What a correction frees is open again at once.
- The whole graph is judged before anything is changed; all that is wrong with it is told.
"""

from collections.abc import Iterable, Iterator, Sequence

from drrun.core import events as ev
from drrun.core.model.errors import InputError
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.plan import Plan
from drrun.core.model.revision import Revision, revision
from drrun.core.model.status import FINAL, SUCCESS, Phase, RunStatus, Status
from drrun.core.people.commands import Amend
from drrun.core.people.request import Asking, Denied, Granted
from drrun.core.rules.undoing import to_undo
from drrun.core.state.run_state import RunState
from drrun.core.state.target import given_up

#: Runs in which nothing can be corrected any more.
_OVER = SUCCESS | {RunStatus.ROLLED_BACK, RunStatus.ROLLED_BACK_WITH_EXCEPTIONS}


def amend(asking: Asking, command: Amend) -> Granted | Denied:
    """Add or change steps by a text."""
    event = ev.PlanAmended(
        path=command.path,
        text=command.text,
        by=asking.by,
        why=command.reason,
        added=(),
        changed=(),
        files=command.files,
    )
    return amended(asking, event, revised(asking.state, event))


def amended(
    asking: Asking, event: ev.PlanAmended, found: tuple[Plan, Revision] | Denied
) -> Granted | Denied:
    """What follows from an amendment, given what `revised` says of it."""
    if isinstance(found, Denied):
        return found
    plan, differs = found
    if not differs and not event.files:
        return Granted([], "it changes nothing")
    done = ev.PlanAmended(
        path=event.path,
        text=event.text,
        by=event.by,
        why=event.why,
        added=differs.added,
        changed=differs.changed,
        reworded=differs.reworded,
        files=event.files,
    )
    again = list(_reopened(asking, differs.changed))
    freed = list(_freed(asking, plan, differs))
    return Granted([*again, done, *freed], _said(asking.state, differs, freed))


def revised(state: RunState, event: ev.PlanAmended) -> tuple[Plan, Revision] | Denied:
    """The plan after an amendment, and what differs; or why it cannot be amended so."""
    if state.ended in _OVER:
        return Denied(f"the run is {state.ended}: nothing is left to do in it{_way_back(state)}")
    if state.rolling_back or (state.aborted and state.ended is None):
        how = "rolled back" if state.rolling_back else "aborted"
        return Denied(f"the run is being {how}: nothing new begins in it{_way_back(state)}")
    if state.replan is None:
        return Denied("this run cannot be amended")
    try:
        plan = state.replan((*state.amendments, event))
    except InputError as error:
        return Denied(f"nothing was amended:\n{error}")
    differs = revision(state.plan, plan)
    wrong = [*_cannot_be_changed(state, plan, differs.changed), *_cannot_go(differs.removed)]
    if wrong:
        return Denied("\n".join(("nothing was amended:", *(f"  {each}" for each in wrong))))
    return plan, differs


def _way_back(state: RunState) -> str:
    left = state.rolling_back and state.ended is not None and to_undo(state)
    return "; to undo what is left: drrun rollback RUN" if left else ""


def cannot_be_rewritten(state: RunState, step: StepId) -> str:
    """Why a step cannot be corrected as it stands, with the way out; "" if it can."""
    return next(_cannot_be_changed(state, state.plan, [step]), "")


def _cannot_be_changed(state: RunState, plan: Plan, steps: Iterable[StepId]) -> Iterator[str]:
    """What stands against a correction, a sentence for each step with the way out."""
    for step in steps:
        for key in state.keys(step):
            if why := _in_the_way(state, plan, key):
                yield why
                break


def _in_the_way(state: RunState, plan: Plan, key: TargetKey) -> str:
    target, step = state.targets[key], key.step
    match target.status:
        case Status.BLOCKED if target.unaccounted:
            return (
                f"{key} acted on a host that was declared lost, and its outcome is not known. "
                f"Look first: drrun found RUN HOST, or say that it is done: "
                f"drrun mark-done RUN {step} --reason …"
            )
        case Status.PENDING | Status.FAILED | Status.BLOCKED | Status.CANCELLED | Status.REGRESSED:
            return ""
        case Status.WAITING if target.phase is not Phase.VERIFY:
            return ""
        case Status.RUNNING if given_up(target):
            return ""
        case Status.PASSED | Status.ROLLED_BACK:
            return (
                f"{key} has {_PAST[target.status]}, and what was done is not rewritten. Leave "
                f"{step} as it was; put what is missing into a new step"
            )
        case Status.SKIPPED:
            if state.conditions.get(step) is False and not _begun_behind(state, plan, step):
                return ""
            return (
                f"{key} is skipped, and the run continued without it. Leave {step} as it was; put "
                "what is missing into a new step"
            )
        case Status.RUNNING | Status.VERIFYING:
            return f"{key} is being executed. Wait until it ends; if it fails, correct it then"
        case Status.WAITING | Status.UNKNOWN:
            return (
                f"{key} has acted, and nobody knows yet whether it worked. Say it first: drrun "
                f"confirm RUN {step}, or drrun reject RUN {step}"
            )


_PAST = {Status.PASSED: "passed", Status.ROLLED_BACK: "been rolled back"}


def _begun_behind(state: RunState, plan: Plan, step: StepId) -> bool:
    keys = (key for each in _behind(plan, [step]) if each in state.plan.steps
            for key in state.keys(each))  # fmt: skip
    return any(
        state.targets[key].begun or state.targets[key].status in (Status.PASSED, Status.SKIPPED)
        for key in keys
    )


def _cannot_go(steps: Iterable[StepId]) -> Iterator[str]:
    for step in steps:
        yield (
            f"{step} is in the run and not in the file. A step cannot be taken out or renamed: "
            f"keep it, or leave it out with: drrun skip RUN {step} --reason …"
        )


def _reopened(asking: Asking, steps: Iterable[StepId]) -> Iterator[ev.TargetReopened]:
    """Targets of corrected steps that stood somewhere are to be begun anew."""
    for step in steps:
        for key in asking.state.keys(step):
            if asking.state.targets[key].status is not Status.PENDING:
                yield ev.TargetReopened(
                    step=step, target=key.target, by=asking.by, why="corrected", amended=True
                )


def _freed(asking: Asking, plan: Plan, differs: Revision) -> Iterator[ev.TargetReopened]:
    """Blocked steps behind corrected ones are open again; what still cannot begin is not."""
    state = asking.state
    again = set(differs.changed)
    for step in _behind(plan, differs.changed):
        needs = plan.steps[step].step.needs
        if step in again or step not in state.plan.steps:
            continue
        if any(all(_doomed(state, each, again) for each in need.any_of) for need in needs):
            continue
        for key in state.keys(step):
            if state.targets[key].status is Status.BLOCKED and not _is_lost(state, key):
                again.add(step)
                yield ev.TargetReopened(
                    step=step,
                    target=key.target,
                    by=asking.by,
                    why="what it needs was corrected",
                    freed=True,
                )


def _doomed(state: RunState, step: StepId, again: set[StepId]) -> bool:
    """Whether a step will not let go on what needs it; one that is done again may."""
    if step in again or step not in state.plan.steps or state.good(step):
        return False
    return state.step(step) in FINAL and state.step(step) is not Status.REGRESSED


def _is_lost(state: RunState, key: TargetKey) -> bool:
    host = state.acts_on[key].host
    return host is not None and host.name in state.circumstances.lost_hosts


def _behind(plan: Plan, steps: Sequence[StepId]) -> Iterator[StepId]:
    """Everything that needs one of these steps, near or far, in the plan's order."""
    seen = set(steps)
    for step in plan.order:
        needed = (each for need in plan.steps[step].step.needs for each in need.any_of)
        if step not in seen and not seen.isdisjoint(needed):
            seen.add(step)
            yield step


def _said(state: RunState, differs: Revision, freed: Sequence[ev.TargetReopened]) -> str:
    again = tuple(dict.fromkeys(event.step for event in freed))
    parts = [
        f"{what} {', '.join(steps)}"
        for what, steps in (
            ("added", differs.added),
            ("changed", differs.changed),
            ("only words or estimates changed:", differs.reworded),
            ("open again:", again),
        )
        if steps
    ]
    if not parts:
        parts = ["the files count as they are now"]
    if state.paused and state.ended is None:
        parts.append("the run is paused: drrun unpause RUN")
    return "; ".join(parts)
