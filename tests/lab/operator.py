"""The operator's place: programs of the machine, on the machine's disk, in the lab's network.

Rules:
- Everything started here carries the lab's id in its environment, so that it can be found and
  ended with the lab even when whoever started it is gone.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.namespaces import Done, LabBroken, born, enter, finish, start
from tests.lab.topology import HostPlan

#: Environment variable of everything that was started from the operator's place.
MARK = "DRRUN_LAB"


@dataclass(frozen=True)
class Operator:
    """Where drrun runs; get it from `Lab.operator`."""

    plan: HostPlan
    folder: Path
    lab_id: str
    #: Everything that `popen` has begun; ended with the lab.
    begun: list["subprocess.Popen[str]"] = field(default_factory=list, repr=False)

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return self.plan.address

    @property
    def pid(self) -> int:
        """The process that holds the place.

        Raises:
            LabBroken: the lab is gone.
        """
        pid = int((self.folder / "pid").read_text()) if (self.folder / "pid").exists() else 0
        if not pid or not born(pid):
            raise LabBroken("the operator's place is gone")
        return pid

    def command(self, command: str | Sequence[str], cwd: Path | str | None = None) -> list[str]:
        """The words that run `command` there, as typed on the machine."""
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        # Entering a mount namespace leads to its root.
        mark = ["env", "-C", str(cwd or Path.cwd()), f"{MARK}={self.lab_id}"]
        return [*enter(self.pid, "net", "mount", "uts"), *mark, *words]

    def popen(
        self,
        command: str | Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
    ) -> "subprocess.Popen[str]":
        """Begin a command (text is for sh) with text pipes; `env` is added to ours.

        It is ended with the lab.
        """
        self.begun.append(start(self.command(command, cwd), {**os.environ, **(env or {})}))
        return self.begun[-1]

    def run(
        self,
        command: str | Sequence[str],
        timeout: float = 120,
        given: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
    ) -> Done:
        """Run a command there to its end.

        Raises:
            TimeoutError: it did not end within `timeout` seconds; all of it has been killed.
        """
        words = self.command(command, cwd)
        return finish(start(words, {**os.environ, **(env or {})}), timeout, given)
