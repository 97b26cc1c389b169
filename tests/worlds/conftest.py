"""Fixtures of the wrong worlds."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.faults.wires import wire
from tests.sshd import SshdFactory
from tests.worlds.fleet import Fleet, Lane, fleet
from tests.worlds.world import World

__all__ = ["root", "wire"]

Enter = Callable[..., World]


def plain(_: Fleet) -> None:
    """Nothing is special about the server."""


@pytest.fixture
def enter(tmp_path: Path, sshd_factory: SshdFactory) -> Iterator[Enter]:
    """`enter({"db1": Lane()}, "MaxSessions 1", …)`: these hosts, started, before a drrun."""
    made: list[World] = []

    def begin(
        lanes: Mapping[str, Lane],
        *lines: str,
        prepare: Callable[[Fleet], None] = plain,
        addresses: Sequence[str] = (),
        **more: Any,
    ) -> World:
        hosts = fleet(sshd_factory, lanes, *lines, addresses=addresses)
        prepare(hosts)
        hosts.start()
        made.append(World(tmp_path / f"world-{len(made)}", hosts, **more))
        return made[-1]

    yield begin
    for world in made:
        world.close()


@pytest.fixture
def root() -> None:
    """Mounts and namespaces are possible here; skipped without root, but never in CI."""
    if os.geteuid() == 0:
        return
    if os.environ.get("CI"):
        pytest.fail("mounts need root")
    pytest.skip("mounts need root")
