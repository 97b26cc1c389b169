"""One controller's time with one run: from taking the lease to giving it back."""

from collections.abc import Callable, Iterator

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import RecordDisputed
from drrun.core.model.ids import RunId
from drrun.core.model.jobnames import job_of
from drrun.core.model.plan import Plan
from drrun.core.model.status import ENDED, Phase, RunStatus
from drrun.core.state.run_state import RunState
from drrun.engine.controller import Controller, Edges, Leaving, RunEnding
from drrun.engine.ledger import Listener
from drrun.ports.hands import Hands, HostClaim
from drrun.ports.journal import Journal


@dataclass(frozen=True, slots=True)
class Session:
    """Drives a run once, in whatever thread calls `drive`; the rest may be called from others."""

    run: RunId
    controller: Controller
    edges: Edges
    journal: Journal
    hands: Hands
    #: What this controller begins with, to be recorded before it drives.
    took: ev.ControllerTook

    @property
    def state(self) -> RunState:
        """The state as the controller sees it; owned by the thread that drives."""
        return self.edges.ledger.state

    @property
    def unamended(self) -> Plan:
        """The plan that the run was started with."""
        replan = self.state.replan
        return replan(()) if replan and self.state.amendments else self.state.plan

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every entry from now on; before `drive`."""
        self.edges.ledger.subscribe(listener)

    def stop(self) -> None:
        """Start nothing new, let running steps finish, then leave (Ctrl-C once)."""
        self.controller.leave(Leaving.AFTER_RUNNING)

    def detach(self, why: str = "asked to leave at once") -> None:
        """Leave at once; remote commands go on and are picked up by `resume` (Ctrl-C twice)."""
        self.controller.leave(Leaving.AT_ONCE, why)

    def drive(self) -> RunEnding:
        """Drive the run until it ends or nothing moves, then give the lease back.

        Raises:
            LeaseLost: Another controller took over.
            StateUnusable: The journal cannot be written.
            RecordDisputed: A host knows another journal of the run.
        """
        try:
            self.hands.take_up(self._claim())
            visited = self.hands.visit(self.edges.orders.to_visit())
            standing = self._driven(visited)
            now = self.edges.clock.now()
            self._give_back(standing.status, now if standing.status in ENDED else None)
            return standing
        finally:
            self.edges.crew.leave()
            self.hands.close()

    def _driven(self, visited: Callable[[], bool]) -> RunEnding:
        try:
            return self.controller.drive(visited)
        except RecordDisputed:
            # Whoever is to say which journal counts need not wait for this process.
            self._give_back(RunStatus.INTERRUPTED, None)
            raise

    def _give_back(self, status: RunStatus, ended_at: float | None) -> None:
        self.journal.update(self.run, status, ended_at)
        self.edges.leases.release(self.edges.ledger.lease)

    def _claim(self) -> HostClaim:
        """In whose name hands act."""
        ledger, state = self.edges.ledger, self.state
        return HostClaim(
            self.run,
            ledger.lease.epoch,
            self.controller.name,
            meet=self.edges.crew.meet,
            end=lambda: ledger.end,
            known=frozenset(state.reached.boots),
            ended=frozenset(_ended_jobs(state)) if state.reached.boots else (),
        )


def _ended_jobs(state: RunState) -> Iterator[str]:
    """Jobs whose outcomes the journal has, or does without."""
    for key, target in (*state.targets.items(), *state.dropped.items()):
        open_ = target.lost or target.phase is Phase.ACTING
        for attempt in range(1, target.attempt + (not open_)):
            yield job_of(key.step, key.target, attempt)
