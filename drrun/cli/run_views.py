"""Runs as commands look at them: from the journal to a view."""

import gc
from collections.abc import Collection, Iterator

from drrun.cases.find import find_run
from drrun.cases.kept_requests import kept_requests
from drrun.cases.read_run import ReadRun, RunReading, fact_of, known, look
from drrun.cli.context import CommandContext
from drrun.cli.exit import Exit
from drrun.core.garbage import without_collection
from drrun.core.model.ids import StepId
from drrun.core.model.values import Duration
from drrun.engine.records import Records
from drrun.engine.run_clock import now_of
from drrun.ports.journal import Entry
from drrun.report.after.milestones import COUNTING
from drrun.report.damage import damage_lines
from drrun.report.duty_view import hours
from drrun.report.facts import Fact
from drrun.report.run_view import RunHead, RunView, run_view


def find(records: Records, text: str, *, damaged: bool = False) -> ReadRun:
    """The run that a person means, with everything that is known of it.

    Args:
        records: Where runs are kept.
        text: What the person wrote.
        damaged: To look only: what is left of a damaged one will do.

    Raises:
        InputError: There is none, or several.
        JournalDamaged: Its journal is not what was written.
    """
    return known(records, find_run(records, text), damaged=damaged)


def glance(records: Records, text: str) -> RunReading:
    """The run that a person means, as it stands; see `look`.

    Raises:
        InputError: There is none, or several.
        JournalDamaged: Nothing of it can be shown.
    """
    run = find_run(records, text)
    with without_collection():
        seen = look(records, run)
    gc.freeze()  # nor is it looked through again while it is printed
    return seen


def facts_of_steps(
    records: Records, seen: RunReading, steps: Collection[StepId]
) -> dict[StepId, list[Fact]]:
    """What the journal tells of each of these steps, as far as the state goes."""
    found: dict[StepId, list[Fact]] = {step: [] for step in steps}
    for entry in _of_steps(records, seen, steps):
        if entry.seq <= seen.about.seq:
            fact = fact_of(entry)
            fact = fact._replace(seat=seen.about.seat_of(fact))
            found[StepId(entry.body["step"])].append(fact)
    return found


def _of_steps(records: Records, seen: RunReading, steps: Collection[StepId]) -> Iterator[Entry]:
    if not seen.damage:
        yield from records.journal.read_steps(seen.run, steps)
        return
    for entry in records.journal.left(seen.run):
        if entry.body.get("step") in steps and not seen.checked.doubts(entry):
            yield entry


def damage_of(seen: RunReading) -> tuple[str, ...]:
    """What is said above everything that is shown of a damaged run; nothing if it is sound."""
    return damage_lines(seen.run, seen.damage, seen.unfit)


def tell_damage(frame: CommandContext, seen: RunReading) -> tuple[str, ...]:
    """The same; the command will end with the exit code for it."""
    lines = damage_of(seen)
    if lines:
        frame.code = Exit.DAMAGED
    return lines


def view_of(records: Records, seen: RunReading) -> RunView:
    """A run as it stands now."""
    return run_view(seen.state, head_of(records, seen), now_of(seen.state.time, records.clock))


def head_of(records: Records, seen: RunReading) -> RunHead:
    """What is known of a run beside its state."""
    about, now = seen.about, now_of(seen.state.time, records.clock)
    wall = seen.state.time.wall  # what people stated they read from a clock on the wall
    ended_at = about.ended_at if seen.state.ended is not None else None
    return RunHead(
        id=seen.run,
        started_by=about.started_by,
        started_from=about.started_from,
        status=seen.status,
        holder=_held_by(records, seen, now),
        ended_at=ended_at,
        # From when objectives count: the disruption, or the first that is known of it.
        disrupted_at=next(
            (about.stated[name] - wall for name in COUNTING if name in about.stated), None
        ),
        seal=f"{about.seq} {about.hash}" if about.seq else "",
        damage=damage_of(seen),
        duty=hours(about.shifts, ended_at or now),
        kept=kept_requests(records, seen.run),
    )


def _held_by(records: Records, seen: RunReading, now: float) -> str:
    """Who drives a run, in one sentence; "" if nobody does."""
    lease, time = seen.holder, seen.state.time
    if lease is None:
        return ""
    # What another machine wrote is compared as if its clock were right.
    near = time.epoch == lease.epoch and records.clock.origin().boot == time.origin.boot != ""
    ago = Duration(round(max(0.0, now - (lease.seen - time.own))))
    seat = seen.state.circumstances.driven_from
    other = seat is not None and seat.user and not lease.holder.startswith(f"{seat.user}@")
    whose = f" of {seat.user}" if seat is not None and other else ""
    told = f"process {lease.pid}{whose} on {lease.host}, last seen {'' if near else '~'}{ago} ago"
    return f"{lease.holder} ({told})"
