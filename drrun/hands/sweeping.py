"""Looks for jobs that are left on hosts, and removes them. A `Sweeper`."""

import threading
from collections.abc import Sequence

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import NotReady
from drrun.core.model.ids import RunId
from drrun.core.model.inventory import Host
from drrun.hands.lanes import Lanes
from drrun.ports.hands import LeftJob
from drrun.ssh.following import Unreached
from drrun.ssh.lane import Lane
from drrun.ssh.launcher_answers import AttemptState, LauncherAnswer, LauncherReady, LeftRun

#: Seconds that a host may take to answer.
_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class LauncherSweeper:
    """Asks the launchers of hosts, and of this machine."""

    lanes: Lanes

    def runs(self, host: Host | None) -> Sequence[RunId]:
        """Runs that the place remembers."""
        found = self._ask(host, "runs")
        return [RunId(each.run) for each in found if isinstance(each, LeftRun)]

    def jobs(self, host: Host | None, run: RunId) -> Sequence[LeftJob]:
        """Jobs of a run whose outputs are still there."""
        found = self._ask(host, f"list {run}")
        return [
            LeftJob(run, each.name, each.word) for each in found if isinstance(each, AttemptState)
        ]

    def drop(self, host: Host | None, left: LeftJob) -> None:
        """Remove what a job printed."""
        self._ask(host, f"drop {left.run} {left.job}")

    def leave(self, host: Host | None, run: RunId) -> None:
        """Let a place forget a run."""
        self._ask(host, f"drop {run}")

    def close(self) -> None:
        """Close all lanes."""
        self.lanes.close()

    def _ask(self, host: Host | None, request: str) -> list[LauncherAnswer]:
        lane = self.lanes.to(host)
        question = _Question(lane, request)
        lane.post(lambda: lane.follow(question))
        if not question.over.wait(_WITHIN):
            raise NotReady(f"it gave no answer within {_WITHIN:g} s")
        if question.fault:
            raise NotReady(question.fault)
        return question.found


class _Question:
    """One request for a list. A `Follower`."""

    names: tuple[str, ...] = ()

    def __init__(self, lane: Lane, request: str) -> None:
        self.over = threading.Event()
        self.found: list[LauncherAnswer] = []
        self.fault = ""
        self._lane = lane
        self._request = request

    def opened(self, ready: LauncherReady) -> None:
        """Send the request."""
        del ready
        self._lane.list(self._request, self._listed)

    def lost(self, why: str) -> None:
        """End with a fault and do not ask again: the caller waits."""
        self._end(f"it did not answer any more: {why}")

    def unreached(self, outcome: Unreached) -> None:
        """End with a fault: the host was not reached."""
        self._end(outcome.why)

    def silent(self, seconds: float, why: str) -> None:
        """Ignore it: the caller has a time limit."""

    def regained(self, seconds: float) -> None:
        """Ignore it."""

    def broken(self, why: str) -> None:
        """End with a fault: no answer will come."""
        self._end(why)

    def heard(self, answer: LauncherAnswer) -> None:
        """Ignore it: this follower has no names."""

    def _listed(self, found: list[LauncherAnswer]) -> None:
        self.found = found
        self._end("")

    def _end(self, fault: str) -> None:
        self.fault = fault
        self._lane.unfollow(self)
        self.over.set()
