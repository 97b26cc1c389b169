"""Commands for after the incident: findings, follow-ups, clocks, and the close of a run."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from drrun.cases.close import open_items
from drrun.cases.send_request import act as ask_for
from drrun.cli.act import acting, post
from drrun.cli.context import CommandContext, common_options, json_option, ssh_option
from drrun.cli.exit import Exit
from drrun.cli.out import can_ask, give, say, sheet
from drrun.cli.run_views import find, view_of
from drrun.cli.run_words import run_argument, the_run
from drrun.core.model.errors import InputError
from drrun.core.model.moments import parse_moment
from drrun.core.people.annotations import CLOCKS, SEVERITIES
from drrun.core.people.commands import Close
from drrun.report.after.milestones import clocks_of
from drrun.report.clean import clean_line
from drrun.report.jsondoc import document, dumps
from drrun.report.loose_text import ends_csv, ends_markdown, ends_text
from drrun.report.open_items import LooseEnd, loose_ends
from drrun.report.run_view import below
from drrun.report.services import ServiceView
from drrun.report.table import Column, table
from drrun.report.text.sheet import join
from drrun.report.times import moment, precise
from drrun.wiring import SshSettings, eyes

_text = click.argument("text", nargs=-1, required=True)
_owner = click.option("--owner", default="", metavar="PERSON", help="Who takes care of it.")
_due = click.option("--due", default="", metavar="DATE", help="Until when: 2024-02-01.")
_about = click.option("--step", default="", metavar="STEP", help="What it is about.")
_CLOCKS = (Column("clock"), Column("UTC"), Column("by"), Column("why", least=8))
_FORMATS = ("text", "json", "csv", "markdown")


@acting(
    _text,
    click.option("--severity", type=click.Choice(SEVERITIES), default="medium", show_default=True),
    _owner,
    _due,
    _about,
)
def finding(frame: CommandContext, /, **options: Any) -> None:
    """Record TEXT as a finding of RUN: something to fix."""
    _add(frame, "finding", options)


@acting(_text, _owner, _due, _about)
def follow_up(frame: CommandContext, /, **options: Any) -> None:
    """Record TEXT as a follow-up of RUN: work that is still to be done."""
    _add(frame, "follow-up", options)


def _add(frame: CommandContext, kind: str, options: dict[str, Any]) -> None:
    words: Sequence[str] = options["text"]
    text = sys.stdin.read() if list(words) == ["-"] else " ".join(words)
    if not text.strip():
        raise InputError(f"a {kind} needs some text")
    more = {name: options[name] for name in ("severity", "owner", "due") if options.get(name)}
    post(frame, kind, options, text=text.strip(), **more)


@acting(*(click.option(f"--{name}", metavar="WHEN", help="2024-01-10T06:00Z") for name in CLOCKS))
def clocks(frame: CommandContext, /, **options: Any) -> None:
    """Record when something happened that the journal could not see; without an option, show all.

    Whoever states one says why with --reason. The report counts the time to recovery from the
    disruption and from the declaration.
    """
    given = {name: options[name] for name in CLOCKS if options[name]}
    if not given:
        _show_clocks(frame, options["run"], as_json=options["as_json"])
        return
    if not options["reason"]:
        raise click.UsageError("say where this time comes from: --reason TEXT")
    with frame.state() as records:
        now = records.clock.now()
    stated = {name: _moment(name, written, now) for name, written in given.items()}
    for name, at in stated.items():
        post(frame, "clock", options, name=name, moment=at)
        if frame.code != Exit.DONE:
            return


def _moment(name: str, written: str, now: float) -> float:
    try:
        return parse_moment(written, now)
    except ValueError as error:
        raise InputError(f"--{name}: {error}") from None


def _show_clocks(frame: CommandContext, run: str, *, as_json: bool) -> None:
    with frame.state() as records:
        seen = find(records, run)
        found = clocks_of(seen.facts, view_of(records, seen).services, seen.state.time.wall)
    if as_json:
        clocks = [
            {"name": each.name, "at": precise(each.at), "by": each.by or None, "why": each.why}
            for each in found
        ]
        give(dumps(document("clocks", run=seen.run, clocks=clocks)))
        return
    rows = [[each.name, moment(each.at), each.by, clean_line(each.why)] for each in found]
    page = sheet(sys.stdout)
    give(join(table(_CLOCKS, rows, page.width, page.ink)))


@click.command("follow-ups")
@run_argument
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@json_option
@common_options
@click.pass_obj
def follow_ups(frame: CommandContext, run: str, *, form: str, as_json: bool) -> None:
    """List the work that RUN left to do: findings, follow-ups, remaining workarounds."""
    with frame.state() as records:
        seen = find(records, run)
        found = list(loose_ends(seen.state, seen.facts))
    match "json" if as_json else form:
        case "json":
            give(dumps(document("follow-ups", run=seen.run, open=[_json(each) for each in found])))
        case "csv":
            give(ends_csv(found))
        case "markdown":
            give(ends_markdown(found))
        case _:
            give(ends_text(found, sheet(sys.stdout)))


def _json(each: LooseEnd) -> dict[str, Any]:
    return {
        "kind": each.kind, "text": each.text, "severity": each.severity or None,
        "owner": each.owner or None, "due": each.due or None, "step": each.step or None,
    }  # fmt: skip


@acting(
    ssh_option,
    click.option("-y", "--yes", is_flag=True, help="Do not ask, although services are down."),
)
def close(frame: CommandContext, /, **options: Any) -> None:
    """Close RUN, once backups of what was restored, workarounds and waivers are settled.

    Ages of backups are measured on their hosts. With --reason it is closed all the same, and what
    was open is kept in the record. Where services of a live run are not at their level, it asks.
    """
    with frame.state() as records:
        run = the_run(records, options["run"])
        seen = find(records, run)
        if seen.state.ended is not None and seen.state.closed_at is None:
            _ask_about(below(view_of(records, seen)), frame, options)
        world = SshSettings(frame.settings().ssh_config).of_run(seen.state.options)
        looking = eyes(world, seen.loaded)
        still = open_items(seen, looking, records.clock.now())
        reason = options["reason"]
        by = frame.settings().by
        answer = ask_for(records, run, Close(open=tuple(still), reason=reason), by)
    frame.code = Exit.DONE if answer.accepted else Exit.LEFT
    if options["as_json"]:
        accepted, said = answer.accepted, answer.message
        give(dumps(document("close", run=run, closed=accepted, open=still, message=said)))
        return
    for each in still:
        say(f"open: {each}")
    say(answer.message if answer.accepted else f"drrun: not closed: {answer.message}")


def _ask_about(
    down: Sequence[ServiceView], frame: CommandContext, options: dict[str, Any]
) -> None:
    """A run is not closed by mistake while users still wait for a service.

    Raises:
        click.UsageError: There is no terminal to ask at.
    """
    for each in down:
        name = each.title or each.name
        say(clean_line(f"{name} is {each.level or 'down'}, not {each.best}"))
    if not down or options["yes"]:
        return
    if options["as_json"] or not can_ask(frame.settings()):
        raise click.UsageError(
            "services are not at their level. To close the run anyway, add --yes."
        )
    if not click.confirm("Close the run anyway?", err=True):
        raise click.Abort
