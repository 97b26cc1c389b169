"""Cuts the wire between drrun and a host at random moments, for a random time, without a word.

Rules:
- Every scene has a network namespace of its own with drrun in it; packets are dropped both ways,
  or only those that come back, or both ends are told by a reset.
- What counts: effects on the host, when a lasting cut is shown (15 s), how soon after healing the
  step is followed again (15 s), and that nothing hangs.
"""

import json
import random
import statistics
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from pathlib import Path

from tests.faults.wires import Wire, wires
from tests.programs import Done, Program, effects
from tests.sshd import SshdFactory
from tests.sweeps.tally import Tally, Wrong
from tests.verdicts import Key, events

#: Longest cut, in seconds, and how long a scene may take in all.
LONGEST, _HANGS = 60.0, 180.0
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
EXPECTED: Counter[Key] = Counter({(step, "far"): 1 for step in ("one", "long", "last")})


KINDS: tuple[dict[str, bool], ...] = ({}, {"replies_only": True}, {"reset": True})


@dataclass
class Cuts(Tally):
    """How soon a cut was shown, and its end found."""

    shown: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{super().__str__()}; shown after {_span(self.shown)}, "
            f"found again after healing {_span(self.found)}"
        )


def _span(seconds: list[float]) -> str:
    if not seconds:
        return "never"
    return f"{statistics.median(seconds):.1f} s (at most {max(seconds):.1f} s, {len(seconds)})"


def sweep(
    seed: int, count: int, at_once: int, until: float = inf, longest: float = LONGEST
) -> Cuts:
    """Cut `count` times, so many at once, for up to `longest` seconds; none after `until`."""
    tally = Cuts()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, ThreadPoolExecutor(at_once) as pool:

        def play(number: int) -> None:
            if time.monotonic() < until:
                _scene(seed + number, Path(folder), tally, longest)

        list(pool.map(play, range(count)))
    return tally


def _scene(seed: int, folder: Path, tally: Cuts, longest: float) -> None:
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
            kind, wait = chance.choice(KINDS), chance.uniform(0, 6)
            cut = _Cut(wait, chance.uniform(0, longest), kind)
            wrong = cut.play(wire, program, server.home, tally)
            if wrong:
                tally.note(Wrong.HUNG, seed, f"{cut}: {wrong}")
            seen = Counter((step, "far") for step in effects(server.home / "effects"))
            tally.judge(seed, program, seen, EXPECTED, finished=not wrong)
    except AssertionError as error:
        # A drrun that does not end says so itself (tests.programs).
        tally.note(Wrong.HUNG, seed, str(error)[-400:])
    except Exception as error:  # noqa: BLE001 - a scene that breaks is a finding too
        tally.note(Wrong.BROKEN, seed, repr(error))
    finally:
        servers.close()
    tally.add(done=1, runs=1)
    if tally.done % 20 == 0:
        print(tally, flush=True)


@dataclass(frozen=True)
class _Cut:
    """When it begins, how long it lasts, and what becomes of packets."""

    wait: float
    lasts: float
    kind: dict[str, bool]

    def __str__(self) -> str:
        kind = "".join(self.kind) or "both ways"
        return f"{kind}, {self.lasts:.1f} s, {self.wait:.1f} s after the run began"

    def play(self, wire: Wire, program: Program, home: Path, tally: Cuts) -> str:
        """Run, cut, heal; what is wrong with how it ended."""
        process = program.start("run", "runbooks/cut.yml", "--yes", "--no-input")
        # Counted from the moment at which there is a run: a busy machine is slow to start one.
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(self.wait)
        with wire.cut(**self.kind):
            cut_at = time.time()
            time.sleep(self.lasts)
        healed_at = time.time()
        runs = [Done.of(process)]
        for _ in range(4):
            if runs[-1].exit == 0 or time.time() - cut_at > _HANGS:
                break
            _answer(program, home, tally)
            runs.append(program("resume", "latest", "--no-input"))
        _measure(program, cut_at, healed_at, tally)
        if time.time() - healed_at > _HANGS:
            return f"took {time.time() - healed_at:.0f} s after healing"
        if runs[-1].exit == 0:
            return ""
        return "\n".join(f"ended with {done.exit}: {done.out[-500:]}{done.err}" for done in runs)


def _answer(program: Program, home: Path, tally: Cuts) -> None:
    """What a person would who looks at the host: it is done, or it is not."""
    for ask in json.loads(program("status", "latest", "--json").out)["asks"]:
        tally.add(asked=1)
        there = ask["step"] in effects(home / "effects")
        program("confirm" if there else "retry", "latest", f"{ask['step']}@{ask['target']}")


def _measure(program: Program, cut_at: float, healed_at: float, tally: Cuts) -> None:
    for event in events(program):
        at = _moment(event["at"])
        with tally.lock:
            if event["kind"] == "ContactMissed" and cut_at < at < healed_at:
                tally.shown.append(at - cut_at)
            elif event["kind"] == "ContactFound" and at > healed_at:
                tally.found.append(at - healed_at)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
