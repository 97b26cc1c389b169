"""The operator's desk: drrun with the repository's runbooks and inventories, in a lab.

Rules:
- Runbooks are executed as they are in runbooks/; the inventory is the one in inventory/ with the
  lab's keys, and nothing else of it is changed unless a story says so.
"""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from drrun.files.yaml.written import plain_value
from drrun.files.yaml.yaml_reader import read_yaml
from tests.lab import Lab
from tests.programs import Done, Program

ROOT = Path(__file__).parents[3]
#: The longest that a story waits for anything.
PATIENCE = 280.0
#: So many looks in a row at a step that cannot go on, and a story gives up.
_LOOKS = 20


class Desk:
    """A folder with runbooks and an inventory, and the program in the operator's network."""

    def __init__(self, lab: Lab, folder: Path, *inventories: str, **parts: Any) -> None:
        self.lab = lab
        self.folder = folder
        shutil.copytree(ROOT / "runbooks", folder / "runbooks")
        mark = lab.operator.command(["true"], cwd=folder)[:-1]
        self.program = Program(folder, prefix=tuple(mark))
        self.running: Running | None = None
        self._write_inventory(inventories, parts)

    def _write_inventory(self, names: tuple[str, ...], parts: dict[str, Any]) -> None:
        whole: dict[str, Any] = {}
        for name in names:
            read = _read(ROOT / "inventory" / name)
            for part, given in read.items():
                whole.setdefault(part, {}).update(given)
        for part, given in parts.items():
            whole.setdefault(part, {}).update(given)
        for name, host in whole["hosts"].items():
            found = self.lab.host(name)
            host |= {"identity": str(self.lab.identity), "host_key": found.key}
        self._inventory = whole
        self.change_hosts({})

    def change_hosts(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Give hosts of the inventory other keys."""
        for name, keys in changes.items():
            self._inventory["hosts"][name] |= keys
        self.program.write("inventory/lab.yml", json.dumps(self._inventory, indent=1))

    def step(self, step: str, run: str = "latest") -> str:
        """How a step stands; "" before there is a run."""
        done = self.program("status", run, "--json")
        if done.exit:
            return ""
        steps = {each["id"]: each["status"] for each in json.loads(done.out)["steps"]}
        return str(steps.get(step, ""))

    def wait_for(self, step: str, *states: str) -> None:
        """Wait until a step is in one of these states."""

        # A run that is resumed, or not there yet, looks cannot_be_met for a moment.
        looks = 0

        def stands() -> bool:
            nonlocal looks
            ended = self.running.ended if self.running else None
            found = self.step(step)
            looks = looks + 1 if found in ("failed", "blocked", "cancelled") else 0
            if (ended is not None or looks > _LOOKS) and found not in states:
                told = self.program("status", "latest")
                raise AssertionError(f"{step} is {found!r}: {ended} {told.out}{told.err}")
            return found in states

        wait(stands, f"{step} to be {' or '.join(states)}")

    def confirm(self, *steps: str, by: str = "drew") -> None:
        """Confirm steps once they wait for that."""
        for step in steps:
            self.wait_for(step, "waiting")
            done = self.program("confirm", "latest", step, "--by", by)
            assert done.exit == 0, done.err

    def run(self, runbook: str, *words: str, **environment: str) -> "Running":
        """Begin a run."""
        return self._start("run", f"runbooks/{runbook}", "--yes", *words, **environment)

    def resume(self, *words: str, **environment: str) -> "Running":
        """Go on with the last run."""
        return self._start("resume", "latest", *words, **environment)

    def _start(self, *words: str, **environment: str) -> "Running":
        process = self.program.start(*words, "--linger", "270s", **environment)
        self.running = Running(lambda: Done.of(process))
        return self.running


def _read(path: Path) -> dict[str, Any]:
    """A file as the program itself reads it: there `on` is a word."""
    written, findings = read_yaml(path.read_bytes(), str(path))
    assert written is not None, findings
    read: dict[str, Any] = plain_value(written)
    return read


class Running:
    """A run that goes on, its output read meanwhile so that it never blocks."""

    def __init__(self, finish: Callable[[], Done]) -> None:
        self._done: list[Done] = []
        self._thread = threading.Thread(target=lambda: self._done.append(finish()), daemon=True)
        self._thread.start()

    @property
    def ended(self) -> Done | None:
        """How it ended; None while it goes on."""
        return self._done[0] if self._done else None

    def end(self) -> Done:
        """Wait for its end."""
        self._thread.join(PATIENCE)
        assert self._done, "it has not ended in time; `drrun status` in its folder tells why"
        return self._done[0]


def wait(until: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: It never did.
    """
    end = time.monotonic() + within
    tick = threading.Event()
    while not until():
        assert time.monotonic() < end, f"waited in vain for {what}"
        tick.wait(0.2)


@contextmanager
def looking(look: Callable[[], Any], every: float = 0.5) -> Iterator[list[Any]]:
    """Look once before, then again and again meanwhile; everything that was seen."""
    seen: list[Any] = [look()]
    over = threading.Event()

    def turn() -> None:
        while not over.wait(every):
            seen.append(look())

    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(30)
