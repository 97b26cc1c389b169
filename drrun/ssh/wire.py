"""How a script travels: one short fixed line for the login shell, everything else on stdin.

Rules:
- The line is below 1 kB, holds no secret and means the same to sh, bash, zsh, csh and fish.
- A script that arrives incomplete executes nothing (rule R8).
- The environment is quoted assignments inside the script, never arguments (fact L13).
- What the host prints before our nonce is not the script's output (faults F40 and F73).
"""

import re
import shlex
from dataclasses import field
from functools import cache
from importlib.resources import files

from drrun.core.dataclass import dataclass
from drrun.core.model.runbook import Execution
from drrun.ports.places import Script
from drrun.ssh.proof import Proof

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")
_SHELL = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")
#: What is kept of a host's own chatter before the script begins, in bytes.
_CHATTER = 65536


class BadScript(ValueError):
    """The script cannot be sent as it is written; the message says why."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A script, ready to be sent."""

    #: The program and its arguments.
    argv: tuple[str, ...]
    #: The script, then its input.
    payload: bytes
    proof: Proof

    @property
    def line(self) -> str:
        """The argv for a login shell of any kind."""
        return "exec " + " ".join(quoted_for_any_shell(word) for word in self.argv)


def launch(script: Script) -> Launch:
    """Make ready to send.

    Raises:
        BadScript: A name, user or shell is not acceptable, or there is a NUL in the text.
    """
    text = script_text(script)
    execution = script.execution
    stdin = (execution.stdin or "").encode() + script.stdin
    follows = execution.stdin is not None or script.stdin != b""
    proof, shell = Proof(), shell_of(execution)
    starter = (shell, "-c", 'eval "$1"', shell, _starter(), *proof.words, str(len(text)))
    argv = (*_becoming(execution.become), *starter, "1" if follows else "0")
    return Launch(argv, proof.begin + text + stdin, proof)


def ending(pid: int, start: str, grace: str) -> str:
    """The script that ends the session `pid`; with grace `ask`, it only looks."""
    return f"pid={pid} start={shlex.quote(start)} grace={grace}\n{_package_text('end.sh')}"


def script_text(script: Script) -> bytes:
    """The script with its environment and folder in front, and an end that `$(…)` keeps."""
    execution = script.execution
    lines = []
    for name, value in execution.env.items():
        if not _NAME.fullmatch(name):
            raise BadScript(f"{name!r} is not the name of an environment variable")
        lines.append(f"export {name}={shlex.quote(str(value))}")
    if execution.chdir:
        folder = shlex.quote(execution.chdir)
        # CDPATH would make cd print, and go, somewhere else.
        lines.append(
            f"CDPATH= cd -- {folder} || {{ echo {_apology(execution.chdir)} >&2; exit 1; }}"
        )
    whole = "\n".join([*lines, script.text, "# end"])
    if "\0" in whole:
        raise BadScript("the command, its folder or its environment holds a NUL character")
    return whole.encode("utf-8", "surrogateescape")


def _apology(folder: str) -> str:
    return shlex.quote(f"drrun: cannot enter {folder}; the command was not executed")


def shell_of(execution: Execution) -> str:
    """The shell's path or name.

    Raises:
        BadScript: It is none.
    """
    if not _SHELL.fullmatch(execution.shell):
        raise BadScript(f"{execution.shell!r} is not a shell: write sh, bash or a path")
    return "/bin/sh" if execution.shell == "sh" else execution.shell


def become_of(user: str | None) -> str:
    """The user to become; "" for none.

    Raises:
        BadScript: It is no name of a user.
    """
    if not user or user in {"false", "no"}:
        return ""
    if user in {"true", "yes", "sudo"}:
        user = "root"
    if not _USER.fullmatch(user):
        raise BadScript(f"{user!r} is not the name of a user to become")
    return user


def _becoming(user: str | None) -> tuple[str, ...]:
    """`sudo -n`, which fails at once where a password is wanted (fault F42)."""
    name = become_of(user)
    return ("sudo", "-n", "-u", name, "--") if name else ()


@cache
def _starter() -> str:
    lines = (line.strip() for line in _package_text("start.sh").splitlines())
    return " ".join(line for line in lines if line and not line.startswith("#"))


def quoted_for_any_shell(word: str) -> str:
    """In single quotes, where that is the same in every shell."""
    if any(character in word for character in "'!\n\r\0"):
        raise BadScript(f"{word!r} cannot be quoted for every login shell")
    return f"'{word}'"


@cache
def _package_text(name: str) -> str:
    return files("drrun.ssh").joinpath(name).read_text("utf-8")


@dataclass(slots=True)
class Beginning:
    """Finds where the script's own output begins on one stream."""

    nonce: str
    #: What came before, shortened from the left.
    chatter: bytes = b""
    #: The rest of the line with the nonce; None until it came.
    said: str | None = None
    _waiting: bytes = field(default=b"", repr=False)

    def feed(self, data: bytes) -> bytes:
        """Take bytes; give back those that the script wrote."""
        if self.said is not None:
            return data
        self._waiting += data
        mark = self.nonce.encode()
        at = self._waiting.find(mark)
        end = self._waiting.find(b"\n", at) if at >= 0 else -1
        if end < 0:
            keep = max(at, 0) and at
            self.chatter = self._waiting[:keep] if at >= 0 else self._waiting
            self._waiting = self._waiting[-_CHATTER:] if at < 0 else self._waiting
            return b""
        self.chatter = self._waiting[:at][-_CHATTER:]
        self.said = self._waiting[at + len(mark) : end].decode("utf-8", "replace").strip()
        rest, self._waiting = self._waiting[end + 1 :], b""
        return rest


@dataclass(frozen=True, slots=True)
class Started:
    """Who the script is on its host."""

    pid: int
    #: Start time in clock ticks since boot; "" where there is no /proc.
    start: str = ""
    #: Whether it leads a session or group of its own, so that ending all of it is safe.
    leads: bool = True

    @classmethod
    def read(cls, said: str) -> "Started":
        """Read what start.sh said behind the nonce: the pid, then `/proc/PID/stat`."""
        pid, _, stat = said.partition(" ")
        fields = stat.rpartition(") ")[2].split()
        if not pid.isdigit():
            return cls(0, leads=False)
        if len(fields) < 20:
            return cls(int(pid))
        return cls(int(pid), fields[19], leads=pid in fields[2:4])
