"""The command `drrun`: finds the command that was typed, and turns every error into a message.

Rules:
- Nothing that a command needs is imported before it is typed: `drrun --help` stays quick.
- No traceback reaches a user. What was not foreseen goes to the log file, which is named.
"""

import importlib
import sys
from collections.abc import Sequence
from keyword import iskeyword
from typing import NoReturn

import click

from drrun import __version__
from drrun.cli.catalogue import ALIASES, COMMANDS, LATER, HelpGroup
from drrun.cli.context import CommandContext, common_options
from drrun.cli.exit import Exit
from drrun.cli.failures import ending
from drrun.cli.foreign import meant_command
from drrun.cli.out import prepare_streams
from drrun.core.model.errors import InputError


class Commands(click.Group):
    """Commands by name, each imported when it is typed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, if there is one."""
        del ctx
        if cmd_name in LATER:
            return _not_yet(cmd_name)
        cmd_name = ALIASES.get(cmd_name, cmd_name)
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        module = importlib.import_module(f"drrun.cli.{listed.module}")
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(module, f"{name}_" if iskeyword(name) else name)
        command.epilog = f"\b\nExample:\n  {listed.example}"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but say which command was probably meant."""
        name = args[0] if args else ""
        if name and self.get_command(ctx, name) is None and not name.startswith("-"):
            meant = meant_command(name, COMMANDS)
            hint = f" Did you mean: {meant}" if meant else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help page's list, from the table alone."""
        del ctx
        width = max(map(len, COMMANDS))
        for group in HelpGroup:
            with formatter.section(str(group)):
                formatter.write_dl(
                    [
                        (name.ljust(width), each.about)
                        for name, each in COMMANDS.items()
                        if each.group is group
                    ]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Exit codes."""
        del ctx
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code.value), code.about) for code in Exit])


def _not_yet(name: str) -> click.Command:
    @click.command(
        name,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        add_help_option=False,
    )
    def command() -> NoReturn:
        raise InputError(f"{name} is not supported yet; `drrun --help` lists what is")

    return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Execute disaster-recovery runbooks over SSH: every step verified, every run resumable.",
)
@common_options
@click.version_option(__version__, prog_name="drrun", message="%(prog)s %(version)s")
@click.pass_context
def drrun(ctx: click.Context) -> None:
    """Begin every command."""
    ctx.ensure_object(CommandContext)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Execute one command line and end the process."""
    sys.exit(run_command_line(sys.argv[1:] if arguments is None else arguments))


def run_command_line(arguments: Sequence[str]) -> int:
    """Execute one command line; the exit code."""
    prepare_streams()
    frame = CommandContext()
    with ending(frame) as end:
        drrun.main(list(arguments), prog_name="drrun", standalone_mode=False, obj=frame)
    return int(end.code)
