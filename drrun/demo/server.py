"""All servers of the demonstration in one process: `python -m drrun.demo.server`.

Rules:
- What to serve comes as one line of JSON on standard input; the ports go back as one line.
- Every port is taken before anything is said, on the loopback only. A host that is down refuses
  connections, because nobody listens there; a line `up HOST` lets it listen.
- The gateway's front is there too, a port for each protocol, down until something is passed on.
- It ends when its standard input ends: with its parent, however that one ended.
"""

import json
import logging
import os
import queue
import selectors
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko  # noqa: TID253 - this module is a process of its own

from drrun.core.dataclass import dataclass
from drrun.demo import front, sshd
from drrun.demo.stand_in_commands import Home

#: What happens to who connects.
Welcome = Callable[[socket.socket], None]
#: Connections that may wait to be let in.
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Door:
    """A port, and what happens to who connects."""

    port: socket.socket
    welcome: Welcome


class Servers:
    """The doors of one world."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._ports: set[int] = set()
        self._doors = {
            name: self._door(_host(name, host, spec, self._ports.__contains__))
            for name, host in spec["hosts"].items()
        }
        hosts = Path(spec["root"]) / "hosts"
        for protocol in spec["front"]:
            self._doors[protocol] = self._door(_front(protocol, hosts))
        self._selector = selectors.DefaultSelector()
        self._coming: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._bell, self._rung = socket.socketpair()
        self._selector.register(self._rung, selectors.EVENT_READ, None)
        # Before the ports are told: who knows them may come at once.
        for name in spec["up"]:
            self._open(self._doors[name])

    @property
    def ports(self) -> dict[str, int]:
        """Host, or protocol of the front -> its port."""
        return {name: door.port.getsockname()[1] for name, door in self._doors.items()}

    def up(self, name: str) -> None:
        """Let a door listen. From any thread."""
        self._coming.put(name)
        self._bell.send(b".")

    def serve(self) -> None:
        """Let people in, for ever."""
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._rung.recv(1)
                    self._open(self._doors[self._coming.get()])
                else:
                    line, _ = key.data.port.accept()
                    key.data.welcome(line)

    def _open(self, door: Door) -> None:
        if door.port not in self._selector.get_map():
            door.port.listen(_BACKLOG)
            self._selector.register(door.port, selectors.EVENT_READ, door)

    def _door(self, welcome: Welcome) -> Door:
        port = socket.socket()
        port.bind(("127.0.0.1", 0))
        self._ports.add(port.getsockname()[1])
        return Door(port, welcome)


def _host(
    name: str, host: dict[str, str], spec: dict[str, Any], may_jump: Callable[[int], bool]
) -> Welcome:
    folder = Path(host["folder"])
    own = {
        "HOME": str(folder),
        "HOST": name,
        "USER": spec["user"],
        "LOGNAME": spec["user"],
        "SHELL": "/bin/sh",
        "TMPDIR": str(folder / "tmp"),
    }
    account = sshd.Account(
        spec["user"],
        spec["key"],
        Home(folder, {**spec["environment"], **own}),
        paramiko.Ed25519Key(filename=host["key"]),
        may_jump,
    )
    return lambda line: sshd.welcome(line, account)


def _front(protocol: str, hosts: Path) -> Welcome:
    if protocol == "http":
        return lambda line: front.answer(line, hosts)
    return lambda line: front.greet(line, protocol)


def main() -> None:
    """Serve until standard input ends."""
    # paramiko tells of every client that hangs up.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    logging.getLogger("paramiko").propagate = False
    with os.fdopen(0, encoding="utf-8") as orders:
        spec = json.loads(orders.readline())
        servers = Servers(spec)
        threading.Thread(target=servers.serve, daemon=True).start()
        sys.stdout.write(json.dumps(servers.ports) + "\n")
        sys.stdout.flush()
        for order in orders:
            servers.up(order.split()[1])
    # Sessions may be open, and their threads would be waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
