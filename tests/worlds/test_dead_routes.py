"""Hosts whose first route is a black hole: the second is taken, and nothing is executed twice."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.faults.wires import Wire
from tests.worlds.conftest import Enter
from tests.worlds.fleet import Lane
from tests.worlds.world import World

RETRY = "{attempts: 2, delay: 1s, on: [unreachable]}"
#: More callers than this and the kernel would have refused us.
_CALLERS = 16


@contextmanager
def black_hole() -> Iterator[dict[str, Any]]:
    """A route on which nobody is told anything: the kernel drops calls to a full queue."""
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(_CALLERS):
            caller = open_sockets.enter_context(socket.socket())
            caller.settimeout(0.5)
            try:
                caller.connect(listener.getsockname())
            except TimeoutError:
                yield {"name": "direct", "address": "127.0.0.1", "port": listener.getsockname()[1]}
                return
        pytest.fail("the kernel takes every call")


def put_behind(world: World, first: dict[str, Any]) -> None:
    """Let each host have the dead route first, then the one that works."""
    for name, host in world.fleet.hosts.items():
        second = {"name": "oob", "address": host.address, "port": host.port}
        world.routes[name] = [first, second]
    world.inventory()


@pytest.mark.parametrize("count", [1, 4], ids=["one host", "four hosts at once"])
@pytest.mark.faults(110)
def test_behind_a_first_route_that_swallows_calls_a_step_is_executed_once(
    enter: Enter, count: int
) -> None:
    world = enter({f"db{n}": Lane() for n in range(1, count + 1)})
    with black_hole() as first:
        put_behind(world, first)
        done = world.run(world.steps(retry=RETRY))
    assert world.lies() == []
    assert [each.never for each in world.verdicts().values()] == [[]] * count
    assert done.exit == 0, done.err


@pytest.mark.faults(110)
def test_behind_a_first_route_whose_packets_are_dropped_a_step_is_executed_once(
    enter: Enter, wire: Wire
) -> None:
    world = enter({"db1": Lane()}, addresses=[wire.far], prefix=wire.prefix)
    put_behind(world, {"name": "direct", "address": nobody(wire)})
    done = world.run(world.steps(retry=RETRY))
    assert (done.exit, world.lies()) == (0, []), done.err


def nobody(wire: Wire) -> str:
    """An address at the far end that no machine has, while the kernel believes that one does."""
    address = wire.far.rpartition(".")[0] + ".9"
    place = ["lladdr", "02:00:00:00:00:09", "dev", f"{wire.namespace}b", "nud", "permanent"]
    command = ["ip", "-n", wire.namespace, "neighbour", "replace", address, *place]
    subprocess.run(command, check=True, capture_output=True)
    return address
