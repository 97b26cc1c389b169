"""Steps that may begin, in the order in which they should: the longest path behind them first.

Rules:
- Steps that act on the same hosts are kept together, so that whoever finds these hosts full passes
  over all of them at once.
- Those of which something may follow without a place in the air are listed once more.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.model.actions import ManualAction
from drrun.core.model.ids import StepId
from drrun.core.model.plan import PlannedStep

#: Less the length of the longest path behind a step, its place in the plan, the step.
QueuedStep = tuple[float, int, StepId]


@dataclass(slots=True)
class ReadySteps:
    """All steps that may begin."""

    _listed: dict[StepId, tuple[QueuedStep, frozenset[str]]] = field(default_factory=dict)
    _groups: dict[frozenset[str], list[QueuedStep]] = field(default_factory=dict)
    _light: list[QueuedStep] = field(default_factory=list)

    def add(self, entry: QueuedStep, hosts: frozenset[str], *, light: bool) -> None:
        """Let a step that acts on `hosts` be among them."""
        self._listed[entry[2]] = entry, hosts
        insort(self._groups.setdefault(hosts, []), entry)
        if light:
            insort(self._light, entry)

    def remove(self, step: StepId) -> None:
        """Let a step be among them no more; nothing happens if it is not."""
        if step not in self._listed:
            return
        entry, hosts = self._listed.pop(step)
        group = self._groups[hosts]
        del group[bisect_left(group, entry)]
        if not group:
            del self._groups[hosts]
        place = bisect_left(self._light, entry)
        if place < len(self._light) and self._light[place] == entry:
            del self._light[place]

    def hosts_of(self, step: StepId) -> frozenset[str]:
        """The hosts that a step acts on."""
        return self._listed[step][1]

    def __contains__(self, step: StepId) -> bool:
        return step in self._listed

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[StepId]:
        """All steps, in order."""
        return self.walk(set())

    def walk(self, full: set[frozenset[str]]) -> Iterator[StepId]:
        """All steps, in order.

        Args:
            full: Hosts whose steps are passed over from the moment at which they are put here.
        """
        heads = [(group[0], 0, hosts) for hosts, group in self._groups.items()]
        # No two entries are equal, so nothing behind them is ever compared.
        heapq.heapify(heads)
        while heads:
            entry, place, hosts = heads[0]
            if hosts not in full:
                yield entry[2]
            group = self._groups[hosts]
            if hosts in full or place + 1 == len(group):
                heapq.heappop(heads)
            else:
                heapq.heapreplace(heads, (group[place + 1], place + 1, hosts))

    @property
    def light(self) -> Iterator[StepId]:
        """Steps of which something may follow without a place in the air, in order."""
        return (step for _, _, step in self._light)


def is_light(planned: PlannedStep) -> bool:
    """Whether something may follow for a step that needs no place in the air."""
    step = planned.step
    asks = step.when or step.only_if or step.not_before is not None
    return bool(planned.left_out or asks) or isinstance(step.action, ManualAction)
