"""Finds out who reads our channel: our starter, or a shell that replaced it.

Rules:
- The starter must send the product of two numbers that we give it. An echo of our words does not
  contain the product. Before the product arrives, we send nothing that makes a shell do more than
  print its name and exit.
- `Proof.question` detects start-up files that replace the login shell (`exec zsh`). The new shell
  ignores our command, and reads commands from our channel.
"""

import re
import secrets
from dataclasses import field

from drrun.core.dataclass import dataclass

#: After so many seconds without a proof, readers.py asks who reads the channel.
AFTER = 5.0
#: A process name from the kernel; an echo of our question has `$c` in its place.
_SHELL = re.compile(r"replaced ([A-Za-z0-9_.+-]+)\s*$")


def _factor() -> int:
    return 1000 + secrets.randbelow(9000)


@dataclass(frozen=True, slots=True)
class Proof:
    """The task that one starter must solve."""

    #: The starter puts it before everything that it sends.
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    first: int = field(default_factory=_factor)
    second: int = field(default_factory=_factor)

    @property
    def words(self) -> tuple[str, str, str]:
        """The words that we pass to the starter."""
        return self.nonce, str(self.first), str(self.second)

    @property
    def question(self) -> bytes:
        """A line that makes a shell print its name and exit; our starter skips it."""
        return (
            f"/bin/sh -c 'read -r c </proc/$PPID/comm; echo {self.nonce} replaced $c'; exit\n"
        ).encode()

    @property
    def begin(self) -> bytes:
        """The line after which the starter reads what we send."""
        return f"begin {self.nonce}\n".encode()

    def given_by(self, said: str) -> bool:
        """Whether the text after our nonce is the product, which only the starter can send."""
        return said.strip() == str(self.first * self.second)

    def replaced_by(self, said: str) -> str:
        """The name of the shell that reads our channel instead of the starter, or ""."""
        found = _SHELL.match(said)
        return found[1] if found else ""


def replaced(place: str, shell: str) -> str:
    """The error message for a shell that reads our channel instead of the starter."""
    return (
        f"the login shell of {place} is replaced by its start-up file: {shell} reads our channel "
        "instead of executing our command. Let the start-up file do that for terminals only; "
        "nothing was executed"
    )
