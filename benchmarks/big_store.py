"""What reading commands cost in a state folder with 1,000 runs and 1,000,000 events.

Run: `python benchmarks/big_store.py [RUNS]`. Prints seconds of each command, and as ratios to
`drrun --version` and to the same command where there is one run; asserts nothing. Also: what
looking at one run of 100,000 events takes, the first time and from then on, and how much memory;
planning 10,000 steps; and what a report of 2,000 steps takes, and how large it is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from drrun.cases.load_plan import LoadedPlan, PlanRequest, load
from drrun.core import events as ev
from drrun.core.model.ids import RunId
from drrun.core.tabletop.simulation import Simulation
from drrun.journal.store import StateStore, open_store
from drrun.journal.system_clock import SystemClock
from drrun.ports.journal import Draft, RunRecord

_STEP = """\
  s{number}:
    {needs}run: echo {number}
    estimate: 1m
    verify: {{run: "true"}}
"""
_HEAD = "drrun: 1\nname: bench\nservices: {web: {}}\nsteps:\n"
#: So that a run has about 1,000 events.
STEPS = 166
#: Steps of a long run, and how often each probe was asked: 100,000 events each.
LONG = ((1_000, 95), (10_000, 5))
LOOKS = (("status", "latest"), ("show", "latest", "s7"), ("logs", "latest", "s7"),
         ("events", "latest"))  # fmt: skip
COMMANDS = (
    ("--version",), ("history",), ("history", "--service", "web", "--since", "2026-01-01"),
    ("status", "latest"), ("show", "latest", "s1"), ("logs", "latest", "s1"),
    ("events", "latest"),
)  # fmt: skip


def runbook(folder: Path, steps: int) -> LoadedPlan:
    text = _HEAD + "".join(
        _STEP.format(number=n, needs=f"needs: [s{n // 3}]\n    " if n else "")
        for n in range(steps)
    )
    path = folder / f"bench{steps}.yml"
    path.write_text(text)
    return load(PlanRequest(path))


def add(store: StateStore, loaded: LoadedPlan, number: int, answers: int = 1) -> int:
    """One run that has ended, its probes answered so often each; how many events it has."""
    simulation = Simulation(loaded.plan, lambda _key, _attempt: 60.0)
    simulation.drive()
    begun = 1_700_000_000.0 + number * 3600
    run = RunId(f"2026-{number:06}-bench")
    record = RunRecord(run, "bench", "", "live", "", begun, "drew", "succeeded", begun + 3000, 0,
                       ("web",))  # fmt: skip
    store.journal.create(record, loaded.documents)
    lease = store.leases.take(run)
    drafts = []
    for at, event in simulation.journal:
        known = replace(event, mode="live") if isinstance(event, ev.RunStarted) else event
        body = ev.body_of(known)
        draft = Draft(begun + at, "controller", ev.kind_of(event), event.VERSION, body)
        drafts += [draft] * (answers if isinstance(event, ev.ProbeSeen) else 1)
    store.journal.append(lease, drafts)
    store.leases.release(lease)
    return len(drafts)


@dataclass
class Cost:
    """What one call of a command takes."""

    wall: float
    cpu: float
    mebibytes: float

    def __str__(self) -> str:
        return f"{self.wall:5.2f} s, CPU {self.cpu:5.2f} s, {self.mebibytes:4.0f} MiB"


#: The kernel's figure for a child may be that of its parent; what a process says of itself is not.
_MEASURED = """\
import resource, sys
from drrun.cli.main import run_command_line
run_command_line(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("measured", used.ru_utime + used.ru_stime, int(peak.split()[1]) / 1024, file=sys.stderr)
"""


def cost(state: Path, *words: str) -> Cost:
    """One call."""
    env = {**os.environ, "DRRUN_STATE": str(state), "HOME": str(state.parent)}
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *words], env=env, check=False, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    wall = time.perf_counter() - begun
    _, cpu, mebibytes = done.stderr.splitlines()[-1].split()
    return Cost(wall, float(cpu), float(mebibytes))


def took(state: Path, *words: str) -> float:
    """The median of five calls, in seconds."""
    return sorted(cost(state, *words).wall for _ in range(5))[2]


def long_run(folder: Path, steps: int, answers: int) -> None:
    """Print what looking at one long run takes."""
    loaded = runbook(folder, steps)
    with open_store(folder / f"long{steps}", SystemClock()) as store:
        events = add(store, loaded, 1, answers)
    print(f"one run of {steps:,} steps and {events:,} events")
    print(f"  {'plan':24} {cost(folder, 'plan', str(folder / f'bench{steps}.yml'))}")
    state = folder / f"long{steps}"
    for words in LOOKS:
        shutil.rmtree(state / "folds", ignore_errors=True)
        first = cost(state, *words)
        again = min((cost(state, *words) for _ in range(5)), key=lambda each: each.wall)
        print(f"  {' '.join(words):24} {again}; the first time {first}")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = runbook(folder, STEPS)
        states = {"one run": (folder / "one", 1), f"{runs} runs": (folder / "many", runs)}
        for what, (state, number) in states.items():
            with open_store(state, SystemClock()) as store:
                events = sum(add(store, loaded, each) for each in range(number))
            print(f"{what}: {events:,} events")
        for words in COMMANDS:
            one, many = (took(state, *words) for state, _ in states.values())
            print(f"{' '.join(words):50} {many * 1000:6.0f} ms, {many / one:.2f} of one run")
        for steps, answers in LONG:
            long_run(folder, steps, answers)
        with open_store(folder / "large", SystemClock()) as store:
            add(store, runbook(folder, 2000), 1)
        seconds = took(folder / "large", "report", "latest", "-o", str(folder / "r.html"))
        size = (folder / "r.html").stat().st_size / 2**20
        print(f"report of 2,000 steps: {seconds:.1f} s, {size:.1f} MiB")


if __name__ == "__main__":
    main()
