"""Places to run on, near and far."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drrun.core.model.inventory import Host
from drrun.hands.local import LocalPlace
from drrun.ports.places import Remote
from drrun.ssh.connections import Connections
from drrun.ssh.options import SshOptions
from drrun.ssh.remote import SshRemote
from tests.sshd import Sshd

Reach = Callable[..., SshRemote]


@pytest.fixture
def reach() -> Iterator[Reach]:
    """`reach(host, other, …, options=…)`: the first host, with the others in the inventory."""
    made: list[Connections] = []

    def remote(host: Host, *others: Host, options: SshOptions | None = None) -> SshRemote:
        hosts = {each.name: each for each in (host, *others)}
        made.append(Connections(hosts, options))
        return SshRemote(made[-1], host)

    yield remote
    for connections in made:
        connections.close()


@pytest.fixture(params=["ssh", "local"])
def place(request: pytest.FixtureRequest) -> Remote:
    """A place of each kind; all keep the same promises."""
    if request.param == "local":
        return LocalPlace()
    server: Sshd = request.getfixturevalue("sshd")
    connect: Reach = request.getfixturevalue("reach")
    return connect(server.host("db1"))


@pytest.fixture
def far(sshd: Sshd, reach: Reach) -> SshRemote:
    """One plain host over SSH."""
    return reach(sshd.host("db1"))


@pytest.fixture
def cancel() -> threading.Event:
    """Never set, unless the test does."""
    return threading.Event()


@pytest.fixture
def far_home(sshd: Sshd) -> Path:
    """HOME on the plain host."""
    return sshd.home
