"""`drrun report`: what happened, for whoever was not there."""

from dataclasses import replace
from pathlib import Path

import click

from drrun.cli.frame import Frame, common_options
from drrun.cli.out import give, say, write_file
from drrun.cli.outputs import excerpts_of
from drrun.cli.seen import facts_of, find, tell_damage, view_of
from drrun.core.runbook import Mode
from drrun.core.state import RunState
from drrun.engine.cases.close import unclean
from drrun.engine.cases.load import replanner
from drrun.engine.cases.look import Known
from drrun.engine.ports import Looked, RunRecord
from drrun.engine.records import Records
from drrun.report.after.redaction import LEVELS, redacted
from drrun.report.after.view import Around, Report, report_of
from drrun.report.clocks import spells
from drrun.report.damage import damage_text
from drrun.report.facts import Fact
from drrun.report.step_view import step_view

_FORMATS = ("html", "markdown", "json", "csv")


@click.command()
@click.argument("run", metavar="[RUN]", default="latest")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="html", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write into this file.")
@click.option("--redact", type=click.Choice(LEVELS), help="Leave out what others must not see.")
@common_options
@click.pass_obj
def report(frame: Frame, run: str, *, form: str, output: Path | None, redact: str | None) -> None:
    """What happened in RUN: services, where the time went, every step, every decision.

    HTML is one file that opens offline; without -o it goes to report-RUN.html. `-o -` prints.
    """
    with frame.state() as records:
        seen = find(records, run, damaged=True)
        lines = tell_damage(frame, seen)
        made = _report(records, seen)
    if lines:
        say(damage_text(lines))
    if redact:
        made = redacted(made, redact)
    text = _rendered(made, form)
    if output is None and form == "html":
        output = Path(f"report-{seen.run}.html")
    if output is None or str(output) == "-":
        give(text)
        return
    write_file(output, text, "report")


def _report(records: Records, seen: Known) -> Report:
    facts = facts_of(seen)
    view = view_of(records, seen)
    end = view.head.ended_at or view.now
    empty = RunState(seen.loaded.plan, replanner(seen.loaded.documents, judged=True))
    mine: dict[str, list[Fact]] = {}
    for fact in facts:
        mine.setdefault(str(getattr(fact.event, "step", "")), []).append(fact)
    order = seen.state.plan.order
    steps = [step_view(seen.state, mine.get(step, []), step) for step in order]
    outputs = {
        (str(step.id), str(target), attempt): streams
        for step in steps
        for (target, attempt), streams in excerpts_of(records, seen.run, step).items()
    }
    around = _around(records, seen)
    made = report_of(seen.state, facts, view, spells(empty, facts, end), steps, around)
    return replace(made, outputs=outputs)


def _around(records: Records, seen: Known) -> Around:
    """What is known beside the run's own journal."""
    runs = records.journal.runs()
    this = next(each for each in runs if each.id == seen.run)
    before = (
        each
        for each in runs
        if (each.runbook, each.mode) == (this.runbook, this.mode)
        and each.started_at < this.started_at
    )
    earlier = next(before, None)
    notebook = records.notebook
    looked = notebook.latest(this.runbook, this.started_at) if notebook else None
    rehearsal = seen.loaded.plan.mode is Mode.REHEARSAL
    return Around(
        documents=tuple(
            (each.kind, each.path, each.sha256) for each in seen.loaded.documents if each.path
        ),
        preflight=(looked.at, _short(looked)) if looked else None,
        earlier=(str(earlier.id), earlier.status, _length(earlier)) if earlier else None,
        unclean=tuple(unclean(seen)) if rehearsal else None,
    )


def _short(looked: Looked) -> tuple[str, ...]:
    return tuple(
        f"{each['what']} {each['where']}: {each['value']}"
        for each in looked.checks
        if not each["good"]
    )


def _length(run: RunRecord) -> float | None:
    return None if run.ended_at is None else run.ended_at - run.started_at


def _rendered(made: Report, form: str) -> str:
    match form:
        case "html":
            from drrun.report.after.page import html

            return html(made)
        case "markdown":
            from drrun.report.after.markdown import markdown

            return markdown(made)
        case "csv":
            from drrun.report.after.data import report_csv

            return report_csv(made)
        case _:
            from drrun.report.after.data import report_json
            from drrun.report.jsondoc import dumps

            return dumps(report_json(made))
