"""`drrun completion`: a script by which a shell completes commands, runs, steps and hosts."""

import click
from click.shell_completion import get_completion_class

from drrun.cli.context import common_options
from drrun.cli.out import give

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@common_options
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    r"""Print a script for SHELL, to be loaded in a file that the shell reads at its start.

    \b
      bash   eval "$(drrun completion bash)"            in ~/.bashrc
      zsh    eval "$(drrun completion zsh)"             in ~/.zshrc
      fish   drrun completion fish | source             in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choice above
    give(kind(ctx.find_root().command, {}, "drrun", "_DRRUN_COMPLETE").source())
