"""What has to be done before a run is closed. Contract section 4, `close`."""

from collections.abc import Iterator

from drrun.cases.preflight import PreflightTools, age_of
from drrun.cases.read_run import ReadRun
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Mode
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.report.open_items import LooseEnd, loose_ends

#: Steps with one of these tags put away what a rehearsal has left.
CLEAN_UP = frozenset({"cleanup", "clean-up"})


def open_items(seen: ReadRun, eyes: PreflightTools, now: float) -> list[str]:
    """Everything that is open, in words. Ages of backups are measured."""
    if seen.loaded.plan.mode is not Mode.LIVE:
        return list(unclean(seen))
    return [*_workarounds(seen), *_waivers(seen), *_backups(seen, eyes, now)]


def unclean(seen: ReadRun) -> Iterator[str]:
    """Clean-up steps of a rehearsal that have not passed."""
    plan = seen.state.plan
    for step in plan.order:
        is_one = CLEAN_UP & set(plan.steps[step].step.tags)
        if is_one and not plan.steps[step].left_out and not seen.state.good(step):
            yield f"clean-up step {step} is {seen.state.step(step)}"


def _workarounds(seen: ReadRun) -> Iterator[str]:
    ends: list[LooseEnd] = [
        each for each in loose_ends(seen.state, seen.facts) if each.kind == "workaround"
    ]
    for each in ends:
        yield f"workaround of {each.step}: {each.text}"


def _restored(seen: ReadRun) -> dict[str, tuple[StepId, float]]:
    """Store -> the step that restored it last, and when that had passed."""
    found: dict[str, tuple[StepId, float]] = {}
    state = seen.state
    for step in state.plan.order:
        if state.step(step) is Status.PASSED:
            for name in state.plan.steps[step].step.restores:
                at = state.settled_at.get(step, 0.0)
                if name not in found or at > found[name][1]:
                    found[name] = step, at
    return found


def _waivers(seen: ReadRun) -> Iterator[str]:
    stores = seen.loaded.plan.inventory.stores
    for name in _restored(seen):
        waiver = stores[name].waiver if name in stores else None
        if waiver is not None:
            yield f"waiver of store {name}: {waiver.get('reason', '')}"


def _backups(seen: ReadRun, eyes: PreflightTools, now: float) -> Iterator[str]:
    plan = seen.loaded.plan
    for name, (step, at) in _restored(seen).items():
        store = plan.inventory.stores.get(name)
        since = now - at
        ages = [age_of(plan, backup, eyes) for backup in store.backups] if store else []
        measured = [age for age in ages if isinstance(age, Duration)]
        if any(age <= since for age in measured):
            continue
        if measured:
            why = f"its newest backup is {min(measured)} old"
        else:
            why = next((str(age) for age in ages), "none is known")
        yield f"store {name}: no backup since {step} restored it ({why})"
