"""What a command on the controller gets of drrun's own environment.

Rules:
- Only what any program needs: where things are, who it is, which language and time. Everything
  else may be a secret, drrun's own or somebody's, and a step that wants it names it in `env`.
- On a host the same question is answered by its log-in.
"""

import os
from collections.abc import Mapping

#: All of it, by name: a pattern would let through what nobody has looked at.
INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "SSH_AUTH_SOCK"),
    *("XDG_RUNTIME_DIR", "LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE"),
    *("LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"),
)


def inherited(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The part of drrun's environment that commands on this machine get."""
    return {name: environment[name] for name in INHERITED if name in environment}
