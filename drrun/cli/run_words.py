"""Which run a command means, and what the Tab key offers for runs, steps and hosts.

Rules:
- RUN may be left out. A command that only looks means the latest run then. One that changes
  something means the latest too, says which that is, and refuses to guess where several are open.
- Completion never fails and never speaks: where something is wrong, it offers nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import click

from drrun.cases.find import find_run
from drrun.cases.read_run import known
from drrun.cli.context import CommandContext
from drrun.cli.out import say
from drrun.core.model.errors import DrrunError, InputError
from drrun.core.model.ids import RunId
from drrun.core.model.plan import Plan
from drrun.core.model.status import ENDED
from drrun.engine.records import Records

#: What stands for a RUN that was left out of a command that changes something.
LEFT_OUT = ""
#: Runs that the Tab key offers at most.
_OFFERED = 20


class ActingCommand(click.Command):
    """A command whose first argument, RUN, may be left out before others that may not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; where an argument is missing, RUN is the one."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as missing:
            if not isinstance(missing.param, click.Argument):
                raise
        ctx.params.clear()
        return super().parse_args(ctx, [LEFT_OUT, *words])


def the_run(records: Records, text: str) -> RunId:
    """The run that a command changes; says which it is if it was left out.

    Raises:
        InputError: There is none, or several could be meant.
    """
    if text != LEFT_OUT:
        return find_run(records, text)
    going_on = [each.id for each in records.journal.runs() if each.status not in ENDED]
    if len(going_on) > 1:
        raise InputError(f"several runs are open; say which: {', '.join(going_on)}")
    run = find_run(records, "latest")
    if going_on and going_on[0] != run:
        raise InputError(f"{going_on[0]} is open, and {run} began later; say which")
    say(f"drrun: run {run}")
    return run


def complete_run(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Runs; and for commands on steps, which may leave RUN out, steps of the latest."""
    del parameter
    offered = ["latest", *(each.id for each in _runs(ctx)[:_OFFERED])]
    arguments = {each.name for each in ctx.command.params if isinstance(each, click.Argument)}
    if "step" in arguments and isinstance(ctx.command, ActingCommand):
        offered += _steps(ctx, "latest")
    return _beginning(offered, incomplete)


def complete_step(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Steps of the run that was named, with their targets once an @ is typed."""
    del parameter
    run = str(ctx.params.get("run") or "latest")
    plan = _plan(ctx, run)
    if plan is None:
        return []
    if "@" not in incomplete:
        return _beginning(plan.steps, incomplete)
    targets = (f"{step}@{each.name}" for step, planned in plan.steps.items()
               for each in planned.targets)  # fmt: skip
    return _beginning(targets, incomplete)


def complete_host(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Hosts of the run's inventory; `KIND:NAME` where a command takes other things too."""
    plan = _plan(ctx, str(ctx.params.get("run") or "latest"))
    if plan is None:
        return []
    names: Iterable[str] = plan.inventory.hosts
    if parameter.name == "thing":
        names = [*(f"host:{each}" for each in names),
                 *(f"site:{each}" for each in plan.inventory.sites)]  # fmt: skip
    return _beginning(names, incomplete)


#: RUN of a command that only looks; the latest if it is left out.
run_argument = click.argument(
    "run", metavar="[RUN]", required=False, default="latest", shell_complete=complete_run
)
#: RUN of a command that changes something; see `the_run`.
acting_run_argument = click.argument(
    "run", metavar="[RUN]", required=False, default=LEFT_OUT, shell_complete=complete_run
)


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [each for each in words if each.startswith(incomplete)]


def _runs(ctx: click.Context) -> list[Any]:
    with suppress(DrrunError), _frame(ctx).state() as records:
        return list(records.journal.runs())
    return []


def _steps(ctx: click.Context, run: str) -> Iterator[str]:
    plan = _plan(ctx, run)
    yield from plan.steps if plan else ()


def _plan(ctx: click.Context, run: str) -> Plan | None:
    with suppress(DrrunError), _frame(ctx).state() as records:
        return known(records, find_run(records, run)).loaded.plan
    return None


def _frame(ctx: click.Context) -> CommandContext:
    return ctx.ensure_object(CommandContext)
