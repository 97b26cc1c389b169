"""The lanes of one run: one to each of its hosts, and one to this machine."""

import threading
import time
from collections.abc import Callable
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import Outcome, OutcomeUnknown
from drrun.ports.clock import Cancel
from drrun.ports.hands import HostClaim
from drrun.ports.places import AttemptProgress, Output, Script
from drrun.ssh.asks import HostQuestion
from drrun.ssh.connections import Connections
from drrun.ssh.lane import LEAVE_WITHIN, Lane
from drrun.ssh.roads import FarRoad, NearRoad

#: Seconds between looks at whether somebody wants to stop waiting.
_TICK = 0.25


@dataclass(slots=True)
class Lanes:
    """Made as they are needed. Safe to share between threads."""

    connections: Connections
    #: For whom they act; None: to tidy up only.
    claim: HostClaim | None = None
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _roads: dict[str, FarRoad] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _leave: threading.Event = field(default_factory=threading.Event)

    def to(self, host: Host | None) -> Lane:
        """The lane to `host`; None: to this machine."""
        name = host.name if host else ""
        with self._lock:
            lane = self._lanes.get(name)
            if lane is None:
                road = FarRoad(self.connections, host, self._leave) if host else NearRoad()
                if isinstance(road, FarRoad):
                    self._roads[name] = road
                folder = host.work_dir if host else ""
                lane = self._lanes[name] = Lane(road, folder, self.claim)
            elif host is not None:
                self._choose_route(lane, self._roads[name], host)
            return lane

    def _choose_route(self, lane: Lane, road: FarRoad, host: Host) -> None:
        """Hang up where a person has chosen another route since; commands go on."""
        chosen, before = host.chosen_route, road.host.chosen_route
        road.host = host
        if chosen and chosen != before:
            lane.post(lambda: lane.hang_up(f"route {chosen} was chosen"))

    def leave(self) -> None:
        """Stop waiting for hosts that are being reached."""
        self._leave.set()

    def close(self) -> None:
        """Say good-bye to all, and hang up; commands go on."""
        with self._lock:
            lanes, self._lanes = list(self._lanes.values()), {}
        self._leave.set()
        until = time.monotonic() + LEAVE_WITHIN + 1
        for done in [lane.close() for lane in lanes]:
            done.wait(max(0.0, until - time.monotonic()))


@dataclass(frozen=True, slots=True)
class LanePlace:
    """A place where questions are asked. A `Remote`."""

    lane: Lane

    def run(
        self,
        script: Script,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute a script that changes nothing, to its end."""
        del tell

        def begin(done: Callable[[Outcome], None]) -> Callable[[], None]:
            ask = HostQuestion(self.lane, script, output, done)
            self.lane.post(ask.begin)
            return lambda: self.lane.post(ask.let_go)

        return awaited(begin, cancel)


def awaited(
    begin: Callable[[Callable[[Outcome], None]], Callable[[], None]], cancel: Cancel
) -> Outcome:
    """Wait for what a lane tells.

    Args:
        begin: Begins something, given whom to tell of its end; returns what lets go of it.
        cancel: Tells to wait no longer.
    """
    over, found = threading.Event(), list[Outcome]()

    def done(outcome: Outcome) -> None:
        found.append(outcome)
        over.set()

    let_go = begin(done)
    while not over.wait(_TICK):
        if cancel.is_set():
            let_go()
            over.wait(_TICK)
            break
    return found[0] if found else OutcomeUnknown("nobody waits for it any more; it continues")
