"""How long steps really took, in runs that were no simulation.

Rules:
- Only steps that acted and passed count: what was found done already, or declared done by a
  person, says nothing about the work.
- The last attempt of a target counts, from when it acted: not the failures before it, not the
  wait for an approval. What a dead controller lengthened does not count.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from drrun.cases.experience import is_experience
from drrun.cases.load_plan import LoadedPlan, with_estimates
from drrun.cases.read_run import ReadRun, known
from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.engine.records import Records
from drrun.ports.journal import RunRecord

#: The last runs of a runbook that are looked at.
MOST = 20
#: From so many runs on a bad case can be told from the usual one.
ENOUGH = 3
#: Nobody is told that a step is late before it took so much longer than it was measured to take.
_SLACK, _MINUTE = 1.5, 60.0


def took(seen: ReadRun) -> dict[StepId, float]:
    """Step -> seconds that it acted and was verified, in one run."""
    begun, unfit, tries = _begun(seen)
    taken = [fact.at for fact in seen.facts if isinstance(fact.event, ev.ControllerTook)]
    found: dict[StepId, float] = {}
    state = seen.state
    for step in state.plan.order:
        keys = list(state.keys(step))
        already = all(state.targets[key].already for key in keys)
        if already or state.step(step) is not Status.PASSED:
            continue
        spans = [(begun[key], state.targets[key].since or 0.0) for key in keys if key in begun]
        gaps = any(since < at < until for since, until in spans for at in taken)
        if not spans or gaps or unfit.intersection(keys):
            continue
        if all(tries[key] == 1 for key in keys if key in begun):
            # One wave after another counts in full.
            found[step] = max(0.0, max(each[1] for each in spans) - min(each[0] for each in spans))
        else:
            found[step] = max(0.0, *(until - since for since, until in spans))
    return found


def _begun(seen: ReadRun) -> tuple[dict[TargetKey, float], set[TargetKey], Counter[TargetKey]]:
    """When each target's last attempt began to act; who was declared done; how many attempts."""
    begun: dict[TargetKey, float] = {}
    marked: set[TargetKey] = set()
    tries: Counter[TargetKey] = Counter()
    for fact in seen.facts:
        event = fact.event
        if isinstance(event, ev.TargetBegan):
            begun[event.key] = fact.at
            tries[event.key] += 1
        elif isinstance(event, ev.AttemptIntended):
            # Whoever had to approve it first is no part of the work.
            begun[event.key] = fact.at
        elif isinstance(event, ev.TargetMarked):
            marked.add(event.key)
    return begun, marked, tries


def measured(records: Records, runbook: str, but: str = "") -> dict[StepId, tuple[float, ...]]:
    """Step -> what it took in the last runs of a runbook, the newest first."""
    found: dict[StepId, tuple[float, ...]] = {}
    for run in _runs(records, runbook, but):
        for step, seconds in took(known(records, run.id)).items():
            found[step] = (*found.get(step, ()), seconds)
    return found


def _runs(records: Records, runbook: str, but: str) -> Sequence[RunRecord]:
    mine = (each for each in records.journal.runs() if each.runbook == runbook and each.id != but)
    return list(islice((each for each in mine if is_experience(records, each)), MOST))


def estimate_of(values: Sequence[float]) -> tuple[Duration, Duration]:
    """The middle, and the bad case: the 90th percentile, where there are enough values."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    bad = ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]
    return Duration(middle), Duration(bad if len(ordered) >= ENOUGH else middle)


def with_learned(records: Records, loaded: LoadedPlan) -> LoadedPlan:
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
