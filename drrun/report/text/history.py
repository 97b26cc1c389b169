"""All runs for the terminal."""

from collections.abc import Sequence

from drrun.report.history_view import RunLine
from drrun.report.ink import Style, style_of_run
from drrun.report.table import Cell, Column, table
from drrun.report.text.sheet import PLAIN, Sheet, join
from drrun.report.times import moment, span

_SHAPE = (
    Column("run"),
    Column("status"),
    Column("mode"),
    Column("started (UTC)"),
    Column("took", right=True),
    Column("by", least=6),
)


def history_text(lines: Sequence[RunLine], sheet: Sheet = PLAIN) -> str:
    """One line a run, newest first."""
    if not lines:
        return "no runs yet; begin one with: drrun run RUNBOOK\n"
    return join(table(_SHAPE, [_row(line) for line in lines], sheet.width, sheet.ink))


def _row(line: RunLine) -> list[str | Cell]:
    return [
        line.id,
        Cell(str(line.status), style_of_run(line.status)),
        line.mode,
        Cell(moment(line.started_at), Style.QUIET),
        "" if line.took is None else span(line.took),
        line.started_by,
    ]
