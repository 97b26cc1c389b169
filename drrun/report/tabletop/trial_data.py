"""Simulations as JSON. Seconds."""

from typing import Any

from drrun.core.model.plan import Plan
from drrun.report.jsondoc import document
from drrun.report.tabletop.trials import Spread, Summary, Trial


def trial_json(plan: Plan, one: Trial) -> dict[str, Any]:
    """One trial."""
    return document(
        "simulation",
        runbook=plan.runbook.name,
        mode="tabletop",
        status=one.status,
        length=one.length,
        services=one.recovered,
        steps=[
            {"id": step, "begins": began, "ends": ended, "status": one.others.get(step, "passed")}
            for step, (began, ended) in one.times.items()
        ],
        never=[step for step in one.others if step not in one.times],
        critical_path=list(one.critical),
    )


def summary_json(plan: Plan, found: Summary) -> dict[str, Any]:
    """Many trials."""
    return document(
        "simulations",
        runbook=plan.runbook.name,
        mode="tabletop",
        trials=found.number,
        succeeded=found.succeeded,
        length=_spread(found.length),
        services={
            name: {
                "recovered": _spread(each.spread),
                "share_recovered": len(each.times) / found.number,
                "share_within_rto": each.met,
            }
            for name, each in found.services.items()
        },
        criticality=found.criticality,
        sensitivity=found.sensitivity,
    )


def _spread(given: Spread | None) -> dict[str, float] | None:
    return None if given is None else {"p50": given.p50, "p90": given.p90, "p99": given.p99}
