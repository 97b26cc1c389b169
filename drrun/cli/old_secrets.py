"""Former values of secrets, as a person names them: `NAME=env:VARIABLE`, `file:PATH`, `command:…`.

Rules:
- A value itself is on no command line: it is named, or asked for at the terminal without an echo.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from drrun.cli.out import can_ask
from drrun.core.errors import InputError
from drrun.core.runbook import SecretRef

_KINDS = ("env", "file", "command")

old_secret_option = click.option(
    "--old-secret",
    "old_secrets",
    multiple=True,
    metavar="NAME[=KIND:WHERE]",
    help="A secret's value before it changed: env:VARIABLE, file:PATH, command:COMMAND; "
    "NAME alone asks for it.",
)


def old_values(given: Sequence[str], *, may_ask: bool) -> Mapping[str, str]:
    """The values, by name.

    Raises:
        InputError: Something is no such name, or nobody can be asked.
        NotReady: A value is not there.
    """
    from drrun.builtin.secrets import SecretSources

    named = dict(_reference(text) for text in given if "=" in text)
    sources = SecretSources(named, Path.cwd())
    values = {name: sources.resolve(name) for name in named}
    for name in (text for text in given if "=" not in text):
        if not (may_ask and can_ask()):
            raise InputError(
                f"--old-secret {name}: nobody can be asked here; say where it is: "
                f"--old-secret {name}=file:PATH"
            )
        values[name] = click.prompt(f"former value of {name}", hide_input=True, err=True)
    return values


def _reference(text: str) -> tuple[str, SecretRef]:
    name, _, where = text.partition("=")
    kind, colon, rest = where.partition(":")
    if kind not in _KINDS or not colon or not rest:
        # Without what was written: it may be the value itself.
        ways = " or ".join(f"{name}={each}:…" for each in _KINDS)
        raise InputError(f"--old-secret {name}: say where the value is, not the value: {ways}")
    return name, SecretRef(name, kind, rest)
