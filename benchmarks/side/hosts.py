"""The hosts: process 1 of their own namespaces, which gives each connection to a real sshd.

Started by `world`, never by hand. Each address is a host with a HOME of its own. sshd runs as from
inetd, one process a connection, so that 1,000 hosts cost nothing until somebody calls.

Rules:
- Reads orders on standard input, answers each with a line; when it closes, all is over, and the
  kernel ends whatever lived in this namespace.
- Collects orphans, as an init does.
- Starts nothing but sshd: numbers of processes given out here are those of the hosts' own work.
"""

import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path


def processes() -> int:
    """The last number that was given to a process of this namespace."""
    return int(Path("/proc/loadavg").read_text("ascii").split()[4])


def collect(*_: object) -> None:
    """Bury who has ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def serve(connection: socket.socket, sshd: str, config: str, homes: dict[str, str]) -> None:
    """Give a connection to an sshd that knows whose HOME it is."""
    home = homes.get(connection.getsockname()[0])
    if home is not None:
        words = [sshd, "-i", "-f", config, "-o", f"SetEnv=HOME={home}"]
        number = connection.fileno()
        doors = [(os.POSIX_SPAWN_DUP2, number, 0), (os.POSIX_SPAWN_DUP2, number, 1)]
        os.posix_spawn(sshd, words, os.environ, file_actions=doors)
    connection.close()


def main() -> None:
    sshd, config, homes_file = sys.argv[1:]
    homes = json.loads(Path(homes_file).read_text("utf-8"))
    signal.signal(signal.SIGCHLD, collect)
    listener = socket.create_server(("0.0.0.0", 22), backlog=4096)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                serve(listener.accept()[0], sshd, config, homes)
            elif not sys.stdin.readline():
                return
            else:
                print(processes(), flush=True)


if __name__ == "__main__":
    main()
