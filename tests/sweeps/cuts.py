"""Cuts the wire between drrun and a host at random moments, for a random time, without a word.

Rules:
- Every scene has a network namespace of its own with drrun in it; packets are dropped both ways,
  or only those that come back.
- What counts: effects on the host, when a lasting cut is shown (15 s), how soon after healing the
  step is followed again (15 s), and that nothing hangs.
"""

import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.wires import Wire, wires
from tests.programs import Done, Program, effects
from tests.sshd import SshdFactory

#: Longest cut, in seconds, and how long a scene may take in all.
_LONGEST, _HANGS = 60.0, 180.0
RUNBOOK = """
drrun: 1
name: cut
defaults: {chdir: "{{ host.vars.home }}"}
steps:
  one: {run: echo one >>effects, on: far, verify: {run: grep -qx one $HOME/effects}}
  long:
    on: far
    needs: [one]
    run: |
      echo long >>effects
      i=0
      while [ $i -lt %d ]; do i=$((i + 1)); echo "line $i"; sleep 0.2; done
    verify: {run: grep -qx long $HOME/effects, within: 30s, every: 1s}
  last: {run: echo last >>effects, on: far, needs: [long], verify: {run: grep -qx last $HOME/effects}}
"""  # noqa: E501 - one line a step
EXPECTED = Counter(one=1, long=1, last=1)


@dataclass
class Tally:
    """What was seen."""

    cuts: int = 0
    asked: int = 0
    shown: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __str__(self) -> str:
        return (
            f"{self.cuts} cuts, {len(self.wrong)} wrong, resumed {self.asked} times; shown after "
            f"{_span(self.shown)}, found again after healing {_span(self.found)}"
        )


def _span(seconds: list[float]) -> str:
    if not seconds:
        return "never"
    return f"{statistics.median(seconds):.1f} s (at most {max(seconds):.1f} s, {len(seconds)})"


def sweep(seed: int, count: int, at_once: int) -> Tally:
    """Cut `count` times, so many at once."""
    tally = Tally()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda n: _scene(seed + n, Path(folder), tally), range(count)))
    return tally


def _scene(seed: int, folder: Path, tally: Tally) -> None:
    chance = random.Random(seed)
    place = folder / str(seed)
    place.mkdir()
    servers = SshdFactory(place)
    try:
        with wires() as wire:
            server = servers.start(address=wire.far)
            program = Program(place / "drrun", prefix=wire.prefix)
            program.inventory({"far": server})
            program.write("runbooks/cut.yml", RUNBOOK % chance.randint(10, 100))
            wrong = _cut(chance, wire, program, server.home, tally)
            seen = Counter(effects(server.home / "effects"))
            if seen != EXPECTED and not wrong:
                wrong = f"effects {dict(seen)}"
    except Exception as error:  # noqa: BLE001 - a scene that breaks is a finding too
        wrong = f"{type(error).__name__}: {error}"
    finally:
        servers.close()
    with tally.lock:
        tally.cuts += 1
        if wrong:
            tally.wrong.append(f"seed {seed}: {wrong}")
        if tally.cuts % 20 == 0:
            print(tally, flush=True)


def _cut(chance: random.Random, wire: Wire, program: Program, home: Path, tally: Tally) -> str:
    """Run, cut, heal; what is wrong with how it ended."""
    process = program.start("run", "runbooks/cut.yml", "--yes", "--no-input")
    time.sleep(chance.uniform(0.2, 6))
    lasts = chance.uniform(0, _LONGEST)
    with wire.cut(replies_only=chance.random() < 0.5):
        cut_at = time.time()
        time.sleep(lasts)
    healed_at = time.time()
    done = Done.of(process)
    for _ in range(4):
        if done.exit == 0 or time.time() - cut_at > _HANGS:
            break
        with tally.lock:
            tally.asked += 1
        _answer(program, home)
        done = program("resume", "latest", "--no-input")
    _measure(program, cut_at, healed_at, tally)
    if time.time() - healed_at > _HANGS:
        return f"took {time.time() - healed_at:.0f} s after healing"
    return "" if done.exit == 0 else f"ended with {done.exit}: {done.err[-300:]}"


def _answer(program: Program, home: Path) -> None:
    """What a person would who looks at the host: it is done, or it is not."""
    for ask in program.json("status", "latest")["asks"]:
        there = ask["step"] in effects(home / "effects")
        program("confirm" if there else "retry", "latest", f"{ask['step']}@{ask['target']}")


def _measure(program: Program, cut_at: float, healed_at: float, tally: Tally) -> None:
    for line in program("events", "latest", "--json").out.splitlines():
        event: dict[str, Any] = json.loads(line)
        at = _moment(event["at"])
        with tally.lock:
            if event["kind"] == "ContactMissed" and cut_at < at < healed_at:
                tally.shown.append(at - cut_at)
            elif event["kind"] == "ContactFound" and at > healed_at:
                tally.found.append(at - healed_at)


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
