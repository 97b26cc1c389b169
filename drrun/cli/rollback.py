"""`drrun rollback`: what would be undone and what cannot be, shown before anything is."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from drrun.cases.edited_files import FileDecision
from drrun.cases.kept_requests import AskKept
from drrun.cases.read_run import ReadRun, known
from drrun.cases.resume import ResumeQuestions
from drrun.cases.resume import resume as go_on
from drrun.cli.act import post
from drrun.cli.context import (
    CommandContext,
    common_options,
    driving_options,
    json_option,
)
from drrun.cli.out import can_ask, say
from drrun.cli.resume_questions import kept_question
from drrun.cli.run import driven_by, equip_with, showing_with
from drrun.cli.run_screen import perform
from drrun.cli.run_words import acting_run_argument, the_run
from drrun.core.model.errors import Refused
from drrun.core.model.ids import StepId
from drrun.core.people.commands import RollBack, body_of
from drrun.core.people.consider import Denied, Granted, consider
from drrun.core.people.unanswered import KeptRequest
from drrun.core.rules.freeing import behind
from drrun.core.rules.undoing import points_of_no_return, to_undo, without_undo
from drrun.core.state.run_state import RunState
from drrun.engine.records import Records
from drrun.report.clean import clean_line
from drrun.report.text.sheet import Sheet, join
from drrun.settings import Settings


@click.command()
@acting_run_argument
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the record.")
@click.option("--yes", is_flag=True, help="Do not ask: accept everything.")
@click.option("--drop-kept", is_flag=True, help="Withdraw requests that change the run's course.")
@click.option(
    "--type",
    "typed",
    default="",
    metavar="NAME",
    help="The runbook's name, to roll back past a point of no return.",
)
@driving_options
@json_option
@common_options
@click.pass_obj
def rollback(frame: CommandContext, /, **options: Any) -> None:
    """Undo what has passed in RUN, in reverse order of dependency.

    Steps without undo are shown first. Past an irreversible step, a rollback needs a second
    person, who types the runbook's name.

    Requests that were kept while nobody drove RUN are done first. What states a fact, such as
    `lost`, needs no question; you are asked about what changes the run's course.

    It ends with 0 when everything is undone and verified, with 7 when something was not rolled
    back or nothing shows that it is undone, and with 1 when an undo failed.
    """
    with frame.state() as records:
        run = the_run(records, options["run"])
        options["run"] = options["run"] or run  # as it was typed, if it was
        state = known(records, run).state
    say(rollback_text(state, Sheet()))
    if to_undo(state) and not options["yes"]:
        _ask_to_undo(frame.settings(), options["run"])
    with frame.state() as records:
        seen = known(records, run)
        if seen.holder is None:
            _drive(frame, records, seen, options)
            return
    post(frame, "rollback", options, typed=options["typed"])


def _ask_to_undo(settings: Settings, run: str) -> None:
    if not can_ask(settings):
        raise click.UsageError(
            "There is no terminal to ask on, and nothing was undone. "
            f"To undo these steps: drrun rollback {shlex.quote(run)} --yes"
        )
    if not click.confirm("Undo these steps?", err=True):
        raise click.Abort


def _drive(
    frame: CommandContext, records: Records, seen: ReadRun, options: dict[str, Any]
) -> None:
    """Nobody drives the run: do it here, to the end of the rollback."""
    settings = frame.settings()
    command = RollBack(reason=options["reason"], typed=options["typed"])
    now = records.clock.now()
    found = consider(seen.state, command, settings.by, now)
    if isinstance(found, Denied):
        raise Refused(found.why)
    session = go_on(
        records,
        equip_with(settings),
        seen.run,
        replace(driven_by(settings), back=True),
        ask=ResumeQuestions(
            lambda _: FileDecision(take=False), _kept(settings, seen, options, command, now)
        ),
    )
    records.inbox.post(seen.run, now, settings.by, command.KIND, body_of(command))
    frame.code = perform(records, session, showing_with(settings, options), back=True)


def _kept(
    settings: Settings, seen: ReadRun, options: dict[str, Any], command: RollBack, now: float
) -> AskKept:
    """Ask about kept requests, and refuse those after which nothing could be rolled back."""
    may_ask = can_ask(settings)
    asked = kept_question(seen.run, settings, options, may_ask=may_ask, back=True)

    def ask(kept: Sequence[KeptRequest]) -> bool:
        wanted = asked(kept)
        for each in kept:
            if wanted or not each.wants_word(back=True):
                found = consider(seen.state, each.command, each.by, now)
                for event in found.events if isinstance(found, Granted) else ():
                    seen.state.apply(event, now)
        found = consider(seen.state, command, settings.by, now)
        if isinstance(found, Denied):
            raise Refused(f"after these requests nothing is rolled back: {found.why}")
        return wanted

    return ask


def _known_since(state: RunState, step: StepId) -> Iterator[str]:
    """What was measured at a point of no return and behind it: what a way back may cost."""
    for later in (step, *behind(state, step)):
        for key in state.keys(later):
            for name, value in state.targets[key].values.items():
                yield clean_line(f"{key}: {name} = {value}")


def rollback_text(state: RunState, sheet: Sheet) -> str:
    """What a rollback would do."""
    steps = to_undo(state)
    lines = ["to be undone, in this order:" if steps else "nothing that passed can be undone"]
    lines += [f"  {step}" for step in steps]
    for step, why in without_undo(state).items():
        lines += sheet.headed("stays", f"{step}: {clean_line(why)}")
    for step in points_of_no_return(state):
        lines += sheet.headed("no way back", f"{step} is irreversible and has acted")
        for value in _known_since(state, step):
            lines += sheet.headed("at risk", value)
    return join(lines)
