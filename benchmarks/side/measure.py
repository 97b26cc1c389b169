"""One process from its start to its end: what it took, and what it left.

Rules:
- Nothing runs longer than its limit: all of its session is killed then.
- Only a process that ended with 0 has a figure; of any other its last words are kept.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side.contestants import Contestant, Launch, environment_of
from benchmarks.side.work import Work
from benchmarks.side.world import World


class Failed(Exception):
    """It did not do its work."""


@dataclass(frozen=True)
class Measured:
    """What a process took."""

    seconds: float
    #: Of itself and of what it waited for, in seconds.
    cpu: float
    #: The most that one process of it held, in MB.
    memory: float
    #: Where it worked; gone after `done`.
    folder: Path

    @property
    def out(self) -> str:
        """What it printed."""
        return (self.folder / "stdout").read_text("utf-8", "replace")


def execute(launch: Launch, limit: float, before: Sequence[str] = ()) -> Measured:
    """Run it to its end; `before` are words put before its command.

    Raises:
        Failed: it ended otherwise than with 0, or not within `limit` seconds.
    """
    files = [(launch.folder / name).open("wb") for name in ("stdout", "stderr")]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*before, *launch.command],
        cwd=launch.folder,
        env=environment_of(launch),
        stdin=subprocess.DEVNULL,
        stdout=files[0],
        stderr=files[1],
        start_new_session=True,
    )
    late = threading.Event()
    timer = threading.Timer(limit, _end, (process.pid, late))
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
        for each in files:
            each.close()
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if late.is_set():
        raise Failed(f"no end after {limit:.0f} s")
    if process.returncode:
        raise Failed(f"exit {process.returncode}: {_last_words(launch.folder)}")
    return Measured(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, launch.folder)


@contextmanager
def done(
    world: World, contestant: Contestant, work: Work, limit: float, before: Sequence[str] = ()
) -> Iterator[Measured]:
    """What it took a contestant to do the work, and for the block what it left.

    Raises:
        Failed: as `execute` does.
    """
    folder = Path(tempfile.mkdtemp(dir=world.folder))
    try:
        yield execute(contestant.prepare(world, work, folder), limit, before)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # What one has written must not slow the next one's journal down.
        os.sync()


def _end(pid: int, late: threading.Event) -> None:
    late.set()
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _last_words(folder: Path) -> str:
    text = "".join((folder / n).read_text("utf-8", "replace") for n in ("stdout", "stderr"))
    return " / ".join(text.strip().splitlines()[-3:])[-300:]
