"""How long steps really took, in runs that were no simulation.

Rules:
- Only steps that acted and passed count: what was found done already says nothing about the work.
"""

from collections.abc import Sequence
from dataclasses import replace

from drrun.core.ids import StepId
from drrun.core.status import Status
from drrun.core.values import Duration
from drrun.engine.cases.load import Loaded, with_estimates
from drrun.engine.cases.look import Known, known
from drrun.engine.cases.readiness import PROVING
from drrun.engine.ports import RunRecord
from drrun.engine.records import Records
from drrun.report.forecast import begun_at

#: The last runs of a runbook that are looked at.
MOST = 20
#: From so many runs on a bad case can be told from the usual one.
ENOUGH = 3
#: Nobody is told that a step is late before it took so much longer than it was measured to take.
_SLACK, _MINUTE = 1.5, 60.0


def took(seen: Known) -> dict[StepId, float]:
    """Step -> seconds from its begin to its end, in one run."""
    state = seen.state
    found: dict[StepId, float] = {}
    for step in state.plan.order:
        began, ended = begun_at(state, step), state.settled_at.get(step)
        already = all(state.targets[key].already for key in state.keys(step))
        if state.step(step) is Status.PASSED and not already and began is not None and ended:
            found[step] = max(0.0, ended - began)
    return found


def measured(records: Records, runbook: str, but: str = "") -> dict[StepId, tuple[float, ...]]:
    """Step -> what it took in the last runs of a runbook, the newest first."""
    found: dict[StepId, tuple[float, ...]] = {}
    for run in _runs(records, runbook, but):
        for step, seconds in took(known(records, run.id)).items():
            found[step] = (*found.get(step, ()), seconds)
    return found


def _runs(records: Records, runbook: str, but: str) -> Sequence[RunRecord]:
    return [
        each
        for each in records.journal.runs()
        if each.runbook == runbook and each.mode in PROVING and each.id != but
    ][:MOST]


def estimate_of(values: Sequence[float]) -> tuple[Duration, Duration]:
    """The middle, and the bad case: the 90th percentile, where there are enough values."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    bad = ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]
    return Duration(middle), Duration(bad if len(ordered) >= ENOUGH else middle)


def with_learned(records: Records, loaded: Loaded) -> Loaded:
    """A plan whose steps without an estimate have one from earlier runs, if there were any."""
    plan = loaded.plan
    lacking = [step for step, each in plan.steps.items() if each.step.estimate is None]
    if not lacking or not _runs(records, plan.runbook.name, ""):
        return loaded
    known_of = measured(records, plan.runbook.name)
    learned: dict[StepId, tuple[float, float, str]] = {}
    for step in lacking:
        if step in known_of:
            middle, bad = estimate_of(known_of[step])
            late = max(float(bad), middle * _SLACK, middle + _MINUTE)
            learned[step] = float(middle), late, _source(known_of[step])
    if not learned:
        return loaded
    made = with_estimates(loaded.documents, learned)
    return replace(made, warnings=loaded.warnings)


def _source(values: Sequence[float]) -> str:
    return f"{len(values)} run{'s' if len(values) > 1 else ''}"
