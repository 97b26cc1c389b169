"""Kills drrun again and again, at fault points and at random moments, and looks at the hosts."""

import itertools
import json
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from typing import Any

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, SshdFactory
from tests.sweeps.graphs import Graph, graph
from tests.sweeps.tally import Tally, Wrong
from tests.verdicts import Key

HOSTS = ("a", "b")
#: The highest point that is aimed at in a run, and in a resumed one.
_POINTS, _POINTS_LATER = 75, 45


def sweep(seed: int, count: int, at_once: int = 1, until: float = inf) -> Tally:
    """Kill `count` times, in so many runs at once; none begins after `until`."""
    tally = Tally()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, ThreadPoolExecutor(at_once) as pool:
        servers = SshdFactory(Path(folder))
        seeds = itertools.count(seed)

        def live_on(hosts: dict[str, Sshd]) -> None:
            while tally.done < count and time.monotonic() < until:
                Life(next(seeds), Path(folder), hosts, tally).live()

        try:
            places = [{name: servers.start() for name in HOSTS} for _ in range(at_once)]
            list(pool.map(live_on, places))
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
        """From its start to its end; whatever goes wrong is noted."""
        try:
            self._judge(finished=self._live())
        except AssertionError as error:
            # A drrun that does not end says so itself (tests.programs).
            self.tally.note(Wrong.HUNG, self.seed, str(error)[-400:])
        except Exception as error:  # noqa: BLE001 - a scene that breaks is a finding too
            self.tally.note(Wrong.BROKEN, self.seed, repr(error))
        self.tally.add(runs=1)
        if self.tally.runs % 50 == 0:
            print(f"seed {self.seed}: {self.tally}", flush=True)

    def _live(self) -> bool:
        """Whether it came to its success."""
        for host in self.hosts.values():
            shutil.rmtree(host.home)
            host.home.mkdir()
        start = ("run", "runbooks/sweep.yml", "--yes", "--no-input")
        done = self._killed(start, _POINTS)
        for _ in range(self.chance.randint(4, 12)):
            if not done.killed:
                break
            done = self._killed(self._go_on(start), _POINTS_LATER)
        return self._finish(start)

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
        self.tally.add(done=done.killed)
        if self.chance.random() < 0.3:
            self._remember()
        return done

    def _remember(self) -> None:
        """What the record says to have passed; it must stay so."""
        now = {key for key, status in self._statuses().items() if status == "passed"}
        if not self.passed <= now:
            self.tally.note(Wrong.LOST, self.seed, f"passed before: {self.passed - now}")
        self.passed |= now

    def _statuses(self) -> dict[str, str]:
        done = self.program("status", "latest", "--json")
        if done.exit:
            return {}
        found: dict[str, Any] = json.loads(done.out)
        return {step["id"]: step["status"] for step in found["steps"]}

    def _finish(self, start: tuple[str, ...]) -> bool:
        """Whether it came to its success."""
        said = ""
        for _ in range(12):
            done = self.program(*self._go_on(start))
            if done.exit == 0 or "has succeeded" in done.err:
                return True
            said = done.err[-400:]
            if "there is no run yet" in said:
                done = self.program(*start)
            self._answer()
        self.tally.note(Wrong.HUNG, self.seed, f"cannot be resumed: {said}")
        return False

    def _answer(self) -> None:
        """What an operator would who looks at the host: is it done, or not?"""
        done = self.program("status", "latest", "--json")
        for ask in json.loads(done.out)["asks"] if done.exit == 0 else ():
            self.tally.add(asked=1)
            step, target = ask["step"], ask["target"]
            there = step in effects(self.hosts[target].home / "effects")
            self.program("confirm" if there else "retry", "latest", f"{step}@{target}")

    def _judge(self, *, finished: bool) -> None:
        seen: Counter[Key] = Counter()
        expected: Counter[Key] = Counter()
        for name, host in self.hosts.items():
            seen.update((step, name) for step in effects(host.home / "effects"))
            for step, count in self.graph.expected[name].items():
                expected[step, name] = count
        self.tally.judge(self.seed, self.program, seen, expected, finished=finished)
