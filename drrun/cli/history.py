"""`drrun history`: which runs there were."""

import sys
from itertools import islice

import click

from drrun.cli.context import CommandContext, common_options, json_option
from drrun.cli.exit import Exit
from drrun.cli.out import give, sheet
from drrun.cli.run_list import history_lines, rehearsals, sieve, with_damage
from drrun.core.model.runbook import Mode
from drrun.core.model.status import RunStatus
from drrun.report.text.history import history_text


@click.command()
@click.option("--runbook", metavar="NAME", help="Runs of this runbook; * is a wildcard.")
@click.option("--mode", type=click.Choice([str(each) for each in Mode]), help="Runs in this mode.")
@click.option(
    "--status",
    type=click.Choice([str(each) for each in RunStatus]),
    help="Runs with this status now.",
)
@click.option("--service", metavar="NAME", help="Runs that raise this service.")
@click.option("--since", metavar="DATE", help="Begun on this day or later: 2024-01-10.")
@click.option("--until", metavar="DATE", help="Begun on this day or earlier.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The newest N of them.")
@json_option
@common_options
@click.pass_obj
def history(
    frame: CommandContext, /, *, limit: int | None, as_json: bool, **wanted: str | None
) -> None:
    """All runs, newest first; then when each runbook was last rehearsed, with which result.

    Each run's journal is checked; what is damaged or lost is told first (exit code 6).
    """
    with frame.state() as records:
        found = history_lines(records, sieve(wanted))
        listed = (line for line in found if wanted["status"] in (None, str(line.status)))
        lines = [with_damage(records, line) for line in islice(listed, limit)]
        lost = records.journal.lost()
        tried = rehearsals(records)
    if lost or any(line.damage for line in lines):
        frame.code = Exit.DAMAGED
    if as_json:
        from drrun.report.jsondoc import dumps
        from drrun.report.jsondoc.runs import history_json

        give(dumps(history_json(lines, tried, lost)))
    else:
        give(history_text(lines, sheet(sys.stdout), tried, lost))
