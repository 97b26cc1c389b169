"""One connection to each host, shared by all who talk to it, by the first route that works.

Rules:
- Routes are tried in order, the one that worked last first, and those last that did not lead to
  their host within the last minute. The next is tried once one failed, or
  beside it once it has gone on for `head_start`; the first that logs in is used, the others are
  left. Only "not reached" goes on to the next route: a wrong key or a refused login is not
  repeated elsewhere (faults F29 and F31). A route that a person chose is waited for to its end.
- Whoever comes while a connection is being opened waits for it and shares what becomes of it. It
  is given up when nobody waits any more.
- A connection that died is opened anew by the next who needs it.
- An address that is a secret is asked for when its route is tried, and shown nowhere: no message
  and no other program gets it, `ssh -G` neither.
- Hosts to pass through are hosts like others: own routes, own keys, own shared connection.
- All of it is decided on one loop (`loop`); who waits there holds no thread.
"""

import asyncio
import concurrent.futures
import functools
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import field, replace
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import ADDRESS, Host, Route
from drrun.core.model.outcomes import NeverStarted, RefusedByHost
from drrun.ports.clock import Cancel
from drrun.ssh.deadlines import Deadlines
from drrun.ssh.dial import Dialler, Hop
from drrun.ssh.faults import HopUnreachable, Unreachable, Way, before_sending
from drrun.ssh.link import Link
from drrun.ssh.loop import Loop, LoopClosed, in_background, in_thread
from drrun.ssh.options import SshOptions
from drrun.ssh.race import Attempt, Race, RaceLost
from drrun.ssh.user_config import BadConfig, Configured, UserConfig, proper_name

#: Seconds for which a route that led nowhere is not tried before others.
SHUNNED_FOR = 60.0
#: How often a blocking caller looks whether it was told to stop: a `Cancel` wakes nobody.
_LOOK = 0.2


def _no_secret(name: str) -> str:
    raise BadConfig(f"its address is the secret {name}, and there are no secrets here")


@dataclass(slots=True)
class _Opening:
    """An opening that is under way, and how many wait for it."""

    task: asyncio.Task[Link]
    waiting: int = 0


@dataclass(slots=True)
class _Slot:
    """The place of one connection. Changed on the loop only."""

    link: Link | None = None
    opening: _Opening | None = None
    #: Hosts that the opening waits for, to pass through them.
    behind: list[str] = field(default_factory=list)
    #: The route that worked last.
    route: Route | None = None
    #: When a route last led nowhere: it failed, or another one was faster by a head start.
    failed: dict[Route, float] = field(default_factory=dict)
    #: The route that was chosen when it was opened, or hung up, last.
    asked: str = ""


