"""drrun as its users start it: a process, with files, and real servers to act on."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sshd import Sshd

#: Seconds after which a drrun that does not end has hung.
HANGS_AFTER = 280.0


@dataclass
class Program:
    """One place with a runbook, an inventory and a state folder of its own."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    #: What starts it: a network namespace, a limit.
    prefix: Sequence[str] = ()

    def write(self, name: str, text: str | bytes) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def inventory(self, servers: Mapping[str, Sshd]) -> Path:
        """The servers as hosts of inventory/hosts.yml."""
        hosts = {
            name: {
                "user": server.user,
                "identity": str(server.identity),
                "host_key": server.host_key,
                "routes": [{"address": server.address, "port": server.port}],
                "vars": {"home": str(server.home)},
            }
            for name, server in servers.items()
        }
        return self.write("inventory/hosts.yml", json.dumps({"hosts": hosts}))

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Begin a drrun."""
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "drrun", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.own, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, **environment: str) -> "Done":
        """A drrun from its start to its end."""
        process = self.start(*arguments, **environment)
        return Done.of(process)

    def here(self, *arguments: str, **environment: str) -> "Done":
        """The same inside this process, for commands that contact nothing: many times as fast."""
        from drrun.cli.main import run_command_line

        before, folder = dict(os.environ), Path.cwd()
        out, err = io.StringIO(), io.StringIO()
        os.environ.update({**self.own, **self.environment, **environment})
        os.chdir(self.folder)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = run_command_line(arguments)
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(before)
        return Done(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str) -> Any:
        """What a command that only reads the record says."""
        done = self.here(*arguments, "--json")
        assert done.exit == 0, done.err
        return json.loads(done.out)

    @property
    def own(self) -> dict[str, str]:
        """The environment that keeps it apart from every other drrun."""
        return {
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "HOME": str(self.folder),
            "NO_COLOR": "1",
        }


@dataclass(frozen=True)
class Done:
    """A drrun that has ended."""

    exit: int
    out: str
    err: str

    @classmethod
    def of(cls, process: "subprocess.Popen[str]") -> "Done":
        """Wait for a started one."""
        try:
            out, err = process.communicate(timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"it hangs:\n{out}\n{err}") from None
        return cls(process.returncode, out, err)

    @property
    def killed(self) -> bool:
        """Whether it was ended by SIGKILL."""
        return self.exit == -signal.SIGKILL


def effects(path: Path) -> Sequence[str]:
    """The lines of an append-only file on a host; none if it is not there."""
    return path.read_text().splitlines() if path.exists() else []
