"""Folders that cannot be trusted, and disks without room."""

import os
import shutil
from pathlib import Path

import pytest

from drrun.ssh import launcher_answers as a
from tests.contract.launcher.conftest import Open
from tests.contract.launcher.launchers import Ground, Launcher

OURS_ALONE = "it must belong to this user alone, with mode 0700"


def unusable(ground: Ground, opens: Open) -> a.FolderUnusable:
    return opens(ground).hear(a.FolderUnusable)


@pytest.mark.parametrize("which", [".drrun", ".drrun/run"])
@pytest.mark.faults(122)
def test_a_folder_that_others_may_enter_is_refused(
    any_ground: Ground, opens: Open, which: str
) -> None:
    any_ground.runs.mkdir(mode=0o700)
    (any_ground.runs / "run").mkdir(mode=0o700)
    (any_ground.home / which).chmod(0o770)
    said = unusable(any_ground, opens)
    assert said == a.FolderUnusable(str(any_ground.home / which), OURS_ALONE)


@pytest.mark.root
@pytest.mark.faults(122)
def test_a_folder_of_somebody_else_is_refused(any_ground: Ground, opens: Open) -> None:
    any_ground.runs.mkdir(mode=0o700)
    os.chown(any_ground.runs, 65534, 65534)
    assert unusable(any_ground, opens) == a.FolderUnusable(str(any_ground.runs), OURS_ALONE)


@pytest.mark.faults(122)
def test_a_link_is_refused(any_ground: Ground, opens: Open, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    any_ground.runs.symlink_to(tmp_path / "elsewhere")
    assert unusable(any_ground, opens) == a.FolderUnusable(str(any_ground.runs), OURS_ALONE)


def test_a_file_in_its_place_is_named(any_ground: Ground, opens: Open) -> None:
    any_ground.runs.write_text("")
    assert unusable(any_ground, opens).folder == str(any_ground.runs)


def test_a_folder_that_was_lost_is_told_from_then_on(any_ground: Ground, opens: Open) -> None:
    first = opens(any_ground, claims=False).ready
    second = opens(any_ground, known=True, claims=False).ready
    (any_ground.runs / "run" / "head").unlink()
    (any_ground.runs / "run").rmdir()
    later = [opens(any_ground, known=True, claims=False).ready for _ in range(2)]
    assert (first.lost, second.lost, [each.lost for each in later]) == (False, False, [True, True])
    assert first.folder == later[1].folder == str(any_ground.runs / "run")


def test_a_path_with_blanks_is_one(home: Path, opens: Open) -> None:
    ground = Ground(home / "a  b")
    ground.home.mkdir()
    launcher = opens(ground)
    assert launcher.ready.folder == str(ground.runs / "run")
    assert launcher.finish("n", "echo out").out.data == b"out\n"


def test_a_folder_that_is_deleted_is_told_from_one_that_is_there(
    any_ground: Ground, opens: Open
) -> None:
    effects = any_ground.home / "effects"
    launcher = opens(any_ground)
    launcher.quiet()
    launcher.finish("n", "true")
    for each in (any_ground.runs / "run").iterdir():
        each.unlink()
    (any_ground.runs / "run").rmdir()
    launcher.start("n", f"echo 1 >>{effects}")
    refused = launcher.hear(a.StartRefused, "n")
    assert (refused.decided, launcher.withdraw("n"), effects.exists()) == (False, "failed", False)
    assert opens(any_ground, known=True).ready.lost


needs_mount = pytest.mark.root

#: Takes all room that there is.
FILL = "cat /dev/zero >$HOME/fill 2>/dev/null"


@pytest.fixture
def small(any_ground: Ground, opens: Open) -> Launcher:
    """A launcher on a disk of a few pages, with what it needs at first."""
    return opens(Ground(any_ground.home, any_ground.shell, disk="size=64k", path=any_ground.path))


@needs_mount
@pytest.mark.faults(43)
def test_without_room_nothing_is_started_and_that_is_said(small: Launcher) -> None:
    small.ask("fill", FILL)
    small.start("n", "echo executed")
    said = small.hear(a.StartRefused, "n")
    assert (said.decided, "No space left" in said.why) == (False, True)
    assert small.look("n").word == "absent"
    assert not small.heard(a.CommandBegun, "n")
    # Nothing was decided, so there is a second chance once there is room.
    small.ground_path("fill").unlink()
    assert small.finish("n", "echo executed").out.data == b"executed\n"


@needs_mount
@pytest.mark.faults(43)
def test_a_decision_that_could_not_be_noted_is_one_and_executes_nothing(
    home: Path, tmp_path: Path, opens: Open
) -> None:
    # The disk becomes full between the look for room and the decision.
    tools = tmp_path / "tools"
    tools.mkdir()
    setsid = f'#!/bin/sh\n[ -e $HOME/late ] && {FILL}\nexec {shutil.which("setsid")} "$@"\n'
    (tools / "setsid").write_text(setsid)
    (tools / "setsid").chmod(0o755)
    ground = Ground(home, disk="size=64k", path=f"{tools}:{os.environ['PATH']}")
    launcher = opens(ground)
    launcher.ask("late", "true >$HOME/late")
    launcher.start("n", "echo executed >>$HOME/late")
    said = launcher.hear(a.StartRefused, "n")
    assert said == a.StartRefused("n", "No space left on device", decided=True)
    launcher.ground_path("fill").unlink()
    assert launcher.look("n").word == "torn"
    launcher.ground_path("late").unlink()
    launcher.start("n", "true")
    launcher.hear(a.AttemptExists, "n")
    launcher.quiet()
    assert not launcher.heard(a.CommandBegun, "n")


@needs_mount
@pytest.mark.faults(43)
def test_an_exit_code_that_could_not_be_noted_is_said_with_that(small: Launcher) -> None:
    ended = small.finish("n", f"{FILL}; exit 3")
    assert (ended.code, ended.full) == (3, True)
    assert small.look("n").word in ("ending", "gone")


@needs_mount
def test_without_room_for_what_is_sent_ahead_the_launcher_leaves(small: Launcher) -> None:
    assert not small.put("n", b"true\n" + bytes(1 << 20))
    small.process.wait(60)


@needs_mount
def test_without_room_for_a_memory_the_host_says_so(
    home: Path, any_ground: Ground, opens: Open
) -> None:
    disk = "size=4k,nr_inodes=2"
    tight = Ground(any_ground.home, any_ground.shell, disk=disk, path=any_ground.path)
    assert "No space left" in unusable(tight, opens).why


@needs_mount
@pytest.mark.faults(43)
def test_without_room_for_a_file_nothing_is_decided(any_ground: Ground, opens: Open) -> None:
    # One for the folder itself, two for folders of ours, one for what it remembers.
    disk = "size=1m,nr_inodes=5"
    tight = opens(Ground(any_ground.home, any_ground.shell, disk=disk, path=any_ground.path))
    tight.quiet()
    tight.put("fill.i", b"")
    tight.start("n", "true")
    said = tight.hear(a.StartRefused, "n")
    assert (said.decided, tight.withdraw("n"), tight.look("n").word) == (False, "failed", "absent")
