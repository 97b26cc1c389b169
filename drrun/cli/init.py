"""`drrun init`: a first runbook with its inventory and its tests, to be changed."""

import re
from importlib.resources import files
from pathlib import Path

import click

from drrun.cli.context import CommandContext, common_options
from drrun.cli.out import say
from drrun.core.model.errors import InputError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[FOLDER]")
@click.option("--name", default="failover", show_default=True, help="Of the runbook.")
@common_options
@click.pass_obj
def init(frame: CommandContext, folder: Path, name: str) -> None:
    """Write a commented runbook, its inventory and its tests into FOLDER.

    No existing file is overwritten.
    """
    del frame
    if not _NAME.fullmatch(name):
        raise InputError(f"--name {name}: small letters, digits and - only")
    wanted = {
        folder / "runbooks" / f"{name}.yml": "runbook.yml",
        folder / "inventory" / "hosts.yml": "inventory.yml",
        folder / "runbooks" / "tests" / f"{name}.yml": "test.yml",
    }
    there = [str(path) for path in wanted if path.exists()]
    if there:
        raise InputError(f"{', '.join(there)}: there already, nothing was written")
    for path, starter in wanted.items():
        text = files("drrun.cli").joinpath("starter", starter).read_text("utf-8")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(name=name), "utf-8")
        except OSError as error:
            reason = (error.strerror or "cannot be written").lower()
            raise InputError(f"{path}: {reason}") from None
        say(f"written: {path}")
    say(f"next: drrun validate {next(iter(wanted))}")
