"""One connection to each host, shared by all who talk to it, by the first route that works.

Rules:
- Routes are tried in order, the one that worked last first. Only "not reached" goes on to the next
  route: a wrong key or a refused login is not repeated elsewhere (FAULTS 29, 31).
- Whoever comes while a connection is being opened waits for it and shares what becomes of it.
- A connection that died is opened anew by the next who needs it.
- Hosts to pass through are hosts like others: own routes, own keys, own shared connection.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import field, replace

from drrun.core.dataclass import dataclass
from drrun.core.inventory import Host, Route
from drrun.core.outcomes import NeverStarted, RefusedByHost
from drrun.engine.ports import Cancel
from drrun.ssh.deadlines import Deadlines
from drrun.ssh.dial import Dialler, Hop
from drrun.ssh.faults import HopUnreachable, Stopped, Unreachable, Way, before_sending
from drrun.ssh.link import Link
from drrun.ssh.options import SshOptions
from drrun.ssh.user_config import BadConfig, UserConfig, proper_name


@dataclass(slots=True)
class _Flight:
    """One opening that several threads wait for."""

    over: threading.Event = field(default_factory=threading.Event)
    link: Link | None = None
    error: Exception | None = None


@dataclass(slots=True)
class _Slot:
    """The place of one connection."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    link: Link | None = None
    flight: _Flight | None = None
    #: The route that worked last.
    route: Route | None = None
    #: The route that was chosen when it was opened, or hung up, last.
    asked: str = ""


class Connections:
    """Reaches hosts of an inventory. Safe to share between threads."""

    def __init__(self, hosts: Mapping[str, Host], options: SshOptions | None = None) -> None:
        self._hosts = hosts
        self._options = options or SshOptions()
        self._config = UserConfig(self._options)
        self._deadlines = Deadlines()
        self._dialler = Dialler(self._options, self._deadlines)
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()
        self._closed = False

    def reach(self, host: Host, cancel: Cancel) -> Link:
        """An open connection to `host`.

        Raises:
            Unreachable: No route works, or the host is not who it should be.
        """
        return self._reach(host, cancel, ())

    def close(self) -> None:
        """Leave all hosts; commands that go on there go on."""
        with self._lock:
            self._closed = True
            slots = list(self._slots.values())
        for slot in slots:
            if slot.link is not None:
                slot.link.lose("this program left")

    def _reach(self, host: Host, cancel: Cancel, trail: tuple[str, ...]) -> Link:
        if host.name in trail:
            circle = " > ".join((*trail, host.name))
            why = f"the routes go in a circle: {circle}; correct `via` in the inventory"
            raise Unreachable(NeverStarted(why, final=True))
        slot = self._slot(host.name)
        _leave_other_route(slot, host)
        return _shared(slot, lambda: self._open(host, slot, cancel, trail), cancel)

    def _slot(self, name: str) -> _Slot:
        with self._lock:
            if self._closed:
                raise Unreachable(NeverStarted("this program is leaving its hosts"))
            return self._slots.setdefault(name, _Slot())

    def _open(self, host: Host, slot: _Slot, cancel: Cancel, trail: tuple[str, ...]) -> Link:
        faults: list[NeverStarted | RefusedByHost] = []
        # A route that a person chose comes before the one that worked last.
        last = None if host.chosen_route else slot.route
        for route in _ordered(host.routes or (Route(),), last):
            way = Way(host.name, route.label)
            try:
                link = self._by(host, route, cancel, (*trail, host.name))
            except HopUnreachable as error:
                faults.append(error.outcome)
            except Exception as error:
                outcome = before_sending(error, self._way(host, route) or way)
                if not isinstance(outcome, NeverStarted) or outcome.final or cancel.is_set():
                    raise Unreachable(outcome) from error
                faults.append(outcome)
            else:
                slot.route, slot.asked = route, host.chosen_route
                return link
            if cancel.is_set():
                break
        raise Unreachable(_together(faults))

    def _by(self, host: Host, route: Route, cancel: Cancel, trail: tuple[str, ...]) -> Link:
        """Connect by one route, through the hosts that it names."""
        configured = self._config.of(host.name)
        if configured.proxy_command and not route.via:
            raise BadConfig(
                "the SSH configuration wants a ProxyCommand for it, which drrun does not execute; "
                "give a route with `via` in the inventory, or use ProxyJump"
            )
        way = self._way(host, route)
        if way is None:
            raise BadConfig(f"{host.name} has no address")
        try:
            through = self._through(host, route, cancel, trail)
        except Unreachable as error:
            why = f"{way} cannot be reached: {error.outcome.why}"
            raise HopUnreachable(replace(error.outcome, why=why)) from error
        return self._dialler.dial(Hop(host, configured, way), through, cancel)

    def _way(self, host: Host, route: Route) -> Way | None:
        try:
            configured = self._config.of(host.name)
            address = proper_name(route.address or configured.address)
        except BadConfig:
            return None
        port = route.port or host.port or configured.port
        names = [hop.name for hop in self._hops(host, route)]
        label = " via ".join([route.label, *reversed(names)])
        return Way(host.name, label, address, port)

    def _hops(self, host: Host, route: Route) -> list[Host]:
        """Hosts to pass through, nearest first: the route's, else those of the configuration."""
        if route.via:
            return [self._hosts.get(name) or Host(name) for name in route.via]
        # `Host *` with a ProxyJump means every host but the one to pass through.
        jumps = [jump for jump in self._config.of(host.name).jumps if jump.name != host.name]
        known = (self._hosts.get(jump.name) for jump in jumps)
        return [
            inventory or Host(jump.name, user=jump.user, port=jump.port)
            for jump, inventory in zip(jumps, known, strict=True)
        ]

    def _through(
        self, host: Host, route: Route, cancel: Cancel, trail: tuple[str, ...]
    ) -> Link | None:
        """The connection to the last of the hosts to pass through."""
        link: Link | None = None
        passed: tuple[str, ...] = ()
        for hop in self._hops(host, route):
            passed = (*passed, hop.name)
            if link is None:
                link = self._reach(hop, cancel, trail)
            else:
                link = self._next(hop, link, passed, cancel)
        return link

    def _next(self, hop: Host, through: Link, passed: tuple[str, ...], cancel: Cancel) -> Link:
        """A further host on the way, reached through the one before it."""

        def open_it() -> Link:
            way = self._way(hop, Route()) or Way(hop.name)
            route = hop.routes[0]
            way = Way(
                hop.name, " > ".join(passed), route.address or way.address, route.port or way.port
            )
            try:
                found = Hop(hop, self._config.of(hop.name), way)
                return self._dialler.dial(found, through, cancel)
            except Exception as error:
                raise Unreachable(before_sending(error, way)) from error

        return _shared(self._slot(" > ".join(passed)), open_it, cancel)


