"""Runs as commands look at them: from the journal to a view."""

from drrun.core import events as ev
from drrun.core.values import Duration
from drrun.engine.cases.find import find_run
from drrun.engine.cases.look import Known, known
from drrun.engine.ports import Lease
from drrun.engine.records import Records
from drrun.report.after.moments import COUNTING
from drrun.report.duty import hours
from drrun.report.facts import Fact
from drrun.report.run_view import RunHead, RunView, run_view


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
        disrupted_at=_disrupted(seen),
        seal=f"{last.seq} {last.hash}" if last else "",
        duty=hours(facts_of(seen), ended_at or records.clock.now()),
    )


def _disrupted(seen: Known) -> float | None:
    """From when objectives count: the disruption, or the first that is known of it."""
    stated = {
        told.event.name: told.event.moment
        for told in seen.told
        if isinstance(told.event, ev.ClockStated)
    }
    return next((stated[name] for name in COUNTING if name in stated), None)


def _started_by(seen: Known) -> str:
    started = (told.event for told in seen.told if isinstance(told.event, ev.RunStarted))
    return next((event.by for event in started), "")


def held_by(lease: Lease | None, now: float) -> str:
    """Who drives a run, in one sentence; "" if nobody does."""
    if lease is None:
        return ""
    ago = Duration(round(max(0.0, now - lease.seen)))
    return f"{lease.holder} (process {lease.pid} on {lease.host}, last seen {ago} ago)"
