"""Documents about files and plans: `validation`, `plan`."""

from collections.abc import Iterable
from typing import Any

from drrun.core.model.errors import Finding, Severity
from drrun.report.jsondoc import document, seconds
from drrun.report.plan_view import PlanLine, PlanView
from drrun.report.services import ServiceView


def validation_json(file: str, findings: Iterable[Finding]) -> dict[str, Any]:
    """`validation`: what is wrong with a runbook and its inventory."""
    listed = list(findings)
    errors = sum(each.severity is Severity.ERROR for each in listed)
    return document(
        "validation",
        file=file,
        valid=not errors,
        errors=errors,
        warnings=sum(each.severity is Severity.WARNING for each in listed),
        findings=[finding_json(each) for each in listed],
    )


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding; `line` and `column` count from 1, null where no place is known."""
    return {
        "severity": str(finding.severity),
        "code": finding.code,
        "file": finding.place.file or None,
        "line": finding.place.line or None,
        "column": finding.place.column or None,
        "message": finding.message,
    }


def plan_json(view: PlanView) -> dict[str, Any]:
    """`plan`: everything that a run would do, by the estimates."""
    return document(
        "plan",
        name=view.name,
        title=view.title,
        mode=view.mode,
        variant=view.variant,
        length=seconds(view.length),
        rto=seconds(view.rto),
        steps=[_line(each) for each in view.lines],
        critical_path=list(view.critical_path),
        irreversible=list(view.irreversible),
        people=[
            {
                "role": load.role,
                "people": list(load.people),
                "steps": list(load.steps),
                "length": seconds(load.length),
            }
            for load in view.loads
        ],
        services=[service_json(each) for each in view.services],
        without_estimate=list(view.unestimated),
        hosts=list(view.hosts),
    )


def _line(line: PlanLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "title": line.title,
        "action": line.action,
        "owner": line.owner,
        "targets": list(line.targets),
        "needs": [list(alternatives) for alternatives in line.needed],
        "wave": line.wave,
        "begins": seconds(line.begins),
        "ends": seconds(line.ends),
        "length": seconds(line.length),
        "critical": line.critical,
        "irreversible": line.irreversible,
        "person": line.person,
        "verified": line.verified,
        "left_out": line.left_out or None,
        "when": line.when or None,
        "not_before": line.not_before or None,
    }


def service_json(service: ServiceView) -> dict[str, Any]:
    """One service; spans count from the start of the run."""
    return {
        "name": service.name,
        "title": service.title,
        "priority": service.priority,
        "level": None if service.level is None else str(service.level),
        "rto": seconds(service.rto),
        "objective": str(service.objective),
        "recovered": seconds(service.recovered),
        "overdue": seconds(service.overdue),
        "raises": [
            {
                "level": str(rung.level),
                "step": rung.step,
                "planned": seconds(rung.planned),
                "reached": seconds(rung.reached),
            }
            for rung in service.rungs
        ],
    }
