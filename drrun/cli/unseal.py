"""`drrun unseal`: read what was sealed because a secret had changed."""

from collections.abc import Sequence

import click

from drrun.cases.find import find_run
from drrun.cli.context import CommandContext, common_options
from drrun.cli.exit import Exit
from drrun.cli.old_secrets import old_secret_option, old_values
from drrun.cli.out import can_ask, say
from drrun.cli.run_words import run_argument
from drrun.core.integrity.masking import Mask
from drrun.core.model.errors import InputError
from drrun.report.text.sheet import plural


@click.command()
@run_argument
@old_secret_option
@common_options
@click.pass_obj
def unseal(frame: CommandContext, run: str, old_secrets: Sequence[str]) -> None:
    """Make sealed outputs of RUN readable, with former values of secrets; they stay masked.

    An output is sealed when it is collected after a secret has changed: it may show the former
    value, which drrun does not know. Exit code 3: another secret's former value is needed too.
    """
    if not old_secrets:
        raise InputError("say which secret changed: drrun unseal RUN --old-secret NAME")
    values = old_values(old_secrets, may_ask=can_ask(frame.settings()))
    with frame.state() as records:
        found = find_run(records, run)
        if records.seals is None:
            return
        done = records.seals.unseal(found, values, Mask(value for _, value in values))
    say(f"{plural(done.opened, 'output')} of {found} can be read now: drrun logs {found} STEP")
    if done.wanted:
        say(f"others are still sealed; they need the former value of {', '.join(done.wanted)} too")
        frame.code = Exit.LEFT
