"""Real OpenSSH servers on loopback ports, for tests; as root or as anybody else.

Use the fixture `sshd_factory`, or `sshd` for one plain server::

    def test_something(sshd_factory):
        server = sshd_factory.start("MaxSessions 2")
        remote = SshRemote(Connections({}), server.host("db1"))

Rules:
- Nothing of the machine is used or changed: own keys, own configuration, own ports. Commands see
  the server's own folder as HOME (their working folder is the account's).
- A missing sshd fails the test; it never skips.
- All servers of a factory are stopped with their sessions when the test is over.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drrun.core.model.inventory import Host, Route

#: Seconds that a server may take to greet.
_READY_WITHIN = 20.0
_CONFIG = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
LogLevel VERBOSE
SetEnv HOME={folder}/home
"""


@dataclass
class Sshd:
    """One running server."""

    address: str
    port: int
    #: Public key, `ssh-ed25519 AAAA…`.
    host_key: str
    #: Account to log in as: the one that runs the tests, unless others were wanted.
    user: str
    #: Private key that may log in.
    identity: Path
    #: Everything of this server is below it.
    folder: Path
    #: What starts it: a namespace with file systems of its own.
    prefix: Sequence[str] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def home(self) -> Path:
        """HOME of commands."""
        return self.folder / "home"

    @property
    def config(self) -> Path:
        """Its sshd_config; change it, then `restart`."""
        return self.folder / "sshd_config"

    @property
    def log(self) -> str:
        """What it said so far."""
        return (self.folder / "log").read_text("utf-8", "replace")

    @property
    def known_hosts_line(self) -> str:
        """The line that makes it known."""
        return f"[{self.address}]:{self.port} {self.host_key}"

    def host(self, name: str, **changes: Any) -> Host:
        """It as a host of an inventory, its key pinned."""
        given: dict[str, Any] = {
            "user": self.user,
            "identity": str(self.identity),
            "host_key": self.host_key,
            "routes": (Route(address=self.address, port=self.port),),
        }
        return Host(name, **{**given, **changes})

    @property
    def pid(self) -> int:
        """The process that was started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it greets."""
        program = _program("sshd")
        with (self.folder / "log").open("ab") as log:
            command = [*self.prefix, program, "-D", "-e", "-f", str(self.config)]
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        process = self._process
        until(lambda: self._greets() or process.poll() is not None, _READY_WITHIN)
        if not self._greets():
            pytest.fail(f"sshd did not start: {self.log}")

    def stop(self) -> None:
        """Stop it with all its sessions; commands that go on are left alone."""
        if self._process is None:
            return
        # Nobody must be let in again while its sessions are killed.
        self._process.send_signal(signal.SIGSTOP)
        self.kill_sessions()
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop and start it again, on the same port and with the same keys."""
        self.stop()
        self.start()

    def kill_sessions(self) -> None:
        """Kill the processes that serve connections; what they started goes on."""
        self._signal_sessions(signal.SIGKILL)

    def freeze(self) -> None:
        """Make it fall silent: connections stay, nothing answers (like dropped packets)."""
        self._signal_sessions(signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._signal_sessions(signal.SIGCONT)

    def connections(self) -> int:
        """How many connections are open, by the kernel's table."""
        table = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
        lines = [line.split() for line in table]
        port, established = f":{self.port:04X}", "01"
        return sum(line[1].endswith(port) and line[3] == established for line in lines)

    def _signal_sessions(self, number: signal.Signals) -> None:
        for pid in self._sessions():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _sessions(self) -> list[int]:
        """Descendants of the listening process that are sshd themselves, deepest first."""
        if self._process is None:
            return []
        parents: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                name, _, rest = stat.read_text("utf-8", "replace").rpartition(") ")
                if "(sshd" in name:
                    parents.setdefault(int(rest.split()[1]), []).append(int(stat.parent.name))
        found, queue = [], [self._process.pid]
        while queue:
            children = parents.get(queue.pop(), [])
            found += children
            queue += children
        return found[::-1]

    def _greets(self) -> bool:
        try:
            with closing(socket.create_connection((self.address, self.port), 1)) as sock:
                sock.settimeout(5)
                return sock.recv(4) == b"SSH-"
        except OSError:
            return False


