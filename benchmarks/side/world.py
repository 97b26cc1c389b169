"""The world in which all are compared: hosts in a network of their own, near and far.

    with World.of(folder, 200) as world:
        near = world.hosts(50)                  # no delay
        far = world.hosts(50, round_trip=0.1)   # the same hosts over the wire

Rules:
- Lives in network and process namespaces that nothing leads out of; `inside` starts a program
  there. All of it ends with the program.
- Near and far addresses of a host lead to the same sshd and HOME.
"""

import fcntl
import json
import os
import pwd
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side.work import Host

#: Ranges for benchmarks (RFC 2544) and documentation (RFC 5737): nobody's addresses.
_NEAR, _FAR = "198.18", "198.19"
_SETUP_HERE = """\
link set lo up
addr add 192.0.2.1/24 dev near
link set near up
route add 198.18.0.0/16 via 192.0.2.2
addr add 203.0.113.1/24 dev wire
link set wire up
route add 198.19.0.0/16 dev wire
"""
_SETUP_THERE = """\
link set lo up
addr add 192.0.2.2/24 dev near0
link set near0 up
addr add 203.0.113.2/24 dev wire0
link set wire0 up
route add local 198.18.0.0/16 dev lo
route add local 198.19.0.0/16 dev lo
"""
_SSHD_CONFIG = """\
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/identity.pub
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
LogLevel ERROR
Subsystem sftp internal-sftp
"""
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_PROGRAMS = ("ip", "nsenter", "unshare", "sshd", "ssh", "ssh-keygen")
_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"


class NotHere(Exception):
    """This machine cannot do it: rights, a program or a part of the kernel is missing."""


def program(name: str) -> str:
    """Where a program of the machine is.

    Raises:
        NotHere: it is not installed.
    """
    if found := shutil.which(name, path=_PATH):
        return found
    raise NotHere(f"{name} is not installed here")


def inside(command: Sequence[str]) -> list[str]:
    """The command line that starts `command` in namespaces of its own, and ends all with it."""
    if os.geteuid() != 0:
        raise NotHere("network namespaces need root: run this with sudo")
    for name in _PROGRAMS:
        program(name)
    flags = ["--net", "--pid", "--mount-proc", "--fork", "--kill-child"]
    # The shell is process 1: it collects orphans while it waits.
    return [program("unshare"), *flags, "/bin/sh", "-c", '"$@"; exit $?', "sh", *command]


@dataclass
class World:
    """A running one."""

    folder: Path
    host_key: str
    _hosts: "subprocess.Popen[str]"
    _wire: "subprocess.Popen[str]"

    @property
    def user(self) -> str:
        """Account on all hosts."""
        return pwd.getpwuid(os.geteuid()).pw_name

    @property
    def identity(self) -> Path:
        """Private key that logs in everywhere."""
        return self.folder / "identity"

    def home(self, host: Host) -> Path:
        """HOME of commands on a host."""
        return self.folder / "homes" / host.name

    def hosts(self, count: int, round_trip: float | None = None) -> list[Host]:
        """The first `count` hosts: near, or over a wire with that round trip."""
        if round_trip is not None:
            _ask(self._wire, f"delay {round_trip / 2}")
        net = _NEAR if round_trip is None else _FAR
        return [Host(_name(n), _address(net, n), 22) for n in range(count)]

    def processes(self) -> int:
        """How many processes the hosts have begun since they are there."""
        return int(_ask(self._hosts, "count"))

    def messages(self) -> int:
        """How many TCP segments with data went to far hosts."""
        return int(_ask(self._wire, "count").split()[0])

    @classmethod
    @contextmanager
    def of(cls, folder: Path, count: int) -> Iterator["World"]:
        """A world of `count` hosts, for the block."""
        _make_files(folder, count)
        here = Path(__file__).parent
        tuns = [_tun("wire"), _tun("wire0")]
        hosts = _start(
            [
                *[program("unshare"), "--net", "--pid", "--mount-proc", "--fork", "--kill-child"],
                *[sys.executable, str(here / "hosts.py"), program("sshd")],
                *[str(folder / "sshd_config"), str(folder / "homes.json")],
            ]
        )
        _connect(hosts.pid)
        wire = _start([sys.executable, str(here / "wire.py"), *map(str, tuns)], tuns)
        for number in tuns:
            os.close(number)
        key = (folder / "host_key.pub").read_text("utf-8").split()[:2]
        try:
            yield cls(folder, " ".join(key), hosts, wire)
        finally:
            for each in (hosts, wire):
                each.kill()
                each.wait()


def _name(number: int) -> str:
    return f"h{number}"


def _address(net: str, number: int) -> str:
    return f"{net}.{number // 250}.{number % 250 + 1}"


def _make_files(folder: Path, count: int) -> None:
    for name in ("host_key", "identity"):
        words = ["-q", "-t", "ed25519", "-N", "", "-C", "benchmark", "-f", str(folder / name)]
        subprocess.run([program("ssh-keygen"), *words], check=True, stdin=subprocess.DEVNULL)
    (folder / "sshd_config").write_text(_SSHD_CONFIG.format(folder=folder), "utf-8")
    homes: dict[str, str] = {}
    for number in range(count):
        home = folder / "homes" / _name(number)
        home.mkdir(parents=True)
        homes |= {_address(net, number): str(home) for net in (_NEAR, _FAR)}
    (folder / "homes.json").write_text(json.dumps(homes), "utf-8")
    # sshd's separated process wants this folder; packages make it at boot.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def _tun(name: str) -> int:
    """A device whose packets this process carries."""
    try:
        number = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI)
        fcntl.ioctl(number, _TUNSETIFF, flags)
    except OSError as error:
        raise NotHere(f"no tun devices here, which carry the round trips: {error}") from None
    return number


def _start(command: list[str], keep: Sequence[int] = ()) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=keep
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise NotHere(f"{command[0]} did not start")
    return process


def _ask(process: "subprocess.Popen[str]", order: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    print(order, file=process.stdin, flush=True)
    return process.stdout.readline()


def _connect(pid: int) -> None:
    """Join the two namespaces, by the wire and directly."""
    ip = program("ip")
    there = [program("nsenter"), "-t", str(pid), "--net", "--", ip]
    links = f"""\
link add near type veth peer name near0 netns {pid}
link set wire0 netns {pid}
"""
    for command, batch in (([ip], links), ([ip], _SETUP_HERE), (there, _SETUP_THERE)):
        subprocess.run([*command, "-batch", "-"], input=batch, text=True, check=True)
