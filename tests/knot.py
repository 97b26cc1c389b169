"""Real authoritative name servers (knotd) on loopback ports, for tests.

Use the fixture `knot_factory`::

    def test_something(knot_factory):
        server = knot_factory.start("www 300 A 192.0.2.1")
        server.address  # "127.0.0.1:20053", as `servers` of a dns probe wants it

Rules:
- Own folder, own port, one zone (`ZONE`) in one file; nothing of the machine is used or changed.
- A missing knotd fails the test; it never skips.
- All servers of a factory are stopped when the test is over.
"""

import base64
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.sshd import free_port, until

ZONE = "example.org"
#: Seconds that a server may take to answer.
_READY_WITHIN = 20.0
_CONFIG = """\
server:
    rundir: "{folder}/run"
    listen: "127.0.0.1@{port}"
database:
    storage: "{folder}"
log:
  - target: "{folder}/log"
    any: info
key:
  - id: {key_name}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: update
    key: {key_name}
    action: update
zone:
  - domain: {zone}
    file: "{folder}/zone"
    storage: "{folder}"
    acl: update
"""
_HEAD = """\
$ORIGIN {zone}.
$TTL 60
@ SOA ns1 hostmaster {serial} 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
"""
#: What an update has to be signed with.
KEY_NAME, SECRET = "drrun-test", base64.b64encode(b"a key of a test, 32 bytes long..").decode()
KEY = f"hmac-sha256:{KEY_NAME}:{SECRET}"
#: A question for the zone's SOA record: id 1, one question.
_SOA = (
    b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    + b"".join(bytes([len(label)]) + label.encode() for label in ZONE.split("."))
    + b"\x00\x00\x06\x00\x01"
)


@dataclass
class Knot:
    """One running server."""

    port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Address and port, as people write them."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = shutil.which("knotd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not program:
            pytest.fail("knotd is missing: install knot")
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                [program, "-c", str(self.folder / "knot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        process = self._process
        until(lambda: self._answers() or process.poll() is not None, _READY_WITHIN)
        if not self._answers():
            said_so_far = (self.folder / "said").read_text("utf-8", "replace")
            pytest.fail(f"knotd did not start: {said_so_far}")

    def says(self, name: str, kind: str = "A") -> str:
        """What dig reads at it: data of the records, sorted."""
        asked = ["dig", "+short", "@127.0.0.1", "-p", str(self.port), name, kind]
        done = subprocess.run(asked, check=True, capture_output=True, text=True)
        return " ".join(sorted(done.stdout.split()))

    def freeze(self) -> None:
        """Make it fall silent."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with closing(socket.socket(type=socket.SOCK_DGRAM)) as line:
            line.settimeout(1)
            try:
                line.sendto(_SOA, ("127.0.0.1", self.port))
                answer = line.recv(4096)
            except OSError:
                return False
        # No error, and at least one record: the zone is loaded.
        return answer[3] & 15 == 0 and int.from_bytes(answer[6:8]) > 0


@dataclass
class KnotFactory:
    """Makes servers of the zone `ZONE`."""

    folder: Path
    _made: list[Knot] = field(default_factory=list, repr=False)

    def start(self, *records: str, serial: int = 1) -> Knot:
        """Start a server whose zone has these records besides SOA, NS and ns1."""
        folder = self.folder / str(len(self._made))
        (folder / "run").mkdir(parents=True)
        server = Knot(free_port(), folder)
        text = "\n".join([_HEAD.format(zone=ZONE, serial=serial), *records, ""])
        (folder / "zone").write_text(text, "utf-8")
        config = _CONFIG.format(
            folder=folder, port=server.port, zone=ZONE, key_name=KEY_NAME, secret=SECRET
        )
        (folder / "knot.conf").write_text(config, "utf-8")
        self._made.append(server)
        server.start()
        return server

    def close(self) -> None:
        """Stop all."""
        for server in self._made:
            server.stop()


@pytest.fixture
def knot_factory() -> Iterator[KnotFactory]:
    """Makes real name servers that live as long as the test."""
    # A short path: its control socket has a limit of about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="knot", dir="/tmp"))
    factory = KnotFactory(folder)
    yield factory
    factory.close()
    shutil.rmtree(folder, ignore_errors=True)
