"""What every command shares: its settings, the state, and the options that name both."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drrun.core.dataclass import dataclass

if TYPE_CHECKING:
    from drrun.engine.records import Records
    from drrun.settings import Settings

ClickCommand = TypeVar("ClickCommand", bound=Callable[..., Any])


@dataclass(slots=True)
class CommandContext:
    """One call of the command."""

    #: Values of options that are settings too, by name; the innermost wins.
    flags: dict[str, Any] = field(default_factory=dict)
    #: The exit code of a command that ended as it should.
    code: int = 0

    def settings(self) -> "Settings":
        """The settings of this call.

        Raises:
            InputError: A file or a variable says something that cannot be.
        """
        from drrun.settings import read_settings

        return read_settings(self.flags, os.environ, Path.cwd())

    @contextmanager
    def state(self) -> Iterator["Records"]:
        """What is kept of runs; reading it creates nothing.

        Raises:
            StateUnusable: It cannot be used safely.
        """
        from drrun.journal.opening import open_state

        settings = self.settings()
        with open_state(settings.state, settings.by, settings.key) as records:
            yield records


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value not in (None, (), False) and parameter.name:
        ctx.ensure_object(CommandContext).flags[parameter.name] = value


def _setting(*names: str, **keys: Any) -> Callable[[ClickCommand], ClickCommand]:
    return click.option(*names, expose_value=False, callback=_remember, **keys)


ssh_option = _setting(
    "--ssh-config",
    metavar="FILE",
    help="Instead of ~/.ssh/config; what `run` was given holds for its run.",
)


def common_options(command: ClickCommand) -> ClickCommand:
    """Options that every command takes, before its name too."""
    state = _setting("--state", metavar="URL", help="Where runs are kept. [DRRUN_STATE]")
    by = _setting("--by", metavar="PERSON", help="Who is acting. [DRRUN_BY]")
    return state(by(command))


def driving_options(command: ClickCommand) -> ClickCommand:
    """Options of commands that drive a run."""
    options: tuple[Callable[[Any], Any], ...] = (
        _setting(
            "--max-parallel",
            metavar="N",
            help="How many things are done at once, on each host no more than its max_sessions. "
            "Default: 256.",
        ),
        _setting(
            "--linger",
            metavar="DURATION",
            help="How long to wait when only a person can continue the run. Default: for ever at "
            "a terminal, else 10s; 0s with --no-input.",
        ),
    )
    for option in options:
        command = option(command)
    return contact_options(command)


def contact_options(command: ClickCommand) -> ClickCommand:
    """Options of commands that contact the hosts of a run."""
    quiet = _setting("--no-input", is_flag=True, help="Never ask at the terminal.")
    plain = click.option("--plain", is_flag=True, help="One line for each change, no live view.")
    return ssh_option(quiet(plain(command)))


def inventory_options(command: ClickCommand) -> ClickCommand:
    """Options of commands that read a runbook."""
    inventory = _setting(
        "-i",
        "--inventory",
        multiple=True,
        metavar="PATH",
        help="Inventory file or folder. Default: inventory/ beside the runbook's folder.",
    )
    strict = click.option("--strict", is_flag=True, help="Warnings are errors.")
    return inventory(strict(command))


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def quiet_libraries() -> None:
    """Keep warnings for programmers away from users, unless Python was told to show them."""
    import sys

    if not sys.warnoptions:
        warnings.simplefilter("ignore")