def _leave_other_route(slot: _Slot, host: Host) -> None:
    """Hang up where a person has chosen another route since; jobs go on, and are found again."""
    with slot.lock:
        link, chosen = slot.link, host.chosen_route
        if link is None or not chosen or slot.asked == chosen:
            return
        slot.asked = chosen
        if slot.route is not None and slot.route.label != chosen:
            slot.link = None
            link.lose(f"route {chosen} was chosen")


def _together(faults: list[NeverStarted | RefusedByHost]) -> NeverStarted | RefusedByHost:
    """What it means that no route worked; final only if another try can help on none."""
    why = "; ".join(fault.why for fault in faults)
    never = [fault for fault in faults if isinstance(fault, NeverStarted)]
    if len(never) < len(faults):
        return RefusedByHost(why)
    return NeverStarted(why, final=all(fault.final for fault in never))


def _ordered(routes: tuple[Route, ...], last: Route | None) -> list[Route]:
    return sorted(routes, key=lambda route: route != last)


def _shared(slot: _Slot, open_it: Callable[[], Link], cancel: Cancel) -> Link:
    """The slot's connection; opened by one thread while the others wait."""
    while True:
        with slot.lock:
            if slot.link is not None and slot.link.alive:
                return slot.link
            flight, mine = slot.flight, slot.flight is None
            if flight is None:
                flight = slot.flight = _Flight()
        if mine:
            return _fly(slot, flight, open_it)
        while not flight.over.wait(0.2):
            if cancel.is_set():
                raise Unreachable(NeverStarted("stopped before anything was sent"))
        if flight.link is not None:
            return flight.link
        # Whoever opened may have been told to stop; that says nothing about the host.
        if flight.error is not None and not isinstance(flight.error.__cause__, Stopped):
            raise flight.error


def _fly(slot: _Slot, flight: _Flight, open_it: Callable[[], Link]) -> Link:
    try:
        flight.link = open_it()
    except Exception as error:
        flight.error = error
        raise
    else:
        return flight.link
    finally:
        with slot.lock:
            slot.link, slot.flight = flight.link, None
        flight.over.set()