class Connections:
    """Reaches hosts of an inventory. Safe to share between threads."""

    def __init__(
        self,
        hosts: Mapping[str, Host],
        options: SshOptions | None = None,
        secret: Callable[[str], str] = _no_secret,
    ) -> None:
        """Connect to nobody yet.

        Args:
            hosts: Of the inventory.
            options: How they are reached.
            secret: Finds the secret of a name; may block.
        """
        self._hosts = hosts
        self._secret = secret
        self._options = options or SshOptions()
        self._loop = Loop()
        self._config = UserConfig(self._options)
        self._dialler = Dialler(self._options, Deadlines(), self._loop)
        self._slots: dict[str, _Slot] = {}
        self._closed = False

    def reach(self, host: Host, cancel: Cancel) -> Link:
        """An open connection to `host`. Blocks.

        Raises:
            Unreachable: No route works, or the host is not who it should be.
        """
        if link := self._ready(host):
            return link
        waiting = self._begin(host)
        while True:
            with suppress(TimeoutError):
                return waiting.result(_LOOK)
            if cancel.is_set():
                waiting.cancel()
                raise Unreachable(NeverStarted("stopped before anything was sent"))

    def open(
        self, host: Host, then: Callable[[Link | Unreachable], object]
    ) -> Callable[[], object]:
        """Reach `host` without blocking.

        Args:
            host: Where to.
            then: Called once it is over, in a thread of its own: it may block. Called before this
                returns where the connection is open already.

        Returns:
            Gives up waiting when it is called; `then` is not, unless it was already.
        """
        try:
            if link := self._ready(host):
                then(link)
                return _nothing
            waiting = self._begin(host)
        except Unreachable as error:
            then(error)
            return _nothing

        def tell(over: concurrent.futures.Future[Link]) -> None:
            if not over.cancelled():
                in_background(lambda: then(_outcome(over)))

        waiting.add_done_callback(tell)
        return waiting.cancel

    def close(self) -> None:
        """Leave all hosts; commands that go on there go on."""
        self._closed = True
        self._loop.close()
        for slot in list(self._slots.values()):
            if slot.link is not None:
                slot.link.lose("drrun left")

    def _ready(self, host: Host) -> Link | None:
        """The connection, if it is open and by the route that is wanted."""
        if self._closed:
            raise _leaving()
        slot = self._slots.get(host.name)
        link = slot.link if slot else None
        if slot is None or link is None or not link.alive:
            return None
        return link if host.chosen_route in {"", slot.asked} else None

    def _begin(self, host: Host) -> concurrent.futures.Future[Link]:
        try:
            return self._loop.begin(self._reached(host))
        except LoopClosed:
            raise _leaving() from None

    async def _reached(self, host: Host) -> Link:
        try:
            return await self._reach(host, ())
        except asyncio.CancelledError:
            if self._closed:
                raise _leaving() from None
            raise

    async def _reach(self, host: Host, trail: tuple[str, ...]) -> Link:
        if circle := self._circle(host.name, trail):
            why = f"the routes go in a circle: {circle}; correct `via` in the inventory"
            raise Unreachable(NeverStarted(why, final=True))
        slot = self._slots.setdefault(host.name, _Slot())
        _leave_other_route(slot, host)
        return await self._shared(slot, lambda: self._open(host, slot, (*trail, host.name)))

    def _circle(self, name: str, trail: tuple[str, ...]) -> str:
        """How the way to `name` leads back to a host that waits for it; "" if it does not."""
        if name in trail:
            return " > ".join((*trail, name))
        slot = self._slots.get(name)
        behind = slot.behind if slot else []
        return next(
            (circle for each in behind if (circle := self._circle(each, (*trail, name)))), ""
        )

    async def _shared(self, slot: _Slot, open_it: Callable[[], Coroutine[Any, Any, Link]]) -> Link:
        """The slot's connection; opened once for all who come meanwhile."""
        if slot.link is not None and slot.link.alive:
            return slot.link
        if slot.opening is None:
            slot.opening = _Opening(asyncio.create_task(self._fill(slot, open_it)))
        opening = slot.opening
        opening.waiting += 1
        try:
            return await asyncio.shield(opening.task)
        finally:
            opening.waiting -= 1
            if not opening.waiting:
                opening.task.cancel()
                # Whoever comes now must not get what was given up.
                if slot.opening is opening:
                    slot.opening = None

    async def _fill(self, slot: _Slot, open_it: Callable[[], Coroutine[Any, Any, Link]]) -> Link:
        slot.link = link = await open_it()
        if self._closed:
            in_background(functools.partial(link.lose, "drrun left"))
            raise _leaving()
        return link

    async def _open(self, host: Host, slot: _Slot, trail: tuple[str, ...]) -> Link:
        """Connect by the first route that works."""
        # A route that a person chose comes before the one that worked last.
        routes = host.routes or (Route(),)
        if not host.chosen_route:
            routes = ordered(routes, slot.route, slot.failed, time.monotonic())
        race = Race(
            [self._by(host, route, slot, trail) for route in routes],
            None if host.chosen_route else self._options.head_start,
            final=_final,
            drop=lambda found: in_background(found[1].close),
        )
        try:
            slot.route, link = await race.run()
        except RaceLost as error:
            slot.failed |= dict.fromkeys(routes[: len(error.faults)], time.monotonic())
            raise _together(error.faults) from error.faults[0]
        slot.asked = host.chosen_route
        # Those before it had a head start, and have not let us in.
        overtaken = routes[: routes.index(slot.route)]
        slot.failed |= dict.fromkeys(overtaken, time.monotonic())
        slot.failed.pop(slot.route, None)
        return link

    def _by(
        self, host: Host, route: Route, slot: _Slot, trail: tuple[str, ...]
    ) -> Attempt[tuple[Route, Link]]:
        """An attempt to connect by one route, through the hosts that it names."""

        async def attempt(begun: asyncio.Event) -> tuple[Route, Link]:
            way = Way(host.name, route.label)
            try:
                configured = await self._configured(host, route)
                hops = self._hops(host, route, configured)
                way = _way(host, await self._addressed(route), configured, hops)
                if hops:
                    begun.set()
                through = await self._through(way, hops, slot, trail)
                hop = Hop(host, configured, way)
                return route, await self._dialler.dial(hop, through, begun)
            except HopUnreachable:
                raise
            except Exception as error:
                raise Unreachable(before_sending(error, way)) from error

        return attempt

    async def _addressed(self, route: Route) -> Route:
        """A route with its address."""
        if not route.secret:
            return route
        address = await in_thread(functools.partial(self._secret, route.secret))
        if not ADDRESS.fullmatch(address):
            raise BadConfig(f"secret {route.secret} is no name or IP address")
        return replace(route, address=address)

    async def _configured(self, host: Host, route: Route) -> Configured:
        if _complete(host, route):
            return self._config.without(host.name)
        configured = await self._config.of(host.name, route.address)
        if configured.proxy_command and not route.via:
            raise BadConfig(
                "the SSH configuration needs a ProxyCommand for it, which drrun does not execute; "
                "give a route with `via` in the inventory, or use ProxyJump"
            )
        return configured

    def _hops(self, host: Host, route: Route, configured: Configured) -> list[Host]:
        """Hosts to pass through, nearest first: the route's, else those of the configuration."""
        if route.via:
            return [self._hosts.get(name) or Host(name) for name in route.via]
        # `Host *` with a ProxyJump means every host but the one to pass through.
        own = {host.name, route.address}
        return [
            self._hosts.get(jump.name) or Host(jump.name, user=jump.user, port=jump.port)
            for jump in configured.jumps
            if jump.name not in own
        ]

    async def _through(
        self, way: Way, hops: list[Host], slot: _Slot, trail: tuple[str, ...]
    ) -> Link | None:
        """The connection to the last of the hosts to pass through."""
        link: Link | None = None
        passed: tuple[str, ...] = ()
        for hop in hops:
            passed = (*passed, hop.name)
            slot.behind.append(hop.name)
            try:
                link = await self._further(hop, link, passed, trail)
            except Unreachable as error:
                why = f"{way} cannot be reached: {error.outcome.why}"
                raise HopUnreachable(replace(error.outcome, why=why)) from error
            finally:
                slot.behind.remove(hop.name)
        return link

    async def _further(
        self, hop: Host, link: Link | None, passed: tuple[str, ...], trail: tuple[str, ...]
    ) -> Link:
        """The next host on the way: reached as any other, or through the one before it."""
        if link is None:
            return await self._reach(hop, trail)

        async def open_it() -> Link:
            route = (hop.routes or (Route(),))[0]
            way = Way(hop.name)
            try:
                configured = await self._config.of(hop.name, route.address)
                way = _way(hop, await self._addressed(route), configured, [])
                way = replace(way, route=" > ".join(passed))
                return await self._dialler.dial(
                    Hop(hop, configured, way), link, begun=asyncio.Event()
                )
            except Exception as error:
                raise Unreachable(before_sending(error, way)) from error

        return await self._shared(self._slots.setdefault(" > ".join(passed), _Slot()), open_it)


