"""Runs as commands look at them: from the journal to a view."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

from drrun.core import events as ev
from drrun.core.errors import InputError
from drrun.core.ids import RunId
from drrun.core.runbook import Mode
from drrun.core.status import RunStatus
from drrun.core.values import Duration
from drrun.engine.cases.look import Known, find_run, known
from drrun.engine.cases.start import Records
from drrun.engine.ports import Lease, RunRecord
from drrun.report.duty import hours
from drrun.report.facts import Fact
from drrun.report.history_view import Rehearsed, RunLine
from drrun.report.run_view import RunHead, RunView, run_view

#: As the history's cache has it, while a controller should be at work.
_OPEN = (RunStatus.RUNNING,)


def find(records: Records, text: str) -> Known:
    """The run that a person means, folded.

    Raises:
        InputError: There is none, or several.
        JournalDamaged: Its journal cannot be read.
    """
    return known(records, find_run(records, text))


def facts_of(seen: Known) -> list[Fact]:
    """The journal as views see it."""
    return [
        Fact(told.entry.seq, told.entry.at, told.entry.actor, told.event, told.entry.hash)
        for told in seen.told
    ]


def view_of(records: Records, seen: Known) -> RunView:
    """A run as it stands now."""
    return run_view(seen.state, head_of(records, seen), records.clock.now())


def head_of(records: Records, seen: Known) -> RunHead:
    """What is known of a run beside its state."""
    ended = (told.entry.at for told in reversed(seen.told) if isinstance(told.event, ev.RunEnded))
    last = seen.told[-1].entry if seen.told else None
    ended_at = next(ended, None) if seen.state.ended is not None else None
    return RunHead(
        id=seen.run,
        started_by=_started_by(seen),
        status=seen.status,
        holder=held_by(seen.holder, records.clock.now()),
        ended_at=ended_at,
        seal=f"{last.seq} {last.hash}" if last else "",
        duty=hours(facts_of(seen), ended_at or records.clock.now()),
    )


def _started_by(seen: Known) -> str:
    started = (told.event for told in seen.told if isinstance(told.event, ev.RunStarted))
    return next((event.by for event in started), "")


def held_by(lease: Lease | None, now: float) -> str:
    """Who drives a run, in one sentence; "" if nobody does."""
    if lease is None:
        return ""
    ago = Duration(round(max(0.0, now - lease.seen)))
    return f"{lease.holder} (process {lease.pid} on {lease.host}, last seen {ago} ago)"


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


def _status(records: Records, record: RunRecord) -> RunStatus:
    """The cache says what was last written; only the lease tells whether anybody is at work."""
    status = RunStatus(record.status)
    if status in _OPEN and records.leases.holder(RunId(record.id)) is None:
        return RunStatus.INTERRUPTED
    return status
