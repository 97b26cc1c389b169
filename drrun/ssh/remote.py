"""A host over SSH, as a place where scripts are executed.

Rules:
- Never raises for what the host does: every fault is an outcome.
- A connection that turns out dead before anything was sent is opened anew, once.
"""

from collections.abc import Callable

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import NeverStarted, Outcome
from drrun.ports.clock import Cancel
from drrun.ports.places import AttemptProgress, Output, Script
from drrun.ssh import exec as execution
from drrun.ssh.connections import Connections
from drrun.ssh.faults import Unreachable


@dataclass(frozen=True, slots=True)
class SshRemote:
    """One host of the inventory. A `Remote`."""

    connections: Connections
    host: Host

    def run(
        self,
        script: Script,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute `script` to its end."""
        outcome, stale = self._once(script, output, tell, cancel)
        if stale and not cancel.is_set():
            outcome, _ = self._once(script, output, tell, cancel)
        return outcome

    def _once(
        self,
        script: Script,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> tuple[Outcome, bool]:
        """One try, and whether it failed because the connection was dead already."""
        try:
            link = self.connections.reach(self.host, cancel)
        except Unreachable as error:
            return error.outcome, False
        tell(AttemptProgress(route=link.way.route, host_key=link.host_key, user=link.user))
        outcome = execution.run(link, script, output, cancel)
        never = isinstance(outcome, NeverStarted) and not outcome.final
        return outcome, never and not link.alive
