"""All runs for the terminal."""

from collections.abc import Iterator, Sequence

from drrun.report.damage import damage_lines, damage_text, lost_lines
from drrun.report.history_view import Rehearsed, RunLine
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


def history_text(
    lines: Sequence[RunLine],
    sheet: Sheet = PLAIN,
    tried: Sequence[Rehearsed] = (),
    lost: Sequence[str] = (),
) -> str:
    """What is damaged; one line a run, newest first; then when each runbook was last rehearsed.

    Args:
        lines: The runs.
        sheet: What it is written on.
        tried: When each runbook was last rehearsed.
        lost: Runs that are in no list any more.
    """
    above = damage_text([*lost_lines(lost), *_damage(lines)], sheet.ink)
    return above + _runs(lines, sheet, tried, lost)


def _damage(lines: Sequence[RunLine]) -> Iterator[str]:
    for line in lines:
        yield from damage_lines(line.id, line.damage)


def _runs(
    lines: Sequence[RunLine], sheet: Sheet, tried: Sequence[Rehearsed], lost: Sequence[str]
) -> str:
    if lost and not lines:
        return ""
    if not lines:
        return "no such run\n" if tried else "no runs yet; begin one with: drrun run RUNBOOK\n"
    rows = table(_SHAPE, [_row(line) for line in lines], sheet.width, sheet.ink)
    shown = {line.runbook for line in lines}
    for each in tried:
        if each.runbook in shown:
            rows += sheet.headed("rehearsed", _tried(each))
    return join(rows)


def _tried(each: Rehearsed) -> str:
    if each.last is None:
        return f"{each.runbook}: never"
    _, at, status = each.last
    return f"{each.runbook}: {moment(at)[:10]}, {status}"


def _row(line: RunLine) -> list[str | Cell]:
    return [
        line.id,
        Cell(str(line.status), style_of_run(line.status)),
        line.mode,
        Cell(moment(line.started_at), Style.QUIET),
        "" if line.took is None else span(line.took),
        line.started_by,
    ]
