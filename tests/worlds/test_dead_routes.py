"""Hosts whose first route is a black hole: the second is taken, and nothing is executed twice."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.wires import Wire
from tests.sshd import SshdFactory
from tests.worlds.fleet import Fleet, Lane, fleet
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


def behind(hosts: Fleet, first: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Routes to each host: the dead one, then the one that works."""
    return {
        name: [first, {"name": "oob", "address": host.address, "port": host.port}]
        for name, host in hosts.hosts.items()
    }


@pytest.mark.parametrize("count", [1, 4], ids=["one host", "four hosts at once"])
def test_behind_a_first_route_that_swallows_calls_a_step_is_executed_once(
    tmp_path: Path, sshd_factory: SshdFactory, count: int
) -> None:
    hosts = fleet(sshd_factory, {f"db{n}": Lane() for n in range(1, count + 1)})
    hosts.server.start()
    with black_hole() as first:
        world = World(tmp_path, hosts, routes=behind(hosts, first))
        done = world.run(world.steps(retry=RETRY))
    assert world.lies() == []
    assert [each.never for each in world.verdicts().values()] == [[]] * count
    assert done.exit == 0, done.err


def test_behind_a_first_route_whose_packets_are_dropped_a_step_is_executed_once(
    tmp_path: Path, sshd_factory: SshdFactory, wire: Wire
) -> None:
    hosts = fleet(sshd_factory, {"db1": Lane()}, addresses=[wire.far])
    hosts.server.start()
    first = {"name": "direct", "address": nobody(wire)}
    world = World(tmp_path, hosts, wire.prefix, routes=behind(hosts, first))
    done = world.run(world.steps(retry=RETRY))
    assert (done.exit, world.lies()) == (0, []), done.err


def nobody(wire: Wire) -> str:
    """An address at the far end that no machine has, while the kernel believes that one does."""
    address = wire.far.rpartition(".")[0] + ".9"
    place = ["lladdr", "02:00:00:00:00:09", "dev", f"{wire.namespace}b", "nud", "permanent"]
    command = ["ip", "-n", wire.namespace, "neighbour", "replace", address, *place]
    subprocess.run(command, check=True, capture_output=True)
    return address
