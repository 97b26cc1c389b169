"""Hosts for launchers, and what remains on them is ended."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.launcher.launchers import Ground, Launcher

#: What /bin/sh may be.
SHELLS = ("dash", "bash", "busybox", "zsh")

Open = Callable[..., Launcher]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    for pid in living(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def living(home: Path) -> list[int]:
    """Processes that were started with this home."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"HOME={home}".encode() in (each / "environ").read_bytes().split(b"\0"):
                found.append(int(each.name))
    return found


@pytest.fixture(params=SHELLS)
def any_ground(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Ground:
    """A host with each of the shells; one with busybox has nothing else."""
    program = shutil.which(request.param)
    assert program, f"{request.param} is not installed"
    if request.param != "busybox":
        return Ground(home, shell=program)
    applets = tmp_path / "applets"
    applets.mkdir()
    subprocess.run([program, "--install", "-s", str(applets)], check=True)
    return Ground(home, shell=program, path=str(applets))


@pytest.fixture
def ground(home: Path) -> Ground:
    return Ground(home)


@pytest.fixture
def opens() -> Iterator[Open]:
    """Opens launchers, and ends them."""
    opened: list[Launcher] = []

    def opening(ground: Ground, **how: object) -> Launcher:
        launcher = Launcher(ground, **how)  # type: ignore[arg-type]
        opened.append(launcher)
        return launcher

    yield opening
    for each in opened:
        each.kill()
        each.hang_up()


@pytest.fixture
def launcher(ground: Ground, opens: Open) -> Launcher:
    return opens(ground)


@pytest.fixture
def any_launcher(any_ground: Ground, opens: Open) -> Launcher:
    return opens(any_ground)
