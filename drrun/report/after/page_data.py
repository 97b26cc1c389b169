"""The report for programs: JSON, and the steps as CSV."""

import csv
import io
from dataclasses import asdict
from typing import Any

from drrun.core.rules.endings import RunException
from drrun.report.after.gist import gist_text
from drrun.report.after.view import Report
from drrun.report.clean import clean
from drrun.report.counting import counted
from drrun.report.exceptions import exception_lines
from drrun.report.jsondoc import document, seconds
from drrun.report.jsondoc.runs import run_json, step_json
from drrun.report.open_items import LooseEnd
from drrun.report.times import precise

_HEAD = (
    "step", "title", "owner", "status", "on", "began", "ended", "seconds", "planned_seconds",
    "late", "critical", "note", "undone", "targets",
    "exceptions",
)  # fmt: skip


def report_json(report: Report) -> dict[str, Any]:
    """`report`: the run, and what the report adds to it."""
    run = run_json(report.run)
    return document(
        "report",
        run={name: value for name, value in run.items() if name not in ("drrun", "kind")},
        gist=gist_text(report),
        is_test=report.is_test,
        redacted=report.redacted or None,
        causes={cause: seconds(spent) for cause, spent in report.causes.items()},
        spells=[
            {"cause": spell.cause, "since": precise(spell.since), "until": precise(spell.until)}
            for spell in report.spells
        ],
        critical_path=list(report.critical),
        steps=[_step(report, view) for view in report.steps],
        **_in_time(report),
        decisions=[_said(each) for each in report.decisions],
        deviations=[_said(each) for each in report.deviations],
        regressions=[_said(each) for each in report.regressions],
        notes=[_said(each) for each in report.notes],
        workarounds=[asdict(each) for each in report.workarounds],
        findings=[_end(each) for each in report.ends if each.kind == "finding"],
        follow_ups=[_end(each) for each in report.ends if each.kind == "follow-up"],
        **_clocks(report),
        **_around(report),
        routes={host: list(routes) for host, routes in report.routes.items()},
        stores=[asdict(each) for each in report.stores],
    )


def _in_time(report: Report) -> dict[str, Any]:
    return {
        "chronology": [
            {"at": precise(each.at), "what": each.word, "about": each.about or None,
             "by": each.by or None, "seat": None if each.seat is None else str(each.seat),
             "text": each.text, "way": each.way or None, "signed": each.signed}
            for each in report.chronology
        ],
        "levels": [
            {"service": each.service, "at": precise(each.at),
             "level": None if each.level is None else str(each.level), "step": each.step,
             "why": each.why}
            for each in report.course.levels
        ],
    }  # fmt: skip


def _clocks(report: Report) -> dict[str, Any]:
    return {
        "clocks": [
            {"name": each.name, "at": precise(each.at), "by": each.by or None,
             "why": each.why or None}
            for each in report.clocks
        ],
        "away": [
            {"service": each.service, "rto": seconds(each.rto), "met": each.met,
             "from_disruption": seconds(each.from_disruption),
             "from_declaration": seconds(each.from_declaration)}
            for each in report.away
        ],
    }  # fmt: skip


def _around(report: Report) -> dict[str, Any]:
    around = report.context
    return {
        "documents": [
            {"kind": kind, "path": path, "sha256": digest}
            for kind, path, digest in around.documents
        ],
        "tool": report.tool,
        "preflight": _preflight(report),
        "earlier": _earlier(report),
        "unclean": None if around.unclean is None else list(around.unclean),
    }


def _end(each: LooseEnd) -> dict[str, Any]:
    return {name: value or None for name, value in asdict(each).items() if name != "kind"}


def _preflight(report: Report) -> dict[str, Any] | None:
    if report.context.preflight is None:
        return None
    moment, short = report.context.preflight
    return {"at": precise(moment), "shortfalls": list(short)}


def _earlier(report: Report) -> dict[str, Any] | None:
    if report.context.earlier is None:
        return None
    run, status, length = report.context.earlier
    return {"run": run, "status": status, "length": length}


def report_csv(report: Report) -> str:
    """One line a step; then one for each exception that is about no step."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    critical = set(report.critical)
    excepted: dict[str, list[RunException]] = {}
    for each in report.run.exceptions:
        excepted.setdefault(each.step, []).append(each)
    for line in report.run.lines:
        began, ended = line.began_at, line.ended_at
        took = round(line.took.seconds, 3) if line.took and ended is not None else ""
        writer.writerow(
            [
                line.id, _cell(line.title), line.owner, line.status, _cell(line.where),
                precise(began) if began is not None else "",
                precise(ended) if ended is not None else "",
                took, "" if line.planned is None else float(line.planned),
                "yes" if line.late or line.was_late else "", "yes" if line.id in critical else "",
                _cell(line.note), precise(line.undone_at) if line.undone_at is not None else "",
                counted(line.counts),
                _cell("; ".join(exception_lines(excepted.get(line.id, ()), report.services))),
            ]
        )  # fmt: skip
    for told in exception_lines(excepted.get("", ()), report.services):
        writer.writerow([*[""] * (len(_HEAD) - 1), _cell(told)])
    return out.getvalue()


def _cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    text = clean(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _step(report: Report, view: Any) -> dict[str, Any]:
    told = step_json(report.run.head.id, view)
    return {name: value for name, value in told.items() if name not in ("drrun", "kind", "run")}


def _said(each: Any) -> dict[str, Any]:
    return {"at": precise(each.at), "by": each.by, "step": each.step or None, "text": each.text}
