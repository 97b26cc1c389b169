"""Kills drrun again and again, at fault points and at random moments, and looks at the hosts."""

import json
import random
import shutil
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, SshdFactory
from tests.sweeps.graphs import Graph, graph

HOSTS = ("a", "b")
#: The highest point that is aimed at in a run, and in a resumed one.
_POINTS, _POINTS_LATER = 75, 45


@dataclass
class Tally:
    """What was seen."""

    kills: int = 0
    runs: int = 0
    asked: int = 0
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in {self.runs} runs: {len(self.twice)} double effects, "
            f"{len(self.lost)} lost completed steps, {len(self.stuck)} not resumable, "
            f"asked {self.asked} times"
        )


def sweep(seed: int, count: int) -> Tally:
    """Kill `count` times."""
    tally = Tally()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        servers = SshdFactory(Path(folder))
        try:
            hosts = {name: servers.start() for name in HOSTS}
            while tally.kills < count:
                Life(seed + tally.runs, Path(folder), hosts, tally).live()
                tally.runs += 1
                if tally.runs % 50 == 0:
                    print(f"seed {seed + tally.runs}: {tally}", flush=True)
        finally:
            servers.close()
    return tally


class Life:
    """One run from its start to its success, killed on the way."""

    def __init__(self, seed: int, folder: Path, hosts: dict[str, Sshd], tally: Tally) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.hosts = hosts
        self.tally = tally
        self.graph: Graph = graph(self.chance, HOSTS)
        self.program = Program(folder / f"run-{seed}")
        self.program.write("runbooks/sweep.yml", self.graph.text)
        self.program.inventory(hosts)
        self.passed: set[str] = set()

    def live(self) -> None:
        for host in self.hosts.values():
            shutil.rmtree(host.home)
            host.home.mkdir()
        start = ("run", "runbooks/sweep.yml", "--yes", "--no-input")
        done = self._killed(start, _POINTS)
        for _ in range(self.chance.randint(4, 12)):
            if not done.killed:
                break
            done = self._killed(self._go_on(start), _POINTS_LATER)
        self._finish(start)
        self._judge()

    def _go_on(self, start: tuple[str, ...]) -> tuple[str, ...]:
        begun = any(self.program.folder.rglob("state.db"))
        return ("resume", "latest", "--no-input") if begun else start

    def _killed(self, arguments: tuple[str, ...], most: int) -> Done:
        if self.chance.random() < 0.8:
            done = self.program(*arguments, DRRUN_DIE_AT=str(self.chance.randint(1, most)))
        else:
            process = self.program.start(*arguments)
            try:
                process.wait(self.chance.uniform(0.3, 1.5))
            except Exception:  # noqa: BLE001 - still at work, as it should be
                process.send_signal(signal.SIGKILL)
            done = Done.of(process)
        if self.chance.random() < 0.1:
            self.chance.choice(list(self.hosts.values())).kill_sessions()
        self.tally.kills += done.killed
        if self.chance.random() < 0.3:
            self._remember()
        return done

    def _remember(self) -> None:
        """What the record says to have passed; it must stay so."""
        now = {key for key, status in self._statuses().items() if status == "passed"}
        if not self.passed <= now:
            self.tally.lost.append(f"seed {self.seed}: {self.passed - now}")
        self.passed |= now

    def _statuses(self) -> dict[str, str]:
        done = self.program("status", "latest", "--json")
        if done.exit:
            return {}
        found: dict[str, Any] = json.loads(done.out)
        return {step["id"]: step["status"] for step in found["steps"]}

    def _finish(self, start: tuple[str, ...]) -> None:
        said = ""
        for _ in range(12):
            done = self.program(*self._go_on(start))
            if done.exit == 0 or "has succeeded" in done.err:
                return
            said = done.err[-400:]
            if "there is no run yet" in said:
                done = self.program(*start)
            self._answer()
        self.tally.stuck.append(f"seed {self.seed}: {said}")

    def _answer(self) -> None:
        """What an operator would who looks at the host: is it done, or not?"""
        done = self.program("status", "latest", "--json")
        for ask in json.loads(done.out)["asks"] if done.exit == 0 else ():
            self.tally.asked += 1
            step, target = ask["step"], ask["target"]
            there = step in effects(self.hosts[target].home / "effects")
            self.program("confirm" if there else "retry", "latest", f"{step}@{target}")

    def _judge(self) -> None:
        for name, host in self.hosts.items():
            seen = Counter(effects(host.home / "effects"))
            if seen != self.graph.expected[name]:
                self.tally.twice.append(f"seed {self.seed}, host {name}: {dict(seen)}")
        self.passed.clear()
