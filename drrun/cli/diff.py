"""`drrun diff`: two runs, or a run against its plan."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import click

from drrun.cases.compare import Difference, Side, differences, plan_side, side_of
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.out import give, say, sheet
from drrun.cli.run_views import find
from drrun.core.model.ids import StepId
from drrun.report.clean import clean_line
from drrun.report.jsondoc import document, dumps
from drrun.report.table import Column, table
from drrun.report.text.sheet import join, plural
from drrun.report.times import span

#: So many steps that ended alike are one line.
_ALIKE = 3

_SHAPE = (
    Column(""), Column("step"), Column("what"), Column("before", right=True),
    Column("after", right=True), Column("longer by", right=True),
)  # fmt: skip


@click.command()
@click.argument("one", metavar="RUN")
@click.argument("other", metavar="[RUN]", required=False)
@json_option
@common_options
@click.pass_obj
def diff(frame: CommandContext, one: str, other: str | None, *, as_json: bool) -> None:
    """Compare two runs; with one RUN, compare it with what was planned.

    Steps that were added or removed, took longer or shorter, ended differently, or were reached
    by another route. Steps that failed come first. `*` marks those that the end of the second run
    waited for; what happened to several steps alike is one line.
    """
    with frame.state() as records:
        first = find(records, one)
        if other is None:
            before, after = plan_side(first), side_of(first)
        else:
            second = find(records, other)
            before, after = side_of(first), side_of(second)
            names = [each.loaded.plan.runbook.name for each in (first, second)]
            if names[0] != names[1]:
                say(f"these are runs of two runbooks, {names[0]} and {names[1]}")
    found = differences(before, after)
    if as_json:
        give(dumps(_json(before, after, found)))
        return
    say(f"{before.name} -> {after.name}")
    rows = [_row(each) for each in _pooled(found)]
    page = sheet(sys.stdout)
    give(join(table(_SHAPE, rows, page.width, page.ink)) if rows else "no difference\n")
    say(_summary(before, after, found))


def _pooled(found: Iterable[Difference]) -> Iterator[Difference]:
    """Several steps that ended differently in the same way as one, where none of them failed."""
    alike: dict[tuple[str, str, str], list[Difference]] = {}
    for each in found:
        own = "" if each.kind == "outcome" and not each.bad else each.step
        alike.setdefault((own, each.before, each.after), []).append(each)
    for (own, _, _), group in alike.items():
        if own or len(group) < _ALIKE:
            yield from group
        else:
            name = StepId(plural(len(group), "step"))
            yield replace(group[0], step=name, critical=any(each.critical for each in group))


def _row(each: Difference) -> list[str]:
    seconds = each.kind in ("slower", "faster")
    before, after = (
        span(float(text)) if seconds else clean_line(text) for text in (each.before, each.after)
    )
    longer = ""
    if each.longer is not None:
        longer = f"{'+' if each.longer > 0 else '-'}{span(abs(each.longer))}"
    return ["*" if each.critical else "", each.step, each.kind, before, after, longer]


def _summary(before: Side, after: Side, found: list[Difference]) -> str:
    mattered = sum(each.longer or 0.0 for each in found if each.critical)
    lengths = ""
    if before.total is not None and after.total is not None:
        lengths = f"{span(before.total)} -> {span(after.total)}; "
    sign = "+" if mattered >= 0 else "-"
    path = f"on the critical path {sign}{span(abs(mattered))}"
    return f"{lengths}{plural(len(found), 'difference')}, {path}"


def _json(before: Side, after: Side, found: list[Difference]) -> dict[str, Any]:
    return document(
        "diff",
        before=before.name,
        after=after.name,
        length_before=before.total,
        length_after=after.total,
        critical_path=list(after.critical),
        differences=[
            {"step": each.step, "what": each.kind, "failed": each.bad,
             "before": each.before or None, "after": each.after or None,
             "longer": each.longer, "critical": each.critical}
            for each in found
        ],
    )  # fmt: skip
