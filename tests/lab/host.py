"""One host of a lab, from outside: run a command in it, read and write its files, its services.

Rules:
- Nothing goes over the lab's network: commands enter the host's namespaces, so they also work
  on a host that nobody can reach.
- What is started here dies with the host, as everything in it.
"""

import json
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.ground import search_path
from tests.lab.namespaces import (
    Done,
    LabBroken,
    born,
    enter,
    finish,
    inode,
    kill,
    members,
    start,
    until,
)
from tests.lab.topology import HostPlan

#: Seconds that a host may take from power on to a greeting sshd.
BOOTS_WITHIN = 30.0
_ALL = ("mount", "uts", "ipc", "net", "pid")


@dataclass(frozen=True)
class LabHost:
    """A host; get one from `Lab.host`."""

    plan: HostPlan
    #: Its folder in the lab's folder, on the machine.
    folder: Path
    #: Public key of its sshd, `ssh-ed25519 AAAA…`.
    key: str
    #: Everything that `popen` has begun; ended with the lab.
    begun: list["subprocess.Popen[str]"] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def address(self) -> str:
        """Its first IPv4 address."""
        return self.plan.address

    @property
    def pid(self) -> int:
        """Its PID 1, as the machine counts.

        Raises:
            LabBroken: it is off, or not so far.
        """
        try:
            pid = int((self.folder / "pid").read_text())
        except (OSError, ValueError):
            pid = 0
        if not pid or not born(pid):
            raise LabBroken(f"{self.name} is not running: {self.boot_log[-500:] or 'no log'}")
        return pid

    @property
    def is_up(self) -> bool:
        """Whether it has booted: sshd listens and services have been started."""
        try:
            return Path(f"/proc/{self.pid}/root/run/lab/booted").exists()
        except LabBroken:
            return False

    @property
    def boot_log(self) -> str:
        """What was said before it had a root of its own."""
        log = self.folder / "log"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    @property
    def boot_id(self) -> str:
        """What /proc/sys/kernel/random/boot_id says in it."""
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def wait_up(self, seconds: float = BOOTS_WITHIN) -> None:
        """Wait until it has booted.

        Raises:
            LabBroken: it has not; with its log.
        """
        if not until(lambda: self.is_up, seconds):
            raise LabBroken(f"{self.name} did not boot within {seconds:g} s: {self.boot_log}")

    def command(
        self,
        command: str | Sequence[str],
        user: str = "root",
        env: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The words that run `command` (text is for sh) in it, as typed on the machine."""
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        settings = {**self._environment(user), **(env or {})}
        return [
            *enter(self.pid, *_ALL),
            "setpriv", f"--reuid={user}", f"--regid={self._account(user)[1]}", "--init-groups",
            "env", "-i", *(f"{name}={value}" for name, value in settings.items()),
            *words,
        ]  # fmt: skip

    def run(
        self,
        command: str | Sequence[str],
        user: str = "root",
        timeout: float = 60,
        given: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run a command in it from outside; `given` is its standard input.

        Raises:
            TimeoutError: it did not end within `timeout` seconds; all of it has been killed.
            LabBroken: the host is off.
        """
        return finish(start(self.command(command, user, env), cwd="/"), timeout, given)

    def must(
        self,
        command: str | Sequence[str],
        user: str = "root",
        timeout: float = 60,
        given: str | None = None,
    ) -> str:
        """`run`, and give back what it printed.

        Raises:
            LabBroken: it failed; with its words.
        """
        done = self.run(command, user, timeout, given)
        if not done.ok:
            raise LabBroken(
                f"{self.name}: {command!r} ended with {done.exit}: {done.err}{done.out}"
            )
        return done.out

    def popen(
        self,
        command: str | Sequence[str],
        user: str = "root",
        env: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """Begin a command in it; text pipes, a session of its own. Ended with the lab."""
        self.begun.append(start(self.command(command, user, env), cwd="/"))
        return self.begun[-1]

    def read(self, path: str) -> str:
        """The text of a file in it."""
        return self.must(["cat", path])

    def write(self, path: str, text: str, owner: str = "root", mode: int = 0o644) -> None:
        """Put a file into it; folders on the way are made."""
        where = shlex.quote(path)
        self.must(
            f'mkdir -p "$(dirname {where})" && cat >{where}'
            f" && chown {owner}: {where} && chmod {mode:o} {where}",
            given=text,
        )

    def service(
        self,
        name: str,
        command: str,
        user: str = "root",
        ready: str = "",
        stop: signal.Signals = signal.SIGTERM,
        within: float = BOOTS_WITHIN,
    ) -> None:
        """Register a service and start it; it starts again at every boot.

        Args:
            name: for `service NAME start|stop|restart|reload|status` in the host.
            command: shell command that stays in the foreground (`nginx -g 'daemon off;'`).
            user: account that it runs as.
            ready: command that ends with 0 when it serves; waited for.
            within: seconds that it may take to be ready.
            stop: the signal that ends it (SIGINT is PostgreSQL's fast shutdown).

        Raises:
            LabBroken: it did not become ready; with the end of /var/log/NAME.log.
        """
        account = f"setpriv --reuid={user} --regid={self._account(user)[1]} --init-groups"
        home = self._environment(user)["HOME"]
        run = f"exec env HOME={home} USER={user} {account} sh -c {shlex.quote(f'exec {command}')}"
        script = f"#!/bin/sh\n# stop: {stop.name[3:]}\ncd {home}\n{run}\n"
        self.write(f"/etc/lab/services/{name}", script, mode=0o755)
        self.must(["service", name, "start"])
        if ready and not until(lambda: self.run(ready).ok, within):
            log = self.run(["tail", "-n", "20", f"/var/log/{name}.log"]).out
            raise LabBroken(f"{self.name}: {name} is not ready ({ready}): {log}")

    def set_environment(self, settings: Mapping[str, str]) -> None:
        """Give these variables to all that begins in it from now on, instead of earlier ones."""
        pairs = " ".join(f"{name}={value}" for name, value in settings.items())
        self.write("/etc/lab/environment", f"export {pairs}\n" if pairs else "")
        # The first SetEnv wins, and it names all variables: PATH has to come along.
        more = f"SetEnv PATH={search_path()} {pairs}\n" if pairs else ""
        self.write("/etc/ssh/sshd_config.d/lab.conf", more)
        self.must("kill -HUP $(cat /run/sshd.pid)")
        (self.folder / "environment").write_text(json.dumps(dict(settings)))

    def processes(self) -> list[int]:
        """All processes in it, as the machine counts."""
        return members("pid", inode(self.pid, "pid"))

    def power_off(self) -> None:
        """Kill everything in it; it stays off until `power_on`."""
        (self.folder / "off").touch()
        self._end()

    def power_on(self) -> None:
        """Boot it, if it is off, and wait until it has booted."""
        (self.folder / "off").unlink(missing_ok=True)
        self.wait_up()

    def reboot(self) -> None:
        """Kill everything in it, at once; wait until it has booted again with the same disk."""
        self._end()
        self.wait_up()

    def _end(self) -> None:
        pid = self.pid
        since = born(pid)
        kill([pid], signal.SIGKILL)
        if not until(lambda: born(pid) != since, BOOTS_WITHIN):
            raise LabBroken(f"{self.name} does not die")

    def _account(self, user: str) -> tuple[int, int, str]:
        """Number, group and home of an account in it."""
        for line in Path(f"/proc/{self.pid}/root/etc/passwd").read_text("utf-8").splitlines():
            name, _, uid, gid, _, home, _ = line.split(":")
            if name == user:
                return int(uid), int(gid), home
        raise LabBroken(f"{self.name} has no account {user}")

    def _environment(self, user: str) -> dict[str, str]:
        skew = self.folder / "environment"
        more = json.loads(skew.read_text()) if skew.exists() else {}
        home = self._account(user)[2]
        usual = {"PATH": search_path(), "HOME": home, "USER": user, "LANG": "C.UTF-8"}
        return {**usual, **more}
