"""`drrun readiness`: which runbooks are known to work, and which only were."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from drrun.cases.readiness import Readiness
from drrun.cases.readiness import readiness as look
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.exit import Exit
from drrun.cli.out import give, say, sheet
from drrun.core.model.errors import Finding, InputError, Place
from drrun.core.model.runbook import Runbook
from drrun.engine.records import Records
from drrun.files.runbook.runbook_yaml import read_runbook
from drrun.report.ink import Style
from drrun.report.jsondoc import at, document, dumps
from drrun.report.table import Cell, Column, table
from drrun.report.text.sheet import join
from drrun.report.times import moment

_SHAPE = (
    Column("runbook"), Column("ready"), Column("verified (UTC)"), Column("mode"), Column("run"),
    Column("last rehearsal"), Column("why not", least=20),
)  # fmt: skip


@click.command()
@click.argument("runbooks", nargs=-1, type=click.Path(path_type=Path), metavar="[RUNBOOK]...")
@json_option
@common_options
@click.pass_obj
def readiness(frame: CommandContext, runbooks: Sequence[Path], *, as_json: bool) -> None:
    """Show when each RUNBOOK was verified, in which mode, by which run.

    Without RUNBOOK: all in runbooks/, or else all that ever ran. Only a live run or a
    rehearsal verifies a runbook. This lapses when a file changes, or after `rehearse_every` (a
    year by default). Ends with exit code 4 if one of them is not ready.
    """
    with frame.state() as records:
        paths = list(runbooks) or sorted(Path("runbooks").glob("*.y*ml")) or _ran(records)
        if not paths:
            raise InputError(
                "there is no folder runbooks/ here, and no run yet: name the runbooks"
            )
        found = [_look(records, path, named=bool(runbooks)) for path in paths]
    ready = sum(each.ready for each in found)
    frame.code = Exit.DONE if ready == len(found) else Exit.NOT_READY
    if as_json:
        give(dumps(document("readiness", runbooks=[_json(each) for each in found])))
        return
    page = sheet(sys.stdout)
    give(join(table(_SHAPE, [_row(each) for each in found], page.width, page.ink)))
    say(f"{ready} of {len(found)} ready")


def _ran(records: Records) -> list[Path]:
    """The runbooks of all runs, each where its last run found it."""
    found: dict[str, Path] = {}
    for run in records.journal.runs():
        if run.runbook not in found:
            documents = records.journal.documents(run.id)
            path = next(Path(each.path) for each in documents if each.kind == "runbook")
            found[run.runbook] = path
    return list(found.values())


def _look(records: Records, path: Path, *, named: bool) -> Readiness:
    """What is known of a runbook; one that cannot be read is not ready, unless it was named."""
    try:
        return look(records, _read(path), path)
    except InputError as error:
        if named:
            raise
        why = str(error.findings[0] if error.findings else error)
        return Readiness(path.stem, str(path), None, why, None, None, None)


def _read(path: Path) -> Runbook:
    try:
        runbook, findings = read_runbook(path.read_bytes(), str(path))
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError([Finding(Place(str(path)), reason)]) from None
    if runbook is None:
        raise InputError(findings)
    return runbook


def _row(each: Readiness) -> list[str | Cell]:
    run, rehearsed = each.verified, each.rehearsed
    return [
        each.runbook,
        Cell("yes", Style.GOOD) if each.ready else Cell("no", Style.BAD),
        moment(run.ended_at or run.started_at) if run else "never",
        run.mode if run else "",
        str(run.id) if run else "",
        f"{moment(rehearsed.started_at)[:10]} {rehearsed.status}" if rehearsed else "never",
        each.why,
    ]


def _json(each: Readiness) -> dict[str, Any]:
    run, rehearsed, preflight = each.verified, each.rehearsed, each.preflight
    return {
        "runbook": each.runbook,
        "path": each.path,
        "ready": each.ready,
        "why": each.why or None,
        "verified_at": at((run.ended_at or run.started_at) if run else None),
        "verified_by": run.id if run else None,
        "mode": run.mode if run else None,
        "until": at(each.until),
        "last_rehearsal": rehearsed and {
            "run": rehearsed.id, "at": at(rehearsed.started_at), "status": rehearsed.status,
        },
        "preflight": preflight and {"at": at(preflight.at), "ready": preflight.ready},
    }  # fmt: skip
