"""`drrun learn`: estimates from what was measured, as a change to the runbook's text."""

from difflib import unified_diff
from pathlib import Path
from typing import Any

import click

from drrun.cases.experience import is_experience
from drrun.cases.measured import estimate_of, measured, took
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.out import give, say
from drrun.cli.run_views import find
from drrun.cli.run_words import run_argument
from drrun.core.model.errors import Finding, InputError, Place
from drrun.core.model.values import Duration
from drrun.files.runbook.estimates import with_new
from drrun.report.clean import clean
from drrun.report.jsondoc import document, dumps

#: A difference of less than this share of the estimate is none.
_CLOSE = 0.1


@click.command()
@run_argument
@json_option
@common_options
@click.pass_obj
def learn(frame: CommandContext, run: str, *, as_json: bool) -> None:
    """Propose estimates for the runbook of RUN, from what its steps took: a diff, nothing else.

    With three or more runs of the same runbook: the usual and the bad case. Apply it with
    `drrun learn RUN | patch -p0`; comments and order stay.
    """
    with frame.state() as records:
        seen = find(records, run)
        record = next(each for each in records.journal.runs() if each.id == seen.run)
        if not is_experience(records, record):
            raise InputError(
                f"{seen.run} tells nothing about how long the real steps take: it was a dry-run, "
                "or a run on stand-ins. Name a live run or a rehearsal: drrun history"
            )
        earlier = measured(records, seen.loaded.plan.runbook.name, but=seen.run)
    wanted = {}
    steps = seen.loaded.plan.runbook.steps
    for step, seconds in took(seen).items():
        middle, bad = estimate_of((seconds, *earlier.get(step, ())))
        middle, bad = _round(middle), _round(bad)
        written = steps[step].estimate if step in steps else None
        if step in steps and (written is None or not _near(written.p50, middle)):
            wanted[step] = middle, bad
    path = Path(next(each.path for each in seen.loaded.documents if each.kind == "runbook"))
    if as_json:
        give(dumps(document("estimates", run=seen.run, steps=[
            {"step": step, "p50": float(middle), "p90": float(bad)}
            for step, (middle, bad) in wanted.items()
        ])))  # fmt: skip
        return
    _propose(path, wanted)


def _propose(path: Path, wanted: Any) -> None:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        message = "the runbook is not there any more: learn where it is"
        raise InputError([Finding(Place(str(path)), message)]) from None
    known = {step: each for step, each in wanted.items() if f"{step}" in text}
    changed, left = with_new(text, str(path), known)
    name = _short(path)
    diff = unified_diff(
        text.splitlines(keepends=True), changed.splitlines(keepends=True), name, name
    )
    give(clean("".join(diff)))
    for step in left:
        middle, bad = wanted[step]
        say(f"change {step} by hand: estimate: {{p50: {middle}, p90: {bad}}}")
    if not wanted:
        say("the estimates are right already")


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _near(one: Duration, other: Duration) -> bool:
    return abs(one - other) <= _CLOSE * max(one, 1.0)


def _round(span: Duration) -> Duration:
    """As a person would write it: whole seconds, minutes above ten of them."""
    unit = 1 if span < 600 else 60
    return Duration(max(1, round(span / unit)) * unit)
