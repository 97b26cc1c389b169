"""`drrun help TOPIC`: what does not belong to one command."""

import click

from drrun.cli.exit import manual
from drrun.cli.out import give
from drrun.settings import KNOWN

_SETTINGS = (
    "Settings: flag, then DRRUN_NAME in the environment, then drrun.yaml in the working folder,\n"
    "then $XDG_CONFIG_HOME/drrun/config.yaml.\n\n"
    + "".join(f"  {name:<14} {about}\n" for name, about in KNOWN.items())
)
TOPICS = {"exit-codes": manual() + "\n", "settings": _SETTINGS}


@click.command()
@click.argument("topic", type=click.Choice(list(TOPICS)), required=False)
@click.pass_context
def help(ctx: click.Context, topic: str | None) -> None:  # noqa: A001 - the name people type
    """Help on exit-codes or settings; without TOPIC, the list of commands."""
    parent = ctx.parent
    give(TOPICS[topic] if topic else f"{parent.get_help() if parent else ''}\n")
