"""What reading costs: a run of 100,000 events, a plan of 10,000 steps.

Rules:
- The record is made by drrun itself: some steps that are executed here, and many that are blocked
  again each time the run is resumed.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.side.contestants import Launch, drrun_environment
from benchmarks.side.measure import Failed, Measured, execute

_EVENTS, _BLOCKED, _EXECUTED, _PLANNED = 100_000, 10_000, 200, 10_000
_LOOKS = {
    "status": ("status", "latest"),
    "show": ("show", "latest"),
    "show, one step": ("show", "latest", "s1"),
    "logs, one step": ("logs", "latest", "s1"),
}


Looks = dict[str, list[Measured]]


def look(executable: Path, folder: Path, runs: int, deadline: float, taken: Looks) -> None:
    """Add to `taken` what each look took, run by run.

    Raises:
        Failed: a command did, or the time of the whole is over.
    """

    def call(*words: str) -> Measured:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Failed("the time was over before")
        launch = Launch([str(executable), *words], folder, drrun_environment(folder))
        return execute(launch, min(left, 300))

    _write(folder, "many", {f"s{n}": _step(n and f"s{n // 3}") for n in range(_PLANNED)})
    title = f"plan of {_PLANNED:,} steps"
    taken[title] = [call("plan", "runbooks/many.yml") for _ in range(runs)]
    events = _record(folder, call)
    for name, words in _LOOKS.items():
        print(f"looking: {name}", file=sys.stderr, flush=True)
        taken[f"{name}, {events:,} events"] = [call(*words) for _ in range(runs)]


def _record(folder: Path, call: Callable[..., Measured]) -> int:
    """Make the record; how many events it has."""
    steps = {f"s{n}": _step() for n in range(_EXECUTED)}
    steps["gate"] = _step(command="false")
    steps |= {f"b{n}": _step("gate") for n in range(_BLOCKED)}
    _write(folder, "record", steps)
    quiet = ("--no-input", "--plain")
    events = 0
    for number in range(-(-_EVENTS // _BLOCKED)):
        print(f"looking: making the record, {events:,} events", file=sys.stderr, flush=True)
        words = ("resume", "latest") if number else ("run", "runbooks/record.yml", "--yes")
        try:
            call(*words, *quiet)
        except Failed as failure:
            # The gate fails, as it is meant to.
            if not str(failure).startswith("exit 1"):
                raise
        events += _BLOCKED
    return call("events", "latest", "--json").out.count("\n")


def _step(need: str | int = "", command: str = "true") -> dict[str, object]:
    needs = {"needs": [need]} if need else {}
    return {"run": command, "on": "local", "verify": {"run": "true"}, **needs}


def _write(folder: Path, name: str, steps: dict[str, dict[str, object]]) -> None:
    path = folder / "runbooks" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"drrun": 1, "name": name, "steps": steps}), "utf-8")
