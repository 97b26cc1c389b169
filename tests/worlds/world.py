"""A drrun in front of a fleet, and what its record says compared with what the hosts did.

Rules:
- Judged from outside: the command line, its exit code, its words, `drrun events --json`, and the
  lines that the hosts wrote.
- `lies` is empty in every world, whatever broke there; a test adds what must come of its own.
- Every step has one target.
"""

import json
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.programs import Done, Program, effects
from tests.verdicts import Verdict, verdicts
from tests.worlds.fleet import Fleet, seconds

#: Seconds after which a run hangs. Everything that stalls does so once, for less than half of it.
PATIENCE = seconds("PATIENCE", 75)


@dataclass
class World:
    """One drrun with a state of its own, and hosts that it can act on."""

    folder: Path
    fleet: Fleet
    prefix: tuple[str, ...] = ()
    #: Routes to a host that is not reached directly.
    routes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _begun: list["subprocess.Popen[str]"] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.program = Program(self.folder, prefix=self.prefix)
        self.inventory()

    def inventory(self) -> None:
        """Write the inventory."""
        hosts = {
            name: {
                "user": host.user,
                "identity": str(host.identity),
                "host_key": host.host_key,
                "routes": self.routes.get(name, [{"address": host.address, "port": host.port}]),
                "vars": {"home": str(host.home), "effects": str(self.fleet.effects(name))},
            }
            for name, host in self.fleet.hosts.items()
        }
        self.program.write("inventory/hosts.yml", json.dumps({"hosts": hosts}))

    def steps(self, run: str = "", **more: str) -> str:
        """One step for each host, named like it, that leaves one line there.

        Args:
            run: What it does besides, after its effect.
            more: Further keys of the step.
        """
        effect = "echo {{ host }} >>{{ host.vars.effects }}"
        keys = {"verify": '{run: "[ -s {{ host.vars.effects }} ]"}', **more}
        return "\n".join(
            f"  {name}:\n    on: {name}\n    run: |\n"
            + "".join(f"      {line}\n" for line in (effect, *run.splitlines()))
            + "\n".join(f"    {key}: {value}" for key, value in keys.items())
            for name in self.fleet.hosts
        )

    def write(self, steps: str) -> None:
        """The runbook."""
        self.program.write("runbooks/world.yml", f"drrun: 1\nname: world\nsteps:\n{steps}\n")

    def begin(self, steps: str) -> "subprocess.Popen[str]":
        """Start a run."""
        self.write(steps)
        words = ("run", "runbooks/world.yml", "--yes", "--no-input", "--max-parallel", "200")
        return self.start(*words)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a drrun that does not outlive the test."""
        self._begun.append(self.program.start(*words))
        return self._begun[-1]

    def close(self) -> None:
        """Kill what a failed test left at work."""
        for process in self._begun:
            process.kill()
            process.communicate()

    def run(self, steps: str, within: float = PATIENCE) -> Done:
        """A run from its start to its end."""
        return ended(self.begin(steps), within)

    def resume(self, within: float = PATIENCE) -> Done:
        """Go on with it."""
        return ended(self.start("resume", "latest", "--no-input"), within)

    def verdicts(self) -> dict[str, Verdict]:
        """What became of each step; all of them have one target."""
        seen = Counter(
            (line, name) for name in self.fleet.hosts for line in effects(self.fleet.effects(name))
        )
        return {step: verdict for (step, _), verdict in verdicts(self.program, seen).items()}

    def output(self, step: str) -> dict[str, int]:
        """How many bytes the last attempt of a step wrote to each stream."""
        [target] = self.program.json("show", "latest", step)["targets"]
        streams = target["attempts"][-1]["output"]
        return {name: each["bytes"] for name, each in streams.items()}

    def lies(self) -> list[str]:
        """What is not true about any of them."""
        return [lie for verdict in self.verdicts().values() for lie in verdict.lies]


def ended(process: "subprocess.Popen[str]", within: float = PATIENCE) -> Done:
    """Wait for a drrun; one that does not end in time fails the test with what it had said."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"hung for {within:g} s:\n{out}\n{err}") from None
    return Done(process.returncode, out, err)
