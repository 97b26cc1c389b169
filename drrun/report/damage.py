"""What is said above everything that is shown of a run whose journal is not what was written."""

from collections.abc import Sequence

from drrun.report.clean import clean_line
from drrun.report.ink import Ink, Style, no_ink


def damage_lines(run: str, flaws: Sequence[str], unfit: int = 0) -> tuple[str, ...]:
    """One sentence a line; none if nothing is wrong.

    Args:
        run: Its id.
        flaws: Everything that is wrong, a clause each.
        unfit: Entries that were left out because they do not fit without others.
    """
    if not flaws:
        return ()
    left_out = f"; {unfit} that cannot have happened without these are left out" if unfit else ""
    return (
        f"DAMAGED: the journal of {run} is not what was written",
        *(f"  {clean_line(flaw)}" for flaw in flaws),
        f"  shown is what the other entries tell{left_out}",
        "  this run cannot be continued; keep a copy of the state folder as it is",
    )


def lost_lines(lost: Sequence[str]) -> tuple[str, ...]:
    """What is said of runs that left traces in the state folder, and are in no list any more."""
    if not lost:
        return ()
    return (
        "DAMAGED: the database is another than the state folder's, or an older one",
        *(f"  {clean_line(run)} left traces here, but is not in it" for run in lost),
        "  do not start their steps again before you know what they did",
        "  restore the database that belongs to this folder; or, to give these runs up, move",
        "  the files with their names out of the folders heads and outputs",
    )


def damage_text(lines: Sequence[str], ink: Ink = no_ink) -> str:
    """The same to be printed; "" if nothing is wrong."""
    return "".join(f"{ink(line, Style.BAD)}\n" for line in lines)
