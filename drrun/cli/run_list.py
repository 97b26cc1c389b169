"""Runs as the history has them: from its cache, and from who drives what; nothing is folded.

Rules:
- As little as can be is imported here: `drrun history` is asked often, and of many runs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

from drrun.cases.sound import is_sound
from drrun.core.model.errors import InputError
from drrun.core.model.ids import RunId
from drrun.core.model.runbook import Mode
from drrun.core.model.status import RunStatus
from drrun.engine.records import Records
from drrun.ports.journal import RunRecord
from drrun.report.history_view import Rehearsed, RunLine

#: As the history's cache has it, while a controller should be at work.
_OPEN = (RunStatus.RUNNING,)

#: Whether a run is wanted.
Sieve = Callable[[RunRecord], bool]


def sieve(wanted: Mapping[str, str | None]) -> Sieve:
    """Lets the runs through that somebody asks for.

    Raises:
        InputError: A date is none.
    """
    since = _day(wanted.get("since"), "--since")
    until = _day(wanted.get("until"), "--until")

    def holds(run: RunRecord) -> bool:
        day = datetime.fromtimestamp(run.started_at, UTC).date()
        name, service = wanted.get("runbook"), wanted.get("service")
        return (
            (name is None or fnmatchcase(run.runbook, name))
            and wanted.get("mode") in (None, run.mode)
            and (service is None or service in run.services)
            and (since is None or day >= since)
            and (until is None or day <= until)
        )

    return holds


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(f"{option} {text}: write a date like 2024-01-10") from None


def rehearsals(records: Records) -> list[Rehearsed]:
    """Of every runbook the last run that was no simulation, and the last rehearsal."""
    found: dict[str, Rehearsed] = {}
    for run in records.journal.runs():
        known = found.get(run.runbook, Rehearsed(run.runbook))
        if known.last is None and run.mode == Mode.REHEARSAL:
            done = (str(run.id), run.started_at, str(_status(records, run)))
            known = replace(known, last=done)
        found[run.runbook] = known
    return sorted(found.values(), key=lambda each: each.runbook)


def history_lines(records: Records, wanted: Sieve = lambda _: True) -> Iterable[RunLine]:
    """All runs that are wanted, newest first."""
    for record in records.journal.runs():
        if not wanted(record):
            continue
        yield RunLine(
            id=record.id,
            runbook=record.runbook,
            title=record.title,
            mode=record.mode,
            variant=record.variant,
            status=_status(records, record),
            started_at=record.started_at,
            started_by=record.started_by,
            ended_at=record.ended_at,
            entries=record.entries,
            services=record.services,
        )


def with_damage(records: Records, line: RunLine) -> RunLine:
    """The same, and what is wrong with the journal."""
    return replace(line, damage=is_sound(records, RunId(line.id)).flaws)


def _status(records: Records, record: RunRecord) -> RunStatus:
    """The cache says what was last written; only the lease tells whether anybody is at work."""
    status = RunStatus(record.status)
    if status in _OPEN and records.leases.holder(RunId(record.id)) is None:
        return RunStatus.INTERRUPTED
    return status
