"""Who reads our channel: our starter, or a shell that a start-up file put in its place.

Rules:
- The starter must compute a product of two numbers that we send; an echo of our words does not
  contain it. Until it came, nothing was sent that a shell would do anything with but this: say
  its name and leave.
- That question is for start-up files that replace the login shell (`exec zsh`): the new shell
  ignores the command that it was to execute, and reads commands from our channel.
"""

import re
import secrets
from dataclasses import field

from drrun.core.dataclass import dataclass

#: Seconds without a proof after which it is asked who reads (readers.py).
AFTER = 5.0
#: A name as the kernel gives it; an echo of our question has other characters in its place.
_SHELL = re.compile(r"replaced ([A-Za-z0-9_.+-]+)\s*$")


def _factor() -> int:
    return 1000 + secrets.randbelow(9000)


@dataclass(frozen=True, slots=True)
class Proof:
    """What one starter has to show."""

    #: Stands before all that it says.
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    first: int = field(default_factory=_factor)
    second: int = field(default_factory=_factor)

    @property
    def words(self) -> tuple[str, str, str]:
        """What the starter is given to begin with."""
        return self.nonce, str(self.first), str(self.second)

    @property
    def question(self) -> bytes:
        """Makes a shell that reads our channel say its name and leave; our starter skips it."""
        return (
            f"/bin/sh -c 'read -r c </proc/$PPID/comm; echo {self.nonce} replaced $c'; exit\n"
        ).encode()

    @property
    def begin(self) -> bytes:
        """The line behind which the starter listens."""
        return f"begin {self.nonce}\n".encode()

    def given_by(self, said: str) -> bool:
        """Whether words behind our nonce can only come from the starter."""
        return said.strip() == str(self.first * self.second)

    def replaced_by(self, said: str) -> str:
        """The shell that reads our channel in the starter's place, or ""."""
        found = _SHELL.match(said)
        return found[1] if found else ""


def replaced(place: str, shell: str) -> str:
    """What to tell people of a shell in our starter's place."""
    return (
        f"the login shell of {place} is replaced by its start-up file: {shell} reads our channel "
        "instead of executing our command. Let the start-up file do that for terminals only; "
        "nothing was executed"
    )
