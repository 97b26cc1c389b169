"""Hands that really act: on hosts over SSH, and on the controller.

Rules:
- Nothing escapes: a fault in an action is an outcome that says nothing about the effect, because
  nobody knows how far it came.
- Importing this module imports Fabric; whoever only looks at runs must not.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from drrun.core.ids import RunId
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
from drrun.hands.jobs import JobRemote, ender_at, forget
from drrun.hands.local import LocalPlace
from drrun.ssh.connections import Connections
from drrun.ssh.remote import SshRemote
from drrun.ssh.residents import Residents
from drrun.ssh.wire import BadScript


@dataclass(frozen=True, slots=True)
class LivePlaces:
    """The controller, and hosts over SSH. A `Places`, shared by hands and probes."""

    connections: Connections

    def place(self, host: Host | None) -> Remote:
        """Where to execute for `host`; None: on the controller."""
        return LocalPlace() if host is None else SshRemote(self.connections, host)


@dataclass(frozen=True)
class LiveHands:
    """Executes attempts as jobs. A `Hands`, and a `Places`."""

    connections: Connections
    #: Named actions by name; `run` is built in here.
    actions: Mapping[str, BuiltInAction]

    @cached_property
    def residents(self) -> Residents:
        """The launchers on the hosts."""
        return Residents(self.connections)

    def place(self, host: Host | None) -> Remote:
        """Where to ask for `host`, without leaving anything there; None: on the controller."""
        return LivePlaces(self.connections).place(host)

    def perform(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute one attempt to its end."""
        place = self._job_place(order, again=False)
        return self._act(order, place, output, tell, cancel)

    def reconcile(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Find out what became of an attempt of an earlier controller, and go on with it."""
        place = self._job_place(order, again=True)
        return self._act(order, place, output, tell, cancel)

    def forget(self, order: AttemptOrder) -> None:
        """Remove the attempt's job; called once its outcome is durable."""
        forget(self.residents, order, threading.Event())

    def clear(self, run: RunId) -> None:
        """Remove the run's folder from every place that was reached."""
        self.residents.clear(run)

    def close(self) -> None:
        """Leave all hosts; jobs go on."""
        self.residents.close()
        self.connections.close()

    def _job_place(self, order: AttemptOrder, *, again: bool) -> JobRemote:
        plain = self.place(order.host)
        return JobRemote(order, self.residents, plain, ender_at(plain), again)

    def _act(
        self,
        order: AttemptOrder,
        place: Remote,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        try:
            if order.action == "run":
                return place.run(_script(order), output, tell, cancel)
            action = self.actions.get(order.action)
            if action is None:
                return NeverStarted(f"this version has no action {order.action!r}", final=True)
            return action.perform(order, place, output, tell, cancel)
        except BadScript as error:
            return NeverStarted(str(error), final=True)
        except Exception as error:  # noqa: BLE001 - the promise above: nothing escapes
            fault = f"{type(error).__name__}: {error}"
            return ContactLost(f"{order.action} broke off, nobody knows how far it came: {fault}")


def _script(order: AttemptOrder) -> Script:
    return Script(str(order.arguments["text"]), order.execution, timeout=order.timeout)
