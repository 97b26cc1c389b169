"""What other programs on the controller get of drrun's own environment.

Rules:
- A command of a step gets what any program needs: where things are, who it is, which language and
  time. Everything else may be a secret, drrun's own or somebody's, and a step that wants it names
  it in `env`. On a host the same question is answered by its log-in.
- A program that the user's own settings name (a notifier, what OpenSSH's client starts) gets
  everything but the variables that a runbook declares as secrets.
- Only the command of a secret gets all: to find one secret may take another.
"""

import os
from collections.abc import Iterable, Mapping

#: All of it, by name: a pattern would let through what nobody has looked at.
INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "SSH_AUTH_SOCK"),
    *("XDG_RUNTIME_DIR", "LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE"),
    *("LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"),
)

#: Variables that hold secrets of runbooks. Of the process, as its environment is.
_SECRET: set[str] = set()


def inherited(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What commands of steps get."""
    return {name: environment[name] for name in INHERITED if name in environment}


def withhold(names: Iterable[str]) -> None:
    """Give these variables to no program any more."""
    _SECRET.update(names)


def for_helpers(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What programs of the user's settings get."""
    return {name: value for name, value in environment.items() if name not in _SECRET}
