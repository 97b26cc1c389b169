"""`drrun run` and `drrun resume`: drive a run, and show it while it goes."""

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from drrun.cases.load_plan import hosts_of, is_unmarked_rehearsal, refuse_unsupported
from drrun.cases.resume import OnRunHeld
from drrun.cases.resume import resume as go_on
from drrun.cases.start import Options, ToolFactory, start
from drrun.cli.context import (
    CommandContext,
    common_options,
    driving_options,
    inventory_options,
    json_option,
)
from drrun.cli.edit import edit_here
from drrun.cli.exit import Exit
from drrun.cli.old_secrets import old_secret_option, old_values
from drrun.cli.out import can_ask, say, sheet
from drrun.cli.plan import load_selected, selection_options
from drrun.cli.resume_questions import questions, resume_options
from drrun.cli.run_screen import Showing, perform
from drrun.cli.run_words import acting_run_argument, the_run
from drrun.cli.runbooks import must_exist
from drrun.core.model.errors import InputError, RunHeld
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Runbook
from drrun.core.model.values import Duration
from drrun.core.people.seats import barred_by_driving, not_in_roles
from drrun.report.clean import clean
from drrun.report.plan_view import plan_view
from drrun.report.text.plan import plan_text
from drrun.settings import Settings
from drrun.wiring import SshSettings, equipper, notifiers_of

#: Seconds for which a run that nobody watches waits for answers from elsewhere.
_OTHER_TERMINAL = 10.0
#: Seconds between two looks at a controller whose run is to be taken over.
_LOOK_EVERY = 1.0


@click.command()
@selection_options
@inventory_options
@click.option(
    "-y", "--yes", is_flag=True, help="Do not ask before the start. Does not answer gates."
)
@click.option(
    "--allow-irreversible",
    "allowed",
    multiple=True,
    metavar="STEP",
    help="Do not ask at this point of no return.",
)
@click.option(
    "--type",
    "typed",
    default="",
    metavar="NAME",
    help="Rehearse on an inventory that is not marked for it: the runbook's name.",
)
@driving_options
@json_option
@common_options
@click.pass_obj
def run(frame: CommandContext, /, runbook: Path, **options: Any) -> None:
    """Plan RUNBOOK, show the plan, ask, execute.

    The run's id is printed on standard output at once. Ctrl-C once: nothing new begins; twice:
    leave at once. `drrun resume RUN` continues in either case. After a failure the prompt offers
    what can be done.
    """
    settings = frame.settings()
    loaded = load_selected(frame, runbook, options)
    refuse_unsupported(loaded.plan)
    must_exist(loaded.plan, "--allow-irreversible", options["allowed"])
    say(plan_text(plan_view(loaded.plan), sheet(sys.stderr)))
    _warn_driver(loaded.plan.runbook, settings.by)
    if is_unmarked_rehearsal(loaded.plan):
        _ask_for_unmarked(settings, loaded.plan, options["typed"])
    if not options["yes"] and not _may_begin(settings):
        say("drrun: nothing was begun")
        frame.code = Exit.INTERRUPTED
        return
    wanted = driven_by(settings, options["allowed"])
    with frame.state() as records:
        showing = _at_prompt(frame, showing_with(settings, options))
        session = start(records, equip_with(settings), loaded, wanted)
        frame.code = perform(records, session, showing)


@click.command()
@acting_run_argument
@click.option("--take-over", is_flag=True, help="Replace a controller that is dead or lost.")
@resume_options
@click.option(
    "--accept-older-record",
    "accept_older",
    is_flag=True,
    help="Accept this journal although hosts know a newer one. Needs a second person.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    help="Nothing but STEP is begun or tried again. Nothing is skipped for that.",
)
@click.option(
    "--from",
    "begin_at",
    default="",
    metavar="STEP",
    help="Nothing but STEP, and what needs it, is begun or tried again.",
)
@old_secret_option
@click.option("--seal", is_flag=True, help="Continue without values that need a former secret.")
@driving_options
@json_option
@common_options
@click.pass_obj
def resume(frame: CommandContext, /, run: str, **options: Any) -> None:
    """Continue RUN, which is interrupted, paused, waiting or failed.

    Passed steps are not executed again, attempts in flight are reconciled first, failed targets
    get a new attempt, blocked ones open again. Output collected after a secret has changed is
    sealed, unless you give the former value.
    """
    if options["only"] and options["begin_at"]:
        raise click.UsageError("--only and --from: give one of them")
    settings = frame.settings()
    former = old_values(options["old_secrets"], may_ask=can_ask(settings))
    with frame.state() as records:
        found = the_run(records, run)
        session = go_on(
            records,
            equip_with(settings),
            found,
            replace(
                driven_by(settings),
                accept_older=_accepting(options),
                former=former,
                seal=options["seal"],
                only=options["only"],
                begin_at=options["begin_at"],
            ),
            ask=questions(found, settings, options),
            take_over=_watching() if options["take_over"] else None,
        )
        _warn_driver(session.edges.ledger.state.plan.runbook, settings.by)
        frame.code = perform(records, session, _at_prompt(frame, showing_with(settings, options)))


