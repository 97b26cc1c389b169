"""Where secrets come from: the environment, a file, or a command. Contract section 2, `secrets`.

Rules:
- A secret is found when it is used, and kept nowhere (contract guarantee 8).
- An empty secret is a missing one. No message ever holds a value, or what a command printed.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from drrun.core.model.errors import NotReady
from drrun.core.model.runbook import SecretRef
from drrun.engine.environment import withhold

#: Seconds a secret's command may take: long enough to touch a security key.
COMMAND_TIMEOUT = 60.0
#: Permission bits that let others read a file.
_OTHERS = 0o077


class SecretSources:
    """Finds the secrets that a runbook refers to."""

    def __init__(self, references: Mapping[str, SecretRef], folder: Path) -> None:
        self._references = references
        self._folder = folder
        withhold(each.where for each in references.values() if each.kind == "env")

    def resolve(self, name: str) -> str:
        """The secret's value.

        Raises:
            NotReady: It is missing, empty or cannot be read; says where it was looked for.
        """
        reference = self._references[name]
        match reference.kind:
            case "env":
                value = os.environ.get(reference.where, "")
            case "file":
                value = self._from_file(name, reference.where)
            case _:
                value = self._from_command(name, reference.where)
        if not value:
            raise NotReady(
                f"secret {name} is empty or not set ({reference.kind}: {reference.where})"
            )
        return value

    def _from_file(self, name: str, where: str) -> str:
        path = self._folder / Path(where).expanduser()
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise NotReady(f"secret {name}: {path}: {reason}") from None
        if mode & _OTHERS:
            raise NotReady(
                f"secret {name}: {path} can be read by others; close it with: chmod 600 {path}"
            )
        return text.removesuffix("\n")

    def _from_command(self, name: str, command: str) -> str:
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMMAND_TIMEOUT,
                cwd=self._folder,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotReady(
                f"secret {name}: its command took longer than {COMMAND_TIMEOUT:.0f} s: {command}"
            ) from None
        if done.returncode != 0:
            raise NotReady(f"secret {name}: its command ended with {done.returncode}: {command}")
        return done.stdout.decode("utf-8", "replace").removesuffix("\n")
