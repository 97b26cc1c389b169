"""`drrun simulate`: a run that only happens in time. Nothing is contacted."""

import re
import sys
from pathlib import Path
from typing import Any

import click

from drrun.cases.exercise import HELP, Exercise
from drrun.cases.measured import measured
from drrun.cases.runbook_tests import check_injects, unknown_thing
from drrun.cases.simulate import Measured, Scenario, trial, trials
from drrun.cli.context import CommandContext, common_options, inventory_options, json_option
from drrun.cli.out import give, say, write_file
from drrun.cli.plan import load_selected, selection_options
from drrun.core.model.errors import InputError
from drrun.core.model.plan import Plan
from drrun.core.model.values import Duration
from drrun.core.nearest import did_you_mean
from drrun.core.tabletop.injects import Inject
from drrun.files.runbook.fiction_yaml import read_injects
from drrun.report.jsondoc import document, dumps
from drrun.report.tabletop.text import summary_text, trial_text
from drrun.report.tabletop.trial_data import summary_json, trial_json
from drrun.report.tabletop.trials import Summary, Trial, summary

_FACTOR = re.compile(r"([0-9]+(?:\.[0-9]+)?)x")
_FORMATS = ("text", "json", "html")


@click.command()
@selection_options
@inventory_options
@click.option(
    "--trials", "number", type=click.IntRange(1, 1_000_000), help="Number of random trials."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Random seed of the first trial."
)
@click.option(
    "--inject",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What goes wrong, as YAML.",
)
@click.option(
    "--fail", multiple=True, metavar="STEP[=TIMES]", help="This step fails, always or N times."
)
@click.option("--slow", multiple=True, metavar="STEP=3x", help="This step takes N times as long.")
@click.option("--lose", multiple=True, metavar="THING@WHEN", help="site:phl@2h is lost then.")
@click.option("--silent", multiple=True, metavar="STEP", help="Nobody answers this step.")
@click.option("--from-history", is_flag=True, help="Durations as measured in earlier runs.")
@click.option("--interactive", is_flag=True, help="Players answer; the exercise is recorded.")
@click.option("--player", "players", multiple=True, metavar="NAME", help="Who takes part.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
@json_option
@common_options
@click.pass_obj
def simulate(frame: CommandContext, /, runbook: Path, **options: Any) -> None:
    """Simulate a run of RUNBOOK: the same rules, simulated time, no contact with hosts.

    One trial uses every estimate as it is and prints the timeline. With --trials durations are
    random: it prints percentiles, chances and what they depend on.
    """
    plan = load_selected(frame, runbook, options).plan
    scenario = Scenario(plan, _injects(plan, options), _measured(frame, plan, options))
    if options["interactive"]:
        _play(scenario, options)
        return
    one, found = trial(scenario, None), None
    if options["number"] is not None:
        found = summary(plan, trials(scenario, options["number"], options["seed"]))
    form = "json" if options["as_json"] else options["form"]
    text = _rendered(plan, one, found, form)
    if options["output"] is None:
        give(text)
    else:
        write_file(options["output"], text, "simulation")


def _measured(frame: CommandContext, plan: Plan, options: dict[str, Any]) -> Measured:
    if not options["from_history"]:
        return {}
    with frame.state() as records:
        found = measured(records, plan.runbook.name)
    if not found:
        raise InputError(f"--from-history: there is no run of {plan.runbook.name} to learn from")
    return found


def _play(scenario: Scenario, options: dict[str, Any]) -> None:
    """Play with people at the terminal; the record is written however it ends."""
    exercise = Exercise(scenario, say, _read_line)
    say(f"A tabletop: nothing is contacted. Type answers, or:\n{HELP}")
    try:
        exercise.play()
    finally:
        record = exercise.document()
        made = document("exercise", **record, players=list(options["players"]))
        path = options["output"] or Path(f"exercise-{record['runbook']}.json")
        write_file(path, dumps(made), "exercise record")


def _read_line(prompt: str) -> str | None:
    say(prompt)
    line = sys.stdin.readline()
    return line or None


def _rendered(plan: Plan, one: Trial, found: Summary | None, form: str) -> str:
    match form:
        case "html":
            from drrun.report.tabletop.trials_page import html

            return html(plan, one, found)
        case "json":
            return dumps(summary_json(plan, found) if found else trial_json(plan, one))
        case _:
            return summary_text(plan, found) if found else trial_text(plan, one)


def _injects(plan: Plan, options: dict[str, Any]) -> tuple[Inject, ...]:
    found: list[Inject] = []
    for path in options["files"]:
        try:
            found += read_injects(path.read_bytes(), str(path))
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise InputError(f"--inject {path}: {reason}") from None
    check_injects(plan, tuple(found))
    return (
        *found,
        *(_failing(plan, each) for each in options["fail"]),
        *(_slow(plan, each) for each in options["slow"]),
        *(_loss(plan, each) for each in options["lose"]),
        *(Inject("silent", _known(plan, each, "--silent")) for each in options["silent"]),
    )


def _failing(plan: Plan, given: str) -> Inject:
    step, _, times = given.partition("=")
    _known(plan, step, "--fail")
    if times and not times.isdigit():
        raise InputError(f"--fail {given}: write STEP or STEP=2")
    return Inject("fail", step, times=int(times or 0))


def _slow(plan: Plan, given: str) -> Inject:
    step, _, factor = given.partition("=")
    _known(plan, step, "--slow")
    match = _FACTOR.fullmatch(factor)
    if match is None:
        raise InputError(f"--slow {given}: write STEP=3x")
    return Inject("slow", step, factor=float(match[1]))


def _loss(plan: Plan, given: str) -> Inject:
    thing, _, when = given.partition("@")
    if why := unknown_thing(plan, thing):
        raise InputError(f"--lose {given}: {why}")
    try:
        at = float(Duration.parse(when or "0s"))
    except ValueError as error:
        raise InputError(f"--lose {given}: {error}") from None
    return Inject("lose", thing, at=(at, at))


def _known(plan: Plan, step: str, option: str) -> str:
    if step not in plan.steps:
        raise InputError(f"{option}: there is no step '{step}'{did_you_mean(step, plan.steps)}")
    return step
