"""`drrun cleanup`: nothing of a run stays on its hosts but what somebody may still need."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from drrun.cases.cleanup import REMEMBERED, Swept, clean_up
from drrun.cases.close import unclean
from drrun.cli.context import (
    CommandContext,
    common_options,
    contact_options,
    json_option,
)
from drrun.cli.exit import Exit
from drrun.cli.out import give, say, sheet
from drrun.cli.run_words import acting_run_argument, the_run
from drrun.core.model.runbook import Mode
from drrun.core.model.values import Duration
from drrun.report.clean import clean_line
from drrun.report.jsondoc import document, dumps
from drrun.report.table import Column, table
from drrun.report.text.sheet import join, plural
from drrun.wiring import SshSettings, sweeper

#: So many foreign folders are named; more are only counted.
_NAMED = 3

_SHAPE = (
    Column("host"),
    Column("run"),
    Column("job"),
    Column("what"),
    Column("why", least=20),
)


@click.command()
@acting_run_argument
@click.option(
    "--after",
    default=str(REMEMBERED),
    metavar="DURATION",
    show_default=True,
    help="How long after its close hosts remember a run.",
)
@contact_options
@json_option
@common_options
@click.pass_obj
def cleanup(frame: CommandContext, /, run: str, *, after: str, plain: bool, as_json: bool) -> None:
    """Remove from its hosts what RUN left there.

    What its jobs printed goes at once. A job that still runs, or whose outcome is not in the
    record, is kept and named: `resume` collects it, `abort` ends it. Hosts remember the run, to
    refuse an older copy of the state, until some time after it was closed. A
    rehearsal is over once its steps with the tag `cleanup` have passed; those that have not are
    named (exit code 3).
    """
    del plain  # it draws nothing in any case; scripts give every command of a run the same options
    settings = frame.settings()
    try:
        remembered = Duration.parse(after)
    except ValueError as error:
        raise click.UsageError(f"--after: {error}") from None
    with frame.state() as records:
        equip = sweeper(SshSettings(settings.ssh_config))
        seen, found = clean_up(records, the_run(records, run), equip, remembered)
    open_steps = list(unclean(seen)) if seen.loaded.plan.mode is Mode.REHEARSAL else []
    frame.code = _code(found) or (Exit.LEFT if open_steps else Exit.DONE)
    if as_json:
        jobs = [_json(each) for each in found]
        give(dumps(document("cleanup", run=seen.run, jobs=jobs, open=open_steps)))
        return
    give(_text(found))
    for each in open_steps:
        say(f"the rehearsal is not over: {each}")


def _code(found: Sequence[Swept]) -> Exit:
    what = {each.what for each in found}
    if "unreachable" in what:
        return Exit.NOT_READY
    return Exit.LEFT if "kept" in what else Exit.DONE


def _json(swept: Swept) -> dict[str, Any]:
    return {
        "host": swept.host,
        "run": swept.run,
        "about": swept.about,
        "job": swept.job or None,
        "what": swept.what,
        "why": swept.why or None,
    }


def _text(found: Sequence[Swept]) -> str:
    """A row for each thing of a run that is known here; what is of others is counted."""
    if not found:
        return "nothing is left on any host\n"
    ours = [each for each in found if each.what != "foreign"]
    rows = [[each.host, each.run, each.job or "-", each.what, each.why] for each in ours]
    page = sheet(sys.stdout)
    runs = [clean_line(f"{run}: {told}") for run, told in {e.run: e.about for e in ours}.items()]
    lines = [*runs, "", *table(_SHAPE, rows, page.width, page.ink)] if ours else []
    return join([*lines, *_foreign(found)])


def _foreign(found: Sequence[Swept]) -> Iterator[str]:
    """One line a host for the folders of runs that this state does not know."""
    known = {each.run for each in found if each.what != "foreign"}
    runs: dict[str, dict[str, None]] = {}
    for each in found:
        if each.run not in known:
            runs.setdefault(each.host, {})[each.run] = None
    for host, names in runs.items():
        few = f" ({', '.join(names)})" if len(names) <= _NAMED else ""
        told = (
            f"{host}: {plural(len(names), 'foreign folder')}{few} of runs that are not known here"
        )
        yield clean_line(f"{told}; left alone")