@dataclass
class SshdFactory:
    """Makes servers; all accept the key `identity`."""

    folder: Path
    _made: list[Sshd] = field(default_factory=list, repr=False)

    @property
    def identity(self) -> Path:
        """Private key that logs in everywhere."""
        path = self.folder / "identity"
        return path if path.exists() else make_key(path)

    def start(self, *lines: str, **place: Any) -> Sshd:
        """Start a server with further lines of sshd_config, which win over ours."""
        server = self.make(*lines, **place)
        server.start()
        return server

    def make(self, *lines: str, address: str = "127.0.0.1", user: str | None = None) -> Sshd:
        """The same, not started yet."""
        folder = self.folder / f"sshd-{len(self._made)}"
        (folder / "home").mkdir(parents=True)
        # Accounts without rights must be able to come here.
        for each in (folder, folder / "home"):
            each.chmod(0o755)
        make_key(folder / "host_key")
        shutil.copy(self.identity.with_suffix(".pub"), folder / "authorized_keys")
        (folder / "authorized_keys").chmod(0o644)
        # The separated process wants this folder; packages make it at boot.
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        port = free_port(address)
        text = _CONFIG.format(port=port, address=address, folder=folder)
        (folder / "sshd_config").write_text("\n".join([*lines, text]), "utf-8")
        server = Sshd(
            address,
            port,
            " ".join((folder / "host_key.pub").read_text("utf-8").split()[:2]),
            user or pwd.getpwuid(os.geteuid()).pw_name,
            self.identity,
            folder,
        )
        self._made.append(server)
        return server

    def close(self) -> None:
        """Stop all, and whatever a test left running on them: a job outlives its controller."""
        for server in self._made:
            server.thaw()
            server.stop()
        kill_what_lives_in(self.folder)


def kill_what_lives_in(folder: Path) -> None:
    """End every process whose home is below a folder."""
    home = f"HOME={folder}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(
                each.startswith(home) for each in (process / "environ").read_bytes().split(b"\0")
            ):
                os.kill(int(process.name), signal.SIGKILL)


def make_key(path: Path, kind: str = "ed25519", *options: str) -> Path:
    """Make a key pair; `options` go to ssh-keygen."""
    command = [_program("ssh-keygen"), "-q", "-t", kind, "-f", str(path), "-C", "test"]
    passphrase = () if "-N" in options else ("-N", "")
    subprocess.run([*command, *passphrase, *options], check=True, stdin=subprocess.DEVNULL)
    return path


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether `condition` came true; for what tells nobody when it happens."""
    pause, end = threading.Event(), time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        pause.wait(0.02)
    return holds


def free_port(address: str = "127.0.0.1") -> int:
    """A port on which nobody listens now."""
    with closing(socket.socket()) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.fail(f"{name} is missing; install OpenSSH's server and client")
    return found


@contextmanager
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshdFactory]:
    """Makes real servers that live until the end of the block."""
    folder = tmp_path_factory.mktemp("sshd")
    # pytest closes its folders to others; accounts that tests log in as must come through.
    for each in (folder, *folder.parents):
        if each.owner() == pwd.getpwuid(os.geteuid()).pw_name and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o011)
    factory = SshdFactory(folder)
    try:
        yield factory
    finally:
        factory.close()


@pytest.fixture
def sshd_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshdFactory]:
    """Makes real servers that live as long as the test."""
    with servers(tmp_path_factory) as factory:
        yield factory


@pytest.fixture
def sshd(sshd_factory: SshdFactory) -> Sshd:
    """One plain server."""
    return sshd_factory.start()
