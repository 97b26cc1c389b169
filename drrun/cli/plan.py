"""`drrun validate` and `drrun plan`: look at a runbook; contact nothing."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from drrun.cases.experience import is_experience
from drrun.cases.fingerprint import fingerprint
from drrun.cases.load_plan import LoadedPlan, PlanRequest, first_plan_of, read_documents
from drrun.cases.measured import with_learned
from drrun.cases.pinned import read_pinned
from drrun.cases.what_if import what_if
from drrun.cli.context import CommandContext, common_options, inventory_options, json_option
from drrun.cli.exit import Exit
from drrun.cli.out import give, say, sheet
from drrun.cli.pins import plan_in, write_pinned
from drrun.cli.runbooks import StepSelection, load_part, wanted
from drrun.cli.without import what_if_json, what_if_text
from drrun.core.model.errors import Finding, InputError, JournalDamaged, Severity, StateUnusable
from drrun.core.model.status import RunStatus
from drrun.core.model.support import unsupported
from drrun.files.validation import validate as judge
from drrun.journal.system_clock import SystemClock
from drrun.lint import lint
from drrun.lint.subject import Subject
from drrun.report.clean import clean
from drrun.report.graphs import dot, mermaid
from drrun.report.jsondoc import dumps
from drrun.report.jsondoc.plans import plan_json, validation_json
from drrun.report.plan_view import plan_view
from drrun.report.planned.plan_markdown import markdown
from drrun.report.text.plan import plan_text
from drrun.report.text.sheet import plural
from drrun.report.times import rough

_MODES = ("live", "rehearsal", "dry-run", "tabletop")
_FORMATS = ("text", "json", "mermaid", "dot", "svg", "markdown", "html")


def selection_options(command: Any) -> Any:
    """Options that say what part of a runbook, and how."""
    steps: dict[str, Any] = {"multiple": True, "metavar": "STEP"}
    for option in (
        click.option("--from", "since", help="Leave out everything that STEP needs.", **steps),
        click.option("--skip", help="Skip STEP; the steps that need it continue.", **steps),
        click.option("--only", help="Leave out every other step.", **steps),
        click.option(
            "--limit",
            multiple=True,
            metavar="HOST|GROUP",
            help="Act on no other host; questions to people stay.",
        ),
        click.option("--variant", default="", metavar="NAME", help="Steps of this variant too."),
        click.option(
            "--mode", type=click.Choice(_MODES), default="live", show_default=True, help="How."
        ),
        click.option(
            "-e",
            "--input",
            "inputs",
            multiple=True,
            metavar="NAME=VALUE|@FILE",
            help="An input of the runbook, or a YAML file of them.",
        ),
        click.argument("runbook", type=click.Path(path_type=Path), metavar="RUNBOOK"),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("runbook", type=click.Path(path_type=Path), metavar="RUNBOOK")
@click.option("-e", "--input", "inputs", multiple=True, metavar="NAME=VALUE|@FILE", hidden=True)
@inventory_options
@json_option
@common_options
@click.pass_obj
def validate(
    frame: CommandContext, runbook: Path, *, inputs: Sequence[str], strict: bool, as_json: bool
) -> None:
    """Report every error in RUNBOOK and its inventory.

    Errors end with exit code 2, warnings only under --strict.
    """
    asked = wanted(runbook, frame.settings().inventory, inputs, "live", "")
    findings = _findings(asked, frame)
    forbidding = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    wrong = [each for each in findings if each.severity in forbidding]
    frame.code = Exit.INVALID if wrong else Exit.DONE
    if as_json:
        document = validation_json(str(runbook), findings)
        give(dumps({**document, "valid": not wrong, "strict": strict}))
        return
    if findings:
        give(clean("\n".join(str(each) for each in findings)) + "\n")
    counts = [
        plural(sum(each.severity is severity for each in findings), str(severity))
        for severity in Severity
    ]
    say(f"{runbook}: {'not valid' if wrong else 'valid'}, {', '.join(counts)}")


def _findings(asked: PlanRequest, frame: CommandContext) -> list[Finding]:
    try:
        documents = read_documents(asked)
    except InputError as error:
        if not any(each.place.line for each in error.findings):
            raise
        return list(error.findings)
    texts = [
        (each.path, each.content.encode("utf-8", "surrogateescape"))
        for each in documents
        if each.kind == "inventory"
    ]
    raw = documents[0].content.encode("utf-8", "surrogateescape")
    valid = judge(raw, documents[0].path, texts or None)
    findings = list(valid.findings)
    if valid.errors or not texts:
        return findings
    try:
        plan = first_plan_of(documents).plan
    except InputError as error:
        # Inputs are given to a run, and may be missing here; what cannot be bound is wrong.
        missing = any(each.code == "missing-input" for each in error.findings)
        return findings if missing else [*findings, *error.findings]
    later = (Finding(each.place, each.message, Severity.WARNING) for each in unsupported(plan))
    last = _rehearsed(frame, plan.runbook.name)
    doubts = lint(Subject(plan.runbook, plan.inventory, _today(), last))
    return sorted([*findings, *later, *doubts], key=lambda each: each.place)


def _rehearsed(frame: CommandContext, runbook: str) -> str | None:
    """The day of the last run that proves something; None if none is known here."""
    try:
        with frame.state() as records:
            mine = (run for run in records.journal.runs() if run.runbook == runbook)
            succeeded = (run for run in mine if run.status == RunStatus.SUCCEEDED)
            good = next((run for run in succeeded if is_experience(records, run)), None)
    except (StateUnusable, JournalDamaged):
        return None
    return datetime.fromtimestamp(good.started_at, UTC).date().isoformat() if good else None


def _today() -> date:
    return datetime.fromtimestamp(SystemClock().now(), UTC).date()


@click.command()
@selection_options
@inventory_options
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option(
    "--without",
    metavar="THING[,THING]",
    help="What cannot be done without site:phl, person:drew, dependency:dns…",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Pin the plan in a file, for: drrun run FILE",
)
@json_option
@common_options
@click.pass_obj
def plan(frame: CommandContext, /, runbook: Path, **options: Any) -> None:
    """Show what a run of RUNBOOK would do. Nothing is contacted.

    With -o the plan is pinned: `drrun run FILE` executes exactly this plan, and refuses it if a
    file that it was made from has changed. RUNBOOK may be a pinned plan.
    """
    form = "json" if options["as_json"] else options["form"]
    if options["output"] and form not in ("text", "json"):
        raise click.UsageError(f"-o pins the plan; the {form} goes where you say: > FILE")
    if options["without"] and form not in ("text", "json"):
        raise click.UsageError(f"--without answers as text or JSON, not as {form}")
    loaded = load_selected(frame, runbook, options)
    if options["output"]:
        write_pinned(loaded, options["output"], frame.settings().by)
    if options["without"]:
        found = what_if(loaded.plan, [each for each in options["without"].split(",") if each])
        give(dumps(what_if_json(loaded.plan, found)) if form == "json" else what_if_text(found))
        return
    view = plan_view(loaded.plan)
    match form:
        case "json":
            give(dumps(plan_json(view)))
        case "mermaid":
            give(mermaid(view))
        case "dot":
            give(dot(view))
        case "svg" | "html":
            from drrun.report.planned import plan_page

            give(plan_page.svg(view) if form == "svg" else plan_page.html(view))
        case "markdown":
            give(markdown(view))
        case _:
            give(plan_text(view, sheet(sys.stdout)) + _looked(frame, loaded))


def _looked(frame: CommandContext, loaded: LoadedPlan) -> str:
    """When a preflight was made, and what it found."""
    with frame.state() as records:
        now = records.clock.now()
        notebook = records.notebook
        found = notebook.latest(loaded.plan.runbook.name, now) if notebook else None
    if found is None:
        return ""
    short = sum(not each["good"] for each in found.checks)
    what = "ready" if found.ready else plural(short, "shortfall")
    but = "" if found.fingerprint == fingerprint(loaded.documents) else "; files changed since"
    return f"preflight      {what}, {rough(now - found.at)} ago{but}\n"


def _chosen(frame: CommandContext, runbook: Path, options: Any) -> LoadedPlan:
    asked = wanted(
        runbook,
        frame.settings().inventory,
        options["inputs"],
        options["mode"],
        options["variant"],
    )
    asked = replace(asked, limit=options["limit"])
    return load_part(asked, StepSelection(options["only"], options["skip"], options["since"]))


def load_selected(frame: CommandContext, runbook: Path, options: Any) -> LoadedPlan:
    """Load the plan that the options of a command name, and tell its warnings; or a pinned one.

    Raises:
        InputError: Every finding; under --strict warnings too.
    """
    pinned = read_pinned(runbook)
    loaded = plan_in(runbook, pinned) if pinned else _chosen(frame, runbook, options)
    if options["strict"] and loaded.warnings:
        raise InputError(loaded.warnings)
    for warning in loaded.warnings:
        say(clean(str(warning)))
    if pinned:
        return loaded
    try:
        with frame.state() as records:
            return with_learned(records, loaded)
    except (StateUnusable, JournalDamaged) as error:
        # To look at a plan nobody needs earlier runs; whoever wants to run it is told soon enough.
        say(f"estimates of earlier runs are not known: {error}")
        return loaded
