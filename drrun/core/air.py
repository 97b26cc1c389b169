"""What is in the air: attempts and questions on their way, and how many more there may be.

Rules:
- Counted from outside; the journal does not hold it. After a crash nothing is in the air.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from typing import NamedTuple

from drrun.core.dataclass import dataclass
from drrun.core.probes import Purpose
from drrun.core.state import Key


class Activity(NamedTuple):
    """Something in the air: an attempt, or one evaluation of one probe."""

    key: Key
    #: None: the attempt.
    purpose: Purpose | None = None
    #: Which probe of that purpose.
    position: int = 0


@dataclass(slots=True)
class Room:
    """How much more may go into the air now."""

    air: Mapping[Activity, str]
    limit: int
    sessions: Mapping[str, int]
    _hosts: Counter[str] = field(default_factory=Counter)
    _used: int = 0

    def __post_init__(self) -> None:
        hosts = [host for host in self.air.values() if host]
        if hosts:
            self._hosts.update(hosts)
        self._used = len(self.air)

    def take(self, host: str) -> bool:
        """Take a place for one more activity on `host` ("": the controller), if there is one."""
        if self.full or (host and self._hosts[host] >= self.sessions.get(host, self.limit)):
            return False
        self._used += 1
        self._hosts[host] += 1
        return True

    @property
    def full(self) -> bool:
        """Whether nothing more may go into the air."""
        return self._used >= self.limit
