"""The binary, as a user calls it, with a state folder of its own."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

#: Longest time that any call here may take, in seconds; only hangs reach it.
PATIENCE = 60


@dataclass
class Tool:
    """Calls `drrun` in a folder."""

    folder: Path
    environment: dict[str, str]
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    def __call__(
        self, *words: str, typed: str = "", **more: str
    ) -> "subprocess.CompletedProcess[str]":
        """Call and wait for the end."""
        return subprocess.run(
            self.command(*words),
            input=typed,
            cwd=self.folder,
            env=self.environment | more,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    def command(self, *words: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "drrun", *words]

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """Call and go on; what was told on both streams is in `stdout`."""
        process = subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.running.append(process)
        return process

    def write(self, name: str, text: str) -> str:
        """Write a file in the folder; its name."""
        (self.folder / name).write_text(text)
        return name

    def runbook(self, steps: str, head: str = "") -> str:
        """Write a runbook with these steps; its name."""
        return self.write("test.yml", f"drrun: 1\nname: test\n{head}steps:\n{steps}")


def until(process: "subprocess.Popen[str]", words: str) -> str:
    """Read what a process tells until a line has `words`; all lines so far."""
    told = ""
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    try:
        for line in process.stdout or ():
            told += line
            if words in line:
                return told
    finally:
        guard.cancel()
    raise AssertionError(f"{words!r} was never told:\n{told}")


def _environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    root = Path(__file__).parents[3]
    return {
        **kept,
        "PYTHONPATH": str(root),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        **more,
    }


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    work = tmp_path / "work"
    work.mkdir()
    found = Tool(work, _environment(tmp_path, {"DRRUN_BY": "drew", "DRRUN_LINGER": "0s"}))
    yield found
    for process in found.running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
