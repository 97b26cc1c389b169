"""Former values of secrets, as a person names them: `NAME=env:VARIABLE`, `file:PATH`, `command:…`.

Rules:
- A value itself is on no command line: it is named, or asked for at the terminal without an echo.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from drrun.core.model.errors import InputError
from drrun.core.model.runbook import SecretRef

_KINDS = ("env", "file", "command")

old_secret_option = click.option(
    "--old-secret",
    "old_secrets",
    multiple=True,
    metavar="NAME[=KIND:WHERE]",
    help="A secret's value before it changed: env:VARIABLE, file:PATH, command:COMMAND; "
    "NAME alone asks for it.",
)


def old_values(given: Sequence[str], *, may_ask: bool) -> Sequence[tuple[str, str]]:
    """Names and values; a secret that changed twice has two.

    Raises:
        InputError: Something is no such name, or nobody can be asked.
        NotReady: A value is not there.
    """
    return [_value(text, may_ask=may_ask) for text in given]


def _value(text: str, *, may_ask: bool) -> tuple[str, str]:
    from drrun.builtin.secrets import SecretSources

    if "=" in text:
        reference = _reference(text)
        sources = SecretSources({reference.name: reference}, Path.cwd())
        return reference.name, sources.resolve(reference.name)
    if not may_ask:
        raise InputError(
            f"--old-secret {text}: there is no terminal to ask on; say where it is: "
            f"--old-secret {text}=file:PATH"
        )
    return text, click.prompt(f"former value of {text}", hide_input=True, err=True)


def _reference(text: str) -> SecretRef:
    name, _, where = text.partition("=")
    kind, colon, rest = where.partition(":")
    if kind not in _KINDS or not colon or not rest:
        # Without what was written: it may be the value itself.
        ways = " or ".join(f"{name}={each}:…" for each in _KINDS)
        raise InputError(f"--old-secret {name}: say where the value is, not the value: {ways}")
    return SecretRef(name, kind, rest)