def _at_prompt(frame: CommandContext, showing: Showing) -> Showing:
    """What whoever sits at the prompt can do besides: correct a step."""
    return replace(showing, editor=partial(edit_here, frame))


def _warn_driver(runbook: Runbook, by: str) -> None:
    """Say what is doubtful about whoever drives a run, before it begins."""
    for doubt in filter(None, (not_in_roles(runbook, by), *barred_by_driving(runbook, by))):
        say(clean(f"drrun: {doubt}"))


def _accepting(options: dict[str, Any]) -> str:
    """Why an older record counts, if somebody says so."""
    if options["accept_older"] and not options["reason"]:
        raise click.UsageError("to accept an older record, say why: --reason TEXT")
    return str(options["reason"]) if options["accept_older"] else ""


def _watching() -> OnRunHeld:
    """Says once that the holder is watched, and lets a moment pass between two looks."""
    told = threading.Event()

    def wait(held: RunHeld) -> None:
        seconds = held.wait or 0.0
        if not told.is_set():
            told.set()
            say(f"drrun: watching for {Duration(round(seconds))} whether its controller lives")
        threading.Event().wait(min(seconds, _LOOK_EVERY))

    return wait


def _ask_for_unmarked(settings: Settings, plan: Plan, typed: str) -> None:
    """A rehearsal acts for real: on hosts that may be in use only by a typed name.

    Raises:
        InputError: The name was not typed, and nobody can be asked for it.
    """
    name = plan.runbook.name
    if typed == name:
        return
    say(
        "A rehearsal changes hosts for real. The inventory does not say whether these are in use: "
        f"{', '.join(hosts_of(plan))}"
    )
    if typed or not can_ask(settings):
        wrong = f"--type {typed}: that is not the runbook's name. " if typed else ""
        raise InputError(
            f"{wrong}Nothing was begun. If they are there to rehearse on, write 'rehearsal: true' "
            f"into the inventory, or repeat the command with --type {name}"
        )
    if click.prompt(f"Type {name} to rehearse on them", err=True).strip() != name:
        raise InputError(f"that is not {name}: nothing was begun")


def _may_begin(settings: Settings) -> bool:
    if not can_ask(settings):
        raise click.UsageError("there is no terminal to ask on: add --yes to execute this plan.")
    return click.confirm("Execute this plan?", err=True)


def driven_by(settings: Settings, allowed: Sequence[str] = ()) -> Options:
    """How the run is driven; who sits at the terminal is waited for, without an end."""
    linger: float | None = settings.linger
    if linger is None:
        linger = None if can_ask(settings) else _patience(settings)
    return Options(
        by=settings.by,
        max_parallel=settings.max_parallel,
        allow_irreversible=tuple(allowed),
        ssh_config=settings.ssh_config,
        fetch_into=settings.fetch_into,
        linger=linger,
        stays=can_ask(settings),
    )


def _patience(settings: Settings) -> float:
    """Without a terminal an answer can still come from another one; for a moment it is awaited."""
    return 0.0 if settings.no_input else _OTHER_TERMINAL


def equip_with(settings: Settings) -> ToolFactory:
    """What makes the tools of a run."""
    world = SshSettings(settings.ssh_config, settings.fetch_into)
    return equipper(world, notifiers_of(settings.notify))


def showing_with(settings: Settings, options: Any) -> Showing:
    """How a run is shown, and who is told elsewhere."""
    return Showing(
        by=settings.by,
        log=settings.log,
        interactive=can_ask(settings),
        plain=options["plain"],
        as_json=options["as_json"],
        notifiers=notifiers_of(settings.notify),
    )
