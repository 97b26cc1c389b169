"""All SSH servers of the demonstration in one process: `python -m drrun.demo.server`.

Rules:
- What to serve comes as one line of JSON on standard input; the ports go back as one line.
- Every port is taken before anything is said, on the loopback only. A host that is down refuses
  connections, because nobody listens there; a line `up HOST` lets it listen.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko  # noqa: TID253 - this module is a process of its own

from drrun.demo import sshd
from drrun.demo.commands import Home

#: Connections that may wait to be let in.
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Door:
    """A host's port, and who may come in."""

    socket: socket.socket
    account: sshd.Account


class Servers:
    """The doors of one world."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._ports: set[int] = set()
        self._doors = {name: self._door(name, host, spec) for name, host in spec["hosts"].items()}
        self._selector = selectors.DefaultSelector()
        self._coming: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._bell, self._rung = socket.socketpair()
        self._selector.register(self._rung, selectors.EVENT_READ, None)

    @property
    def ports(self) -> dict[str, int]:
        """Host -> its port."""
        return {name: door.socket.getsockname()[1] for name, door in self._doors.items()}

    def up(self, name: str) -> None:
        """Let a host listen. From any thread."""
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
                    line, _ = key.data.socket.accept()
                    sshd.welcome(line, key.data.account)

    def _open(self, door: Door) -> None:
        if door.socket not in self._selector.get_map():
            door.socket.listen(_BACKLOG)
            self._selector.register(door.socket, selectors.EVENT_READ, door)

    def _door(self, name: str, host: dict[str, str], spec: dict[str, Any]) -> Door:
        port = socket.socket()
        port.bind(("127.0.0.1", 0))
        self._ports.add(port.getsockname()[1])
        folder = Path(host["folder"])
        environment = {
            "HOME": str(folder),
            "HOSTNAME": name,
            "USER": spec["user"],
            "LOGNAME": spec["user"],
            "SHELL": "/bin/sh",
            "PATH": spec["path"],
            "LANG": "C.UTF-8",
            # What the machine's owner configured for git is no part of this world.
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        account = sshd.Account(
            spec["user"],
            spec["key"],
            Home(folder, environment),
            paramiko.Ed25519Key(filename=host["key"]),
            self._ports.__contains__,
        )
        return Door(port, account)


def main() -> None:
    """Serve until standard input ends."""
    # paramiko tells of every client that hangs up.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    logging.getLogger("paramiko").propagate = False
    with os.fdopen(0, encoding="utf-8") as orders:
        spec = json.loads(orders.readline())
        servers = Servers(spec)
        for name in spec["up"]:
            servers.up(name)
        threading.Thread(target=servers.serve, daemon=True).start()
        sys.stdout.write(json.dumps(servers.ports) + "\n")
        sys.stdout.flush()
        for order in orders:
            servers.up(order.split()[1])
    # Sessions may be open, and their threads would be waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
