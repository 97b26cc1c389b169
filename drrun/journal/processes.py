"""Whether a process that left its name still lives, and who holds a lock.

Rules:
- Dead is said only with proof: same boot and same pid namespace, and the pid is gone, a zombie,
  or belongs to a process that started at another time (fault F62); or the same machine, by name
  and machine id, has booted since. Everything else is out of sight.
- Where there is no /proc, `ps` tells when a process started.
"""

import os
from contextlib import suppress
from getpass import getuser
from hashlib import sha256
from pathlib import Path
from pwd import getpwuid

from drrun.core.model.seat import Seat
from drrun.engine.leasing import ControllerProcess, Sign
from drrun.ports.journal import Lease

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MACHINE = Path("/etc/machine-id")
_PROC = Path("/proc")


def this_process(person: str = "") -> ControllerProcess:
    """The seat of this process, held by `person`, by default the user of the operating system."""
    host = os.uname().nodename
    return ControllerProcess(
        holder=f"{person or _user()}@{host}",
        host=host,
        pid=os.getpid(),
        started="/".join((*_kernel(), _started(os.getpid()))),
    )


def this_seat() -> Seat:
    """Whose account this process belongs to, and its terminal.

    The account is that of the process: what `USER` says in the environment is only said.
    """
    try:
        user = getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return Seat(user, os.uname().nodename, _terminal())


def _terminal() -> str:
    for stream in (0, 1, 2):
        with suppress(OSError):
            return os.ttyname(stream).removeprefix("/dev/")
    return ""


def sign_of(lease: Lease) -> Sign:
    """What can be told from here about the process that took `lease`."""
    machine, boot, namespace, started = (lease.started.split("/") + [""] * 4)[:4]
    my_machine, my_boot, my_namespace = _kernel()
    same_name = lease.host == os.uname().nodename
    if boot != my_boot or not (boot or same_name):
        rebooted = same_name and bool(boot and my_boot and machine) and machine == my_machine
        return Sign.DEAD if rebooted else Sign.OUT_OF_SIGHT
    if namespace != my_namespace:
        return Sign.OUT_OF_SIGHT
    return Sign.ALIVE if started and _started(lease.pid) == started else Sign.DEAD


def lock_holders(path: Path) -> str:
    """Who holds a lock on the file at `path`, for a message: `process 4711 (drrun)`, or ""."""
    try:
        inode = path.stat().st_ino
        lines = (_PROC / "locks").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    # `1: POSIX  ADVISORY  WRITE 4711 08:01:1234567 1073741826 1073742335`. The file itself is
    # not opened here: closing it would drop every lock that this process has on it.
    held = (line.split() for line in lines if "->" not in line)
    pids = {words[4] for words in held if len(words) > 5 and words[5].endswith(f":{inode}")}
    return ", ".join(f"process {pid}{_name(pid)}" for pid in sorted(pids - {str(os.getpid())}))


def _name(pid: str) -> str:
    try:
        return f" ({(_PROC / pid / 'comm').read_text(encoding='utf-8').strip()})"
    except OSError:
        return ""


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _kernel() -> tuple[str, str, str]:
    """Machine, boot and pid namespace; "" for what this system does not tell."""
    # The namespace reads like `pid:[4026531836]`.
    try:
        namespace = str((_PROC / "self" / "ns" / "pid").readlink())
    except OSError:
        namespace = ""
    # The id itself is to be kept confidential, machine-id(5): only a hash of it is stored.
    machine = _line(_MACHINE)
    digest = sha256(f"drrun {machine}".encode()).hexdigest()[:16] if machine else ""
    return digest, _line(_BOOT), namespace


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process `pid` started, in the system's own units; "" if it does not run."""
    if not _PROC.joinpath("self", "stat").exists():
        return _started_by_ps(pid)
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The command's name stands in brackets and may hold anything, also brackets.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _started_by_ps(pid: int) -> str:
    import subprocess

    from drrun.engine.environment import inherited

    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        env=inherited(),
        text=True,
        timeout=10,
        check=False,
    ).stdout.strip()
    state, _, started = told.partition(" ")
    return "" if state.startswith("Z") else started.strip().replace("/", "-")
