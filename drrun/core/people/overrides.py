"""What people change about steps: retry, skip, mark-done, rewind.

Rules:
- Whoever has claimed a step is named to everybody else who wants to change it.
- In a run that is rolled back no step is done any more. `mark-done` of an undo that failed means
  that a person undid it by hand.
- Nothing that runs is overridden behind its back: it is waited for, or the run is aborted.
"""

from collections.abc import Sequence

from drrun.core import events as ev
from drrun.core.model.ids import LOCAL, StepId, TargetKey
from drrun.core.model.plan import hosts_matching
from drrun.core.model.status import Status
from drrun.core.nearest import did_you_mean
from drrun.core.people.commands import MarkDone, RetryRequest, Skip
from drrun.core.people.request import Asking, Denied, Granted, keys_of
from drrun.core.rules.freeing import behind, freed
from drrun.core.rules.undoing import to_undo, undo_broke_off
from drrun.core.state.run_state import RunState

_SETTLED = frozenset({Status.PASSED, Status.SKIPPED, Status.ROLLED_BACK})
_FAILED = frozenset({Status.FAILED, Status.CANCELLED, Status.REGRESSED})
_BUSY = frozenset({Status.RUNNING, Status.VERIFYING})


def retry(asking: Asking, command: RetryRequest) -> Granted | Denied:
    """Try failed targets again, or those whose outcome is not known."""
    keys = _meant(asking, command)
    if isinstance(keys, Denied):
        return keys
    steps = list(dict.fromkeys(key.step for key in keys))
    if held := next(filter(None, (_claimed_by_another(asking, each) for each in steps)), None):
        return held
    state, why = asking.state, command.reason or f"by {asking.by}"
    bypass = command.bypass_guard
    if bypass and (wrong := _no_such_guard(asking, command, keys[0].step)):
        return wrong
    events: list[ev.Event] = []
    for key in keys:
        target = state.targets[key]
        if _may_be_tried(asking, key, command):
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
    if not events:
        return _nothing_to_retry(state, keys[0].step)
    behind_them = dict.fromkeys(event for each in steps for event in freed(state, each, asking.by))
    where = f" on {command.on}" if command.on else ""
    return Granted([*events, *behind_them], f"trying {', '.join(steps)} again{where}")


def _meant(asking: Asking, command: RetryRequest) -> list[TargetKey] | Denied:
    """The targets that are meant: of a step, on hosts, or of a step on hosts."""
    state = asking.state
    if command.step or not command.on:
        found = keys_of(state, command)
        if isinstance(found, Denied):
            return found
        if not command.on:
            return _taken_back(state, found) or found
    else:
        steps = state.plan.order
        found = [key for step in steps for key in state.keys(step)
                 if state.targets[key].status in _FAILED]  # fmt: skip
    hosts, unmatched = hosts_matching([command.on], state.plan.inventory)
    if unmatched:
        hint = did_you_mean(command.on, state.plan.inventory.hosts)
        return Denied(f"no host, group or site matches {command.on!r}{hint}")
    there = [key for key in found if _host(state, key) in hosts]
    if not there:
        return Denied(f"nothing on {command.on} can be tried again")
    return _taken_back(state, there) or there


def _host(state: RunState, key: TargetKey) -> str:
    host = state.acts_on[key].host
    return host.name if host else LOCAL


def _nothing_to_retry(state: RunState, step: StepId) -> Granted | Denied:
    status = state.step(step)
    if status is Status.PENDING:
        return Granted([], f"{step} is open again already")
    return Denied(f"step {step} is {status}: there is nothing to retry")


def _may_be_tried(asking: Asking, key: TargetKey, command: RetryRequest) -> bool:
    """Whether a target is opened again, or is open and this person wants it so too."""
    target, state = asking.state.targets[key], asking.state
    if target.status is Status.PENDING:
        again = target.attempt > 0 and state.reopened_by.get(key) != asking.by
        return again or bool(command.bypass_guard)
    return target.status in _FAILED


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
    if isinstance(command, MarkDone) and (undos := _undos_in_doubt(state, keys)):
        return _undone_by_hand(asking, command, undos)
    if (wrong := _taken_back(state, keys)) is not None:
        return wrong
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


def _undos_in_doubt(state: RunState, keys: Sequence[TargetKey]) -> list[TargetKey]:
    """Targets whose undo was given up, or may not have worked."""
    targets = [(key, state.targets[key]) for key in keys]
    return [
        key
        for key, each in targets
        if undo_broke_off(each) or (each.undoing and each.status is Status.UNKNOWN)
    ]


def _undone_by_hand(asking: Asking, command: MarkDone, keys: Sequence[TargetKey]) -> Granted:
    events = [
        ev.TargetMarked(
            step=key.step,
            target=key.target,
            status="rolled-back",
            by=asking.by,
            why=command.reason,
        )
        for key in keys
    ]
    return Granted(events, f"{keys[0].step} is marked as undone by hand")


def _taken_back(state: RunState, keys: Sequence[TargetKey]) -> Denied | None:
    """Why nothing is done about a step of a run that is rolled back, and what helps."""
    if not state.rolling_back or any(state.targets[key].active for key in keys):
        return None
    step = keys[0].step
    if _undos_in_doubt(state, keys):
        return Denied(
            f"the undo of {step} failed. To try it again: drrun rollback RUN. "
            f"If you undid it by hand: drrun mark-done RUN {step} --reason …"
        )
    left = "; to undo what is left: drrun rollback RUN" if to_undo(state) else ""
    return Denied(f"the run is rolled back, and no step is done in it any more{left}")


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


def _claimed_by_another(asking: Asking, step: StepId) -> Denied | None:
    claim = asking.state.circumstances.claims.get(step)
    if claim is None or claim.by == asking.by:
        return None
    return Denied(
        f"{claim.by} has {step}: talk to them, or take it over with: drrun claim RUN {step} "
        "--reason …"
    )
