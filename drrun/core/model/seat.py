"""Where a person sits: account of the operating system, machine, terminal.

Rules:
- Whoever acts says who they are, with `--by`. The seat is what the machine says: it is recorded
  beside the name, and shown where the account has another one.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

from drrun.core.dataclass import dataclass

#: The member of a request's body that holds the seat it was posted from.
IN_REQUEST = "seat"


@dataclass(frozen=True, slots=True)
class Seat:
    """An account on a machine, and the terminal it is used from."""

    user: str
    host: str
    #: `pts/3`; "" where there is none.
    terminal: str = ""

    @classmethod
    def of_request(cls, body: Mapping[str, Any]) -> Self | None:
        """The seat that a request was posted from; None: it does not say."""
        told = body.get(IN_REQUEST)
        if not isinstance(told, Mapping) or not told.get("user"):
            return None
        return cls(*(str(told.get(name, "")) for name in ("user", "host", "terminal")))

    def in_request(self) -> dict[str, Any]:
        """What a request's body says of it."""
        return {IN_REQUEST: asdict(self)}

    def beside(self, person: str) -> str:
        """`alice (root@laptop, pts/3)`; only `alice` where the account has that name too."""
        return person if person in ("", self.user) else f"{person} ({self})"

    def __str__(self) -> str:
        place = f"{self.user}@{self.host}"
        return f"{place}, {self.terminal}" if self.terminal else place
