"""What is in the air: attempts and questions on their way, and how many more there may be.

Rules:
- Counted from outside; the journal does not hold it. After a crash nothing is in the air.
- What is there is counted as it comes and goes, never by looking at all of it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import field
from typing import NamedTuple

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import TargetKey
from drrun.core.model.probes import Purpose


class Activity(NamedTuple):
    """Something in the air: an attempt, or one evaluation of one probe."""

    key: TargetKey
    #: None: the attempt.
    purpose: Purpose | None = None
    #: Which probe of that purpose.
    position: int = 0


class InFlight(MutableMapping[Activity, str]):
    """Everything in the air, and on which host ("": the controller)."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._hosts: dict[Activity, str] = {}
        #: How much is in the air on each host.
        self.on: Counter[str] = Counter()
        #: Targets of which something has come down since somebody looked.
        self.landed: set[TargetKey] = set()

    def __setitem__(self, activity: Activity, host: str) -> None:
        if activity in self._hosts:
            del self[activity]
        self._hosts[activity] = host
        self.on[host] += 1

    def __delitem__(self, activity: Activity) -> None:
        host = self._hosts.pop(activity)
        self.on[host] -= 1
        if not self.on[host]:
            del self.on[host]
        self.landed.add(activity.key)

    def __getitem__(self, activity: Activity) -> str:
        return self._hosts[activity]

    def __contains__(self, activity: object) -> bool:
        return activity in self._hosts

    def __iter__(self) -> Iterator[Activity]:
        return iter(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)


@dataclass(slots=True)
class Capacity:
    """How much more may go into the air now."""

    air: InFlight
    limit: int
    sessions: Mapping[str, int]
    #: Places that were taken of this room: all, and on each host.
    _taken: int = 0
    _on: Counter[str] = field(default_factory=Counter)
    #: How often there was no place, and the hosts that had none.
    refused: int = 0
    barred: set[str] = field(default_factory=set)

    def take(self, host: str) -> bool:
        """Take a place for one more activity on `host` ("": the controller), if there is one."""
        if self.full:
            self.refused += 1
            return False
        if host and self._host_is_full(host):
            self.refused += 1
            self.barred.add(host)
            return False
        self._taken += 1
        self._on[host] += 1
        return True

    @property
    def full(self) -> bool:
        """Whether nothing more may go into the air."""
        return len(self.air) + self._taken >= self.limit

    def _host_is_full(self, host: str) -> bool:
        used = self.air.on[host] + self._on[host]
        return used >= self.sessions.get(host, self.limit)
