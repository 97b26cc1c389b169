"""Hands that really act: on hosts over SSH, and on the controller.

Rules:
- Nothing escapes: a fault in an action is an outcome that says nothing about the effect, because
  nobody knows how far it came.
- Importing this module imports Fabric; whoever only looks at runs must not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drrun.core.inventory import Host
from drrun.core.outcomes import ContactLost, NeverStarted, Outcome
from drrun.engine.ports import (
    AttemptOrder,
    BuiltInAction,
    Cancel,
    Output,
    Progress,
    Remote,
    Script,
)
from drrun.hands.local import LocalPlace
from drrun.ssh.connections import Connections
from drrun.ssh.remote import SshRemote


@dataclass(frozen=True, slots=True)
class LivePlaces:
    """The controller, and hosts over SSH. A `Places`, shared by hands and probes."""

    connections: Connections

    def place(self, host: Host | None) -> Remote:
        """Where to execute for `host`; None: on the controller."""
        return LocalPlace() if host is None else SshRemote(self.connections, host)


@dataclass(frozen=True, slots=True)
class LiveHands:
    """Executes attempts. A `Hands`, and a `Places`."""

    connections: Connections
    #: Named actions by name; `run` is built in here.
    actions: Mapping[str, BuiltInAction]

    def place(self, host: Host | None) -> Remote:
        """Where to execute for `host`; None: on the controller."""
        return LivePlaces(self.connections).place(host)

    def perform(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute one attempt to its end."""
        try:
            place = self.place(order.host)
            if order.action == "run":
                return place.run(_script(order), output, tell, cancel)
            action = self.actions.get(order.action)
            if action is None:
                return NeverStarted(f"this version has no action {order.action!r}", final=True)
            return action.perform(order, place, output, tell, cancel)
        except Exception as error:  # noqa: BLE001 - the promise above: nothing escapes
            fault = f"{type(error).__name__}: {error}"
            return ContactLost(f"{order.action} broke off, nobody knows how far it came: {fault}")

    def reconcile(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Say that nothing is known: commands are not yet executed so that they can be asked."""
        del output, tell, cancel
        return ContactLost(
            f"the controller died while attempt {order.attempt} was in flight; its outcome is not "
            "known"
        )

    def close(self) -> None:
        """Leave all hosts."""
        self.connections.close()


def _script(order: AttemptOrder) -> Script:
    return Script(str(order.arguments["text"]), order.execution, timeout=order.timeout)
