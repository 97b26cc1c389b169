"""`drrun status`, `show`: read; change nothing."""

import sys

import click

from drrun.cases.kept_requests import kept_requests
from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.out import give, sheet
from drrun.cli.outputs import excerpts_of, split_target
from drrun.cli.run_views import facts_of_steps, glance, tell_damage, view_of
from drrun.cli.run_words import complete_step, run_argument
from drrun.report.clean import clean_line
from drrun.report.damage import damage_text
from drrun.report.duty_view import mine
from drrun.report.jsondoc import dumps
from drrun.report.jsondoc.runs import kept_json, mine_json, run_json, step_json
from drrun.report.step_view import step_view
from drrun.report.text.duty import mine_text
from drrun.report.text.run import run_text
from drrun.report.text.step import step_text


@click.command()
@run_argument
@click.option("--mine", "only_mine", is_flag=True, help="Only what concerns you (--by).")
@json_option
@common_options
@click.pass_obj
def status(frame: CommandContext, run: str, *, only_mine: bool, as_json: bool) -> None:
    """Show where RUN stands: every step, who must answer, what remains, service levels.

    RUN is an id, a unique part of one, or `latest`.
    """
    with frame.state() as records:
        seen = glance(records, run)
        view = view_of(records, seen)
        by = frame.settings().by
    lines = tell_damage(frame, seen)
    own = mine(seen.state, seen.about.shifts, by, view) if only_mine else None
    if as_json:
        give(dumps(run_json(view) if own is None else mine_json(own, lines)))
        return
    paper = sheet(sys.stdout)
    shown = run_text(view, paper) if own is None else mine_text(own, paper)
    give(damage_text(lines, paper.ink) + shown)


@click.command()
@run_argument
@click.argument("step", metavar="[STEP[@TARGET]]", required=False, shell_complete=complete_step)
@json_option
@common_options
@click.pass_obj
def show(frame: CommandContext, run: str, step: str | None, *, as_json: bool) -> None:
    """Show RUN as a whole, or everything about one of its steps.

    Attempts with command, host, route and exit; probes with what was expected and seen; the
    beginning and end of the output; answers of people; why it is blocked.
    """
    if step is None:
        click.get_current_context().invoke(status, run=run, only_mine=False, as_json=as_json)
        return
    with frame.state() as records:
        seen = glance(records, run)
        key, target = split_target(seen.state, step)
        facts = facts_of_steps(records, seen, [key])[key]
        view = step_view(seen.state, facts, key, target)
        excerpts = {} if as_json else excerpts_of(records, seen.run, view)
        kept = [each for each in kept_requests(records, seen.run) if each.step == key]
    lines = tell_damage(frame, seen)
    if as_json:
        give(
            dumps({**step_json(seen.run, view, lines), "kept": [kept_json(each) for each in kept]})
        )
    else:
        paper = sheet(sys.stdout)
        give(damage_text(lines, paper.ink) + step_text(view, excerpts, paper))
        for each in kept:
            give(clean_line(f"kept, not done yet: {each.id} {each.by}: {each}") + "\n")
