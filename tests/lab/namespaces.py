"""Entering the namespaces of a lab, and asking the kernel who is in them.

Rules:
- A process is meant by its number and the moment of its start, so that a number used again
  is never mistaken for it.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

#: Programs that no lab can do without -> Debian package.
PROGRAMS = {
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "ps": "procps",
}
_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"


class NotHere(Exception):
    """This machine cannot do it: rights, a program or a part of the kernel is missing."""


class LabBroken(Exception):
    """A lab did not come up, or is gone."""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    exit: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.exit == 0


def demand() -> None:
    """See to it that a lab is possible here.

    Raises:
        NotHere: not root, or programs are missing; says what to do.
    """
    if os.geteuid() != 0:
        raise NotHere("a lab needs root, for namespaces and mounts: run this with sudo")
    if any(os.path.ismount(name) for name in ("/usr", "/etc", "/var")):
        raise NotHere(
            "a lab needs /usr, /etc and /var on the file system of /: hosts get a copy of it"
        )
    missing = sorted(
        {pack for name, pack in PROGRAMS.items() if not shutil.which(name, path=_PATH)}
    )
    if missing:
        raise NotHere(
            f"a lab needs programs that are missing: apt-get install {' '.join(missing)}"
        )


def program(name: str) -> str:
    """Where a program of the machine is.

    Raises:
        NotHere: it is not installed.
    """
    if found := shutil.which(name, path=_PATH):
        return found
    raise NotHere(f"{name} is not installed here")


def born(pid: int) -> int:
    """When process `pid` began, in the kernel's ticks; 0 if there is none, or only its corpse."""
    fields = _stat(pid)
    return 0 if fields[0] in "ZX" else int(fields[19])


def is_still(pid: int) -> bool:
    """Whether a process does nothing: stopped, dead or gone."""
    return _stat(pid)[0] in "TtZX"


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on, which is the state: X if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ["X"]
    return text.rpartition(") ")[2].split()


def inode(pid: int, kind: str) -> int:
    """The namespace of `kind` that a process is in; 0 if it is gone."""
    try:
        return Path(f"/proc/{pid}/ns/{kind}").stat().st_ino
    except OSError:
        return 0


def everybody() -> Iterator[int]:
    """The numbers of all processes of the machine."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            yield int(entry.name)


def members(kind: str, namespace: int) -> list[int]:
    """Processes in a namespace; not those in namespaces below it."""
    return [pid for pid in everybody() if namespace and inode(pid, kind) == namespace]


def kill(pids: Sequence[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Send all of them a signal; whoever is gone is no error."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` came true; for what tells nobody when it happens."""
    pause, end = Event(), monotonic() + seconds
    while not (holds := condition()) and monotonic() < end:
        pause.wait(0.02)
    return holds


def enter(pid: int, *kinds: str) -> list[str]:
    """The words before a command that is to run in the namespaces of `pid`."""
    return [program("nsenter"), "-t", str(pid), *(f"--{kind}" for kind in kinds), "--"]


def finish(process: "subprocess.Popen[str]", timeout: float, given: str | None = None) -> Done:
    """Wait for a process that leads its own session; when time is over, kill all of the session.

    Raises:
        TimeoutError: with what it had said.
    """
    try:
        out, err = process.communicate(given, timeout=timeout)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        message = f"no end after {timeout:g} s: {process.args!r}\n{out}{err}"
        raise TimeoutError(message) from None
    return Done(process.returncode, out or "", err or "")


def start(
    command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | str | None = None
) -> "subprocess.Popen[str]":
    """Begin a command in a session of its own, with pipes."""
    return subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end(process: "subprocess.Popen[str]") -> None:
    """Kill what `start` began, and let go of its pipes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
    process.wait()


def must(command: Sequence[str], given: str | None = None) -> str:
    """Run a command of our own.

    Raises:
        LabBroken: it failed; with its words.
    """
    done = finish(start(command), 60, given)
    if not done.ok:
        raise LabBroken(f"{' '.join(command)}: {(done.err or done.out).strip()}")
    return done.out
