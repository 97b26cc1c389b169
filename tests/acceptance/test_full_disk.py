"""A controller whose disk fills up while it drives a run."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.programs import Program, effects

FILLING = """
drrun: 1
name: filling
steps:
  fill:
    run: cat /dev/zero >{{ inputs.disk }}/filler 2>/dev/null || :; echo filled >>FOLDER/effects
    verify: {run: "true"}
  after:
    needs: [fill]
    for_each: ITEMS
    batch: 1
    run: echo {{ item }} >>FOLDER/effects
    verify: {run: "true"}
inputs:
  disk: {type: string}
"""


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four MiB."""
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", point], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("ab", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))


@pytest.mark.faults(84)
def test_a_run_on_a_full_disk_can_be_resumed_until_it_has_succeeded(
    tmp_path: Path, tiny_disk: Path
) -> None:
    program = Program(tmp_path, {"DRRUN_STATE": str(tiny_disk / "state")})
    items = [f"item-{number}" for number in range(40)]
    program.write(
        "filling.yml", FILLING.replace("FOLDER", str(tmp_path)).replace("ITEMS", str(items))
    )
    given = ["-e", f"disk={tiny_disk}"]
    done = program("run", "filling.yml", "--yes", *given)
    assert (done.exit, "is full" in done.err, "drrun resume" in done.err) == (3, True, True)
    fill(tiny_disk)  # also what was freed for the record's sake
    still_full = program("resume", "latest")
    (tiny_disk / "filler").unlink()
    resumed, again = program("resume", "latest"), program("resume", "latest")
    assert (still_full.exit, resumed.exit, again.exit) == (3, 0, 0), resumed.err
    assert "has succeeded: there is nothing left to do" in again.err
    did = effects(tmp_path / "effects")
    assert list(did) == ["filled", *items]
