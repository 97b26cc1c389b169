"""One controller's time with one run: from taking the lease to giving it back."""

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.ids import RunId
from drrun.core.plan import Plan
from drrun.core.state import RunState
from drrun.core.status import RunStatus
from drrun.engine.controller import Controller, Edges, Leaving, Standing
from drrun.engine.ledger import Listener
from drrun.engine.ports import Hands, Journal


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

    def detach(self) -> None:
        """Leave at once; remote commands go on and are picked up by `resume` (Ctrl-C twice)."""
        self.controller.leave(Leaving.AT_ONCE)

    def drive(self) -> Standing:
        """Drive the run until it ends or nothing moves, then give the lease back.

        Raises:
            LeaseLost: Another controller took over.
            StateUnusable: The journal cannot be written.
        """
        try:
            epoch, known = self.edges.ledger.lease.epoch, frozenset(self.state.reached.boots)
            self.hands.take_up(self.run, epoch, self.edges.crew.meet, known)
            standing = self.controller.drive()
            ended = standing.status in (
                RunStatus.SUCCEEDED,
                RunStatus.FAILED,
                RunStatus.ABORTED,
                RunStatus.ROLLED_BACK,
            )
            now = self.edges.clock.now()
            self.journal.update(self.run, standing.status, now if ended else None)
            self.edges.leases.release(self.edges.ledger.lease)
            if standing.status is RunStatus.SUCCEEDED:
                self.hands.clear(self.run)
            return standing
        finally:
            self.edges.crew.leave()
            self.hands.close()
