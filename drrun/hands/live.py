"""Hands that really act: on hosts over SSH, and on the controller.

Rules:
- Nothing escapes: a fault in an action is an outcome that says nothing about the effect, because
  nobody knows how far it came.
- Importing this module imports Fabric; whoever only looks at runs must not.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from drrun.core.ids import RunId
from drrun.core.inventory import Host
from drrun.core.outcomes import ContactLost, NeverStarted, Outcome, Stopped
from drrun.engine.either import Either
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
from drrun.ssh.jobs import job_name
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

    _ending: dict[str, threading.Event] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
        return self._do(order, output, tell, cancel)

    def reconcile(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Find out what became of an attempt of an earlier controller, and go on with it."""
        return self._do(replace(order, again=True), output, tell, cancel)

    def end(self, order: AttemptOrder) -> None:
        """End all processes of an attempt that is being executed."""
        self._ends(order).set()

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

    def _ends(self, order: AttemptOrder) -> threading.Event:
        """What tells an attempt that it is to be ended."""
        with self._lock:
            return self._ending.setdefault(job_name(order), threading.Event())

    def _do(
        self,
        order: AttemptOrder,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        ends = self._ends(order)
        if order.ending:
            ends.set()
        plain = self.place(order.host)
        place = JobRemote(order, self.residents, plain, ender_at(plain), cancel, ends)
        try:
            outcome = act(self.actions, order, place, output, tell, Either(cancel, ends))
        finally:
            with self._lock:
                del self._ending[job_name(order)]
        if ends.is_set() and isinstance(outcome, ContactLost):
            return Stopped(gone=False, note=f"to be ended; {outcome.why}")
        return outcome


def act(
    actions: Mapping[str, BuiltInAction],
    order: AttemptOrder,
    place: Remote,
    output: Output,
    tell: Callable[[Progress], None],
    cancel: Cancel,
) -> Outcome:
    """Execute an order at a place; every fault becomes an outcome."""
    try:
        if order.action == "run":
            return place.run(_script(order), output, tell, cancel)
        action = actions.get(order.action)
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
