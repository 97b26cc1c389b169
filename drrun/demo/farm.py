"""The hosts of the demonstration as real SSH servers: a folder, a port and a host key each.

Rules:
- One process serves them all and ends with this one, however this one ends.
- Keys are made for each demonstration and are of no use anywhere else.
- Servers listen on the loopback only and let in nobody but the demonstration's own key.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import InputError
from drrun.demo.demo_world import HOSTS, DemoWorld, environment

#: The user as whom everybody logs in.
USER: Final = "drrun"
#: Ports of the gateway's public address, by protocol.
FRONT: Final = ("http", "ssh", "smtp", "irc")
#: Seconds until the servers are asked less kindly to end.
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Farm:
    """Running servers."""

    #: Host, or protocol of the front -> port on 127.0.0.1.
    ports: Mapping[str, int]
    #: Host -> `ssh-ed25519 AAAA…`, for the inventory.
    host_keys: Mapping[str, str]
    #: The private key that lets in.
    identity: Path
    _orders: IO[str]

    @classmethod
    @contextmanager
    def start(cls, world: DemoWorld, keys: Path, down: Collection[str] = ()) -> Iterator[Self]:
        """Serve the hosts of a world until the end of the context.

        Args:
            world: The hosts' folders.
            keys: Folder for the keys, made here.
            down: Hosts that refuse connections until `up`, as the gateway's front does.

        Raises:
            InputError: The servers did not start.
        """
        keys.mkdir(parents=True, mode=0o700)
        identity = keys / "identity"
        public = _make_key(identity)
        host_keys = {name: _make_key(keys / f"host-{name}") for name in HOSTS}
        spec = {
            "root": str(world.root),
            "user": USER,
            "key": public.split()[1],
            "environment": environment(world),
            "up": [name for name in HOSTS if name not in down],
            "hosts": {
                name: {"folder": str(world.host(name)), "key": str(keys / f"host-{name}")}
                for name in HOSTS
            },
            "front": FRONT,
        }
        with _process() as process:
            orders, answers = process.stdin, process.stdout
            if orders is None or answers is None:
                raise InputError("the demonstration's servers have no pipes")
            orders.write(json.dumps(spec) + "\n")
            orders.flush()
            told = answers.readline()
            if not told:
                raise InputError("the demonstration's servers did not start; see above")
            yield cls(json.loads(told), host_keys, identity, orders)

    def up(self, name: str) -> None:
        """Let a host, or a protocol of the front, be reached from now on.

        Raises:
            OSError: The servers are gone.
        """
        self._orders.write(f"up {name}\n")
        self._orders.flush()


@contextmanager
def _process() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "drrun.demo.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the run, which goes on talking to its hosts while it ends.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _make_key(path: Path) -> str:
    """Write a new key for OpenSSH; its public half."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    # Nobody else may read it, not even for a moment.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return public.decode("ascii")
