"""Which active targets have to be looked at now, so that an event costs no look at all of them.

Rules:
- A target rests once a look at it found nothing to do, and no want of a place. It is looked at
  again when an event is about it, when something of it comes down from the air, when the run takes
  a turn (whatever is recorded of the run as a whole), or when its time has come.
- It decides as `decide` does that looks at everything: a property test compares them at every
  step of random runs.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from drrun.core.model.ids import TargetKey
from drrun.core.rules.capacity import Capacity
from drrun.core.rules.decide import decide
from drrun.core.rules.decision import Decision
from drrun.core.state.run_state import RunState


class Agenda:
    """Decides again and again about one run."""

    def __init__(self, state: RunState) -> None:
        """Begin by looking at everything that is active."""
        self._state = state
        self._due = dict.fromkeys(state.active)
        self._begin = True
        #: When resting targets are looked at again; one that was put off stays in the heap.
        self._alarms: list[tuple[float, TargetKey]] = []
        self._alarm_of: dict[TargetKey, float] = {}
        #: Those that want a place, in the order of `active`; one that left stays in the heap.
        self._wanting: set[TargetKey] = set()
        self._line: list[tuple[int, TargetKey]] = []

    def decide(self, room: Capacity, now: float, *, begin: bool = True) -> Decision:
        """The wishes that follow now; see `decide`."""
        active = self._state.active
        self._stir(room, now, begin=begin)
        due = sorted((key for key in self._due if key in active), key=active.__getitem__)
        self._due = dict.fromkeys(due)
        look = self._in_order(due, room)
        decision = decide(self._state, room, now, begin=begin, look=look)
        for key, at in (*decision.resting.items(), *decision.wanting.items()):
            del self._due[key]
            if at is not None:
                self._alarm_of[key] = at
                heappush(self._alarms, (at, key))
        for key in decision.wanting:
            self._wanting.add(key)
            heappush(self._line, (active[key], key))
        self._drop_stale()
        if self._alarms and self._state.ended is None and not self._state.aborted:
            decision.wake(self._alarms[0][0])
        return decision

    def _in_order(self, due: Iterable[TargetKey], room: Capacity) -> Iterator[TargetKey]:
        """Those that are due, and between them those that want a place, while there is one."""
        for key in due:
            yield from self._whoever_wants(room, self._state.active[key])
            yield key
        yield from self._whoever_wants(room, None)

    def _whoever_wants(self, room: Capacity, before: int | None) -> Iterator[TargetKey]:
        while self._line and not room.full:
            number, key = self._line[0]
            if before is not None and number > before:
                return
            heappop(self._line)
            if key in self._wanting and self._state.active.get(key) == number:
                self._wanting.remove(key)
                self._due[key] = None
                yield key

    def _stir(self, room: Capacity, now: float, *, begin: bool) -> None:
        """Find out which targets rest no more."""
        stirred, landed = self._state.stirred, room.air.landed
        awake = dict.fromkeys([*stirred, *landed])
        stirred.clear()
        landed.clear()
        if begin is not self._begin:
            awake, self._begin = dict.fromkeys(self._state.active), begin
        for key in awake:
            self._alarm_of.pop(key, None)
        self._drop_stale()
        while self._alarms and self._alarms[0][0] <= now:
            _, key = heappop(self._alarms)
            awake[key] = None
            self._alarm_of.pop(key, None)
            self._drop_stale()
        self._due.update(awake)
        self._wanting.difference_update(awake)

    def _drop_stale(self) -> None:
        """Take alarms off the top that were put off."""
        while self._alarms and self._alarm_of.get(self._alarms[0][1]) != self._alarms[0][0]:
            heappop(self._alarms)
