"""`drrun report`: what happened, for whoever was not there."""

from pathlib import Path

import click

from drrun.cases.report import report_of_run
from drrun.cli.context import CommandContext, common_options
from drrun.cli.out import give, say, write_file
from drrun.cli.outputs import excerpts_of
from drrun.cli.run_views import find, tell_damage, view_of
from drrun.cli.run_words import run_argument
from drrun.report.after.redact_report import LEVELS, redacted
from drrun.report.after.view import Report
from drrun.report.damage import damage_text

_FORMATS = ("html", "markdown", "json", "csv")


@click.command()
@run_argument
@click.option("--format", "form", type=click.Choice(_FORMATS), default="html", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("--redact", type=click.Choice(LEVELS), help="Leave out what others must not see.")
@common_options
@click.pass_obj
def report(
    frame: CommandContext, run: str, *, form: str, output: Path | None, redact: str | None
) -> None:
    """Report what happened in RUN: services, where the time went, every step, every decision.

    HTML is one file that opens offline; without -o it goes to report-RUN.html. `-o -` prints.
    """
    with frame.state() as records:
        seen = find(records, run, damaged=True)
        lines = tell_damage(frame, seen)
        made = report_of_run(records, seen, view_of(records, seen), excerpts_of)
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


def _rendered(made: Report, form: str) -> str:
    match form:
        case "html":
            from drrun.report.after.report_page import html

            return html(made)
        case "markdown":
            from drrun.report.after.report_markdown import markdown

            return markdown(made)
        case "csv":
            from drrun.report.after.page_data import report_csv

            return report_csv(made)
        case _:
            from drrun.report.after.page_data import report_json
            from drrun.report.jsondoc import dumps

            return dumps(report_json(made))
