"""Pinned plans on the command line: `drrun plan RUNBOOK -o FILE`, then `drrun run FILE`."""

from pathlib import Path

import click
from click.core import ParameterSource

from drrun.cases.load_plan import LoadedPlan
from drrun.cases.pinned import Pinned, pin, read_pinned, unpinned
from drrun.cli.out import say, write_file
from drrun.core.model.errors import InputError
from drrun.journal.system_clock import SystemClock
from drrun.report.clean import clean_line
from drrun.report.times import moment

#: Options that choose what is in a pinned plan already.
_CHOICES = frozenset({"inputs", "mode", "variant", "only", "skip", "since", "inventory"})


def write_pinned(loaded: LoadedPlan, file: Path, by: str) -> None:
    """Write a plan into a file.

    Raises:
        InputError: It cannot be written, or is there already and something else.
    """
    if file.exists() and read_pinned(file) is None:
        raise InputError(
            f"{file} is there already and is not a pinned plan: give another name to -o"
        )
    write_file(file, pin(loaded, Path.cwd(), by, SystemClock().now()), "pinned plan")


def plan_in(file: Path, pinned: Pinned) -> LoadedPlan:
    """The plan that a file pins, and nothing else.

    Raises:
        InputError: A file changed since.
        click.UsageError: An option would choose otherwise.
    """
    context = click.get_current_context()
    for each in context.command.params:
        name = each.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name in _CHOICES and given:
            raise click.UsageError(
                f"{file} is a pinned plan, and {each.opts[-1]} is chosen in it: leave it out, or "
                "pin another one with: drrun plan RUNBOOK -o FILE"
            )
    say(clean_line(f"pinned plan of {moment(pinned.made_at)} UTC by {pinned.by}"))
    return unpinned(pinned, file)
