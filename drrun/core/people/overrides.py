"""What people change about steps: retry, skip, mark-done, rewind.

Rules:
- Whoever has claimed a step is named to everybody else who wants to change it.
- Nothing that runs is overridden behind its back: it is waited for, or the run is aborted.
"""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.status import Status
from drrun.core.people.commands import MarkDone, RetryRequest, Skip
from drrun.core.people.request import Asking, Denied, Granted, keys_of
from drrun.core.state.run_state import RunState
from drrun.core.state.target import TargetState

_SETTLED = frozenset({Status.PASSED, Status.SKIPPED, Status.ROLLED_BACK})
_BUSY = frozenset({Status.RUNNING, Status.VERIFYING})


def retry(asking: Asking, command: RetryRequest) -> Granted | Denied:
    """Try failed targets again, or those whose outcome is not known."""
    keys = keys_of(asking.state, command)
    if isinstance(keys, Denied):
        return keys
    if (held := _claimed_by_another(asking, keys[0].step)) is not None:
        return held
    state, why = asking.state, command.reason or f"by {asking.by}"
    bypass = command.bypass_guard
    if bypass and (wrong := _no_such_guard(asking, command, keys[0].step)):
        return wrong
    events: list[ev.Event] = []
    for key in keys:
        target = state.targets[key]
        if _may_be_tried(target, command):
            if command.only_failed and target.status is Status.CANCELLED:
                continue
            events.append(
                ev.TargetReopened(
                    step=key.step, target=key.target, by=asking.by, why=why, bypass=bypass
                )
            )
        elif target.gate is not None and target.gate.kind == "unknown":
            events.append(
                ev.RetryPlanned(
                    step=key.step,
                    target=key.target,
                    not_before=asking.now,
                    cause="person",
                    why=why,
                    by=asking.by,
                )
            )
    step = keys[0].step
    if not events:
        return _nothing_to_retry(state, step)
    return Granted([*events, *freed(state, step, asking.by)], f"trying {step} again")


def _nothing_to_retry(state: RunState, step: StepId) -> Granted | Denied:
    status = state.step(step)
    if status is Status.PENDING:
        return Granted([], f"{step} is open already, and begins as soon as it can")
    return Denied(f"step {step} is {status}: there is nothing to retry")


def _may_be_tried(target: TargetState, command: RetryRequest) -> bool:
    """Whether a target is opened again, or is open and this person wants it so too."""
    if target.status is Status.PENDING:
        return target.attempt > 0 or bool(command.bypass_guard)
    return target.status in (Status.FAILED, Status.CANCELLED, Status.REGRESSED)


def _no_such_guard(asking: Asking, command: RetryRequest, step: StepId) -> Denied | None:
    name = command.bypass_guard
    guards = [probe.label for probe in asking.state.plan.steps[step].step.guard]
    if name not in guards:
        return Denied(f"{step} has no guard {name!r}: {', '.join(guards) or 'it has none'}")
    if not command.reason:
        return Denied("bypassing a guard overrides the plan: say why with --reason")
    return None


def mark(asking: Asking, command: Skip | MarkDone, status: str) -> Granted | Denied:
    """Declare targets done, or not wanted."""
    keys = keys_of(asking.state, command)
    if isinstance(keys, Denied):
        return keys
    state, step = asking.state, keys[0].step
    if (held := _claimed_by_another(asking, step)) is not None:
        return held
    open_ = [key for key in keys if state.targets[key].status not in _SETTLED]
    busy = [key for key in open_ if _busy(state, key)]
    if busy:
        return Denied(f"{busy[0]} is {state.targets[busy[0]].status}: wait, or abort the run")
    if not open_:
        return Denied(f"step {step} is {state.step(step)} already")
    events: list[ev.Event] = [
        ev.TargetMarked(
            step=key.step, target=key.target, status=status, by=asking.by, why=command.reason
        )
        for key in open_
    ]
    return Granted([*events, *freed(state, step, asking.by)], f"{step} is marked {status}")


def _busy(state: RunState, key: TargetKey) -> bool:
    """Whether it runs; one whose host is not seen may be given up by a person (fault F57)."""
    target = state.targets[key]
    return target.status in _BUSY and target.missing_since is None


def rewind(asking: Asking, to: StepId, reason: str) -> Granted | Denied:
    """Go back to a step: it and everything behind it is done again."""
    if to not in asking.state.plan.steps:
        return Denied(f"there is no step {to!r} to go back to; `drrun status` lists them")
    again = [to, *behind(asking.state, to)]
    keys = [key for step in again for key in asking.state.keys(step)]
    # What is not seen may run all the same, and would be done again beside it.
    busy = [key for key in keys if asking.state.targets[key].status in _BUSY]
    if busy:
        return Denied(f"{busy[0]} runs: wait for it, then go back to {to}")
    why = reason or f"back to {to}, by {asking.by}"
    events = [
        ev.TargetReopened(step=key.step, target=key.target, by=asking.by, why=why, rewind=True)
        for key in keys
        if asking.state.targets[key].status is not Status.PENDING
    ]
    return Granted(events, f"going back to {to}: {', '.join(again)}")


def behind(state: RunState, step: StepId) -> list[StepId]:
    """Everything that needs a step, directly or not, in the plan's order."""
    waiting, seen = list(state.plan.dependents[step]), set[StepId]()
    while waiting:
        dependent = waiting.pop()
        if dependent not in seen:
            seen.add(dependent)
            waiting.extend(state.plan.dependents[dependent])
    return [each for each in state.plan.order if each in seen]


def freed(state: RunState, step: StepId, by: str) -> Iterator[ev.Event]:
    """Blocked steps behind `step` are open again; what still cannot begin is blocked anew."""
    for dependent in behind(state, step):
        for key in state.keys(dependent):
            if state.targets[key].status is Status.BLOCKED:
                yield ev.TargetReopened(
                    step=key.step,
                    target=key.target,
                    by=by,
                    why=f"{step}",
                    freed=True,
                    seek=state.targets[key].unaccounted,
                )


def _claimed_by_another(asking: Asking, step: StepId) -> Denied | None:
    claim = asking.state.circumstances.claims.get(step)
    if claim is None or claim.by == asking.by:
        return None
    return Denied(
        f"{claim.by} has {step}: talk to them, or take it over with: drrun claim RUN {step} "
        "--reason …"
    )
