"""Hands of a dry-run: they execute what only reads, over channels that leave nothing behind.

Rules (contract guarantee 11):
- No job, no folder, no file on any host. What a live run would do never gets here: the rules show
  it instead (`drrun.core.rules.dry_run`).
- Nothing is in doubt: what was cut off is told as not done, because nothing was to be done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import NeverStarted, Outcome, OutcomeUnknown
from drrun.hands.live import LivePlaces, act
from drrun.ports.clock import Cancel
from drrun.ports.places import (
    ActionCall,
    AttemptOrder,
    AttemptProgress,
    BuiltInAction,
    Output,
    Remote,
)
from drrun.ssh.connections import Connections


@dataclass(frozen=True)
class DryHands:
    """Executes facts and written `dry_run` actions. A `Hands`, and a `Places`."""

    connections: Connections
    actions: Mapping[str, BuiltInAction]

    def place(self, host: Host | None) -> Remote:
        """Where to ask for `host`; None: on the controller."""
        return LivePlaces(self.connections).place(host)

    def perform(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute something that only reads."""
        call = ActionCall(order, self.place(order.host), output, tell, cancel)
        outcome = act(self.actions, call)
        return NeverStarted(outcome.why) if isinstance(outcome, OutcomeUnknown) else outcome

    def close(self) -> None:
        """Leave all hosts."""
        self.connections.close()