def _complete(host: Host, route: Route) -> bool:
    """Whether the inventory answers all that the SSH configuration could be asked."""
    port = route.port or host.port
    address = route.address or route.secret
    return all((host.user, port, host.identity, host.host_key, address, route.via))


def _way(host: Host, route: Route, configured: Configured, hops: list[Host]) -> Way:
    address = proper_name(route.address or configured.address)
    port = route.port or host.port or configured.port
    label = " via ".join([route.label, *reversed([hop.name for hop in hops])])
    return Way(host.name, label, address, port, hidden=bool(route.secret))


def _leave_other_route(slot: _Slot, host: Host) -> None:
    """Hang up where a person has chosen another route since; jobs go on, and are found again."""
    link, chosen = slot.link, host.chosen_route
    if link is None or not chosen or slot.asked == chosen:
        return
    slot.asked = chosen
    if slot.route is not None and slot.route.label != chosen:
        slot.link = None
        in_background(functools.partial(link.lose, f"route {chosen} was chosen"))


def _final(error: Exception) -> bool:
    """Whether no other route may be tried."""
    if not isinstance(error, Unreachable):
        return False
    return not isinstance(error.outcome, NeverStarted) or error.outcome.final


def _together(faults: tuple[Exception, ...]) -> Unreachable:
    """What it means that no route worked; final only if another try can help on none."""
    outcomes: list[NeverStarted | RefusedByHost] = []
    for fault in faults:
        if isinstance(fault, Unreachable) and _final(fault):
            return fault
        if isinstance(fault, Unreachable | HopUnreachable):
            outcomes.append(fault.outcome)
    why = "; ".join(outcome.why for outcome in outcomes)
    never = [outcome for outcome in outcomes if isinstance(outcome, NeverStarted)]
    if len(never) < len(outcomes):
        return Unreachable(RefusedByHost(why))
    return Unreachable(NeverStarted(why, final=all(outcome.final for outcome in never)))


def ordered(
    routes: tuple[Route, ...], last: Route | None, failed: Mapping[Route, float], now: float
) -> tuple[Route, ...]:
    """The order in which routes are tried.

    Args:
        routes: As the inventory has them.
        last: The one that worked last.
        failed: When each last led nowhere.
        now: On the same clock.
    """

    def rank(route: Route) -> tuple[bool, bool]:
        at = failed.get(route)
        return at is not None and now - at < SHUNNED_FOR, route != last

    return tuple(sorted(routes, key=rank))


def _leaving() -> Unreachable:
    return Unreachable(NeverStarted("drrun is leaving its hosts"))


def _outcome(over: concurrent.futures.Future[Link]) -> Link | Unreachable:
    try:
        return over.result()
    except Unreachable as error:
        return error


def _nothing() -> None:
    pass
