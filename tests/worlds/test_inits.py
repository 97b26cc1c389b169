"""Containers whose first process collects nobody: what has ended there stays a zombie for ever."""

import subprocess
from pathlib import Path

import pytest

from tests.lab.namespaces import inode, kill, members
from tests.programs import effects
from tests.sshd import until
from tests.worlds.conftest import Enter
from tests.worlds.fleet import Fleet, Lane
from tests.worlds.world import World, ended

#: The server is a child of the first process, which never waits for a child.
_INIT = '"$@" & exec sleep 1000000'
#: Goes on until a test lets it end.
SLOW = """
  slow:
    on: db1
    run: |
      echo slow >>{{ host.vars.effects }}
      while [ ! -e $HOME/go ]; do sleep 0.1; done
      exit 0
    verify: {run: "[ -s {{ host.vars.effects }} ]"}
"""


def no_init(hosts: Fleet) -> None:
    """Nobody collects there."""
    options = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    hosts.server.prefix = ("unshare", *options, "--", "sh", "-c", _INIT, "sh")


@pytest.fixture
def world(enter: Enter, root: None) -> World:
    return enter({"db1": Lane()}, prepare=no_init)


def inside(world: World) -> list[int]:
    """The processes of the container, their first one first."""
    server = world.fleet.server.pid
    [first] = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return sorted(members("pid", inode(int(first), "pid")))


def words(pid: int) -> str:
    """The command line of a process; empty for a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def listens(pid: int) -> bool:
    """Whether it is the server itself."""
    return words(pid).startswith("sshd: ") and "[listener]" in words(pid)


def kill_sessions(world: World) -> None:
    """End the processes that serve connections."""
    sessions = [pid for pid in inside(world) if words(pid).startswith("sshd: ")]
    kill([pid for pid in sessions if not listens(pid)])


def begin(world: World) -> "subprocess.Popen[str]":
    """A run whose step is in flight."""
    process = world.begin(SLOW)
    assert until(lambda: effects(world.fleet.effects("db1")) == ["slow"])
    return process


def zombies(world: World) -> list[int]:
    """Who has ended there and was not collected."""
    return [pid for pid in inside(world) if _state(pid) == "Z"]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "X"


@pytest.mark.faults(149)
def test_steps_end_where_nobody_collects_what_has_ended(world: World) -> None:
    done = world.run(world.steps("(sleep 0.1 &)"))
    assert (done.exit, world.lies()) == (0, []), done.err


def test_a_time_limit_is_proved_where_what_was_ended_stays_a_zombie(world: World) -> None:
    done = world.run(world.steps("(sleep 300 &) ; sleep 300 & sleep 300", timeout="1s"))
    assert until(lambda: bool(zombies(world)))
    found = world.verdicts()["db1"]
    assert (done.exit, found.status, world.lies()) == (1, "failed", []), done.err


def test_a_step_whose_link_was_cut_is_seen_to_end_though_its_zombie_stays(world: World) -> None:
    process = begin(world)
    kill_sessions(world)
    (world.fleet["db1"].home / "go").touch()
    done = ended(process)
    assert (done.exit, world.lies()) == (0, []), done.err
    assert world.verdicts()["slow"].exits == [0]


def test_a_job_that_was_killed_is_gone_though_its_zombie_stays(world: World) -> None:
    process = begin(world)
    _, *others = inside(world)
    kill([pid for pid in others if not words(pid).startswith("sshd: ")])
    done = ended(process)
    found = world.verdicts()["slow"]
    assert (found.effects, found.exits, world.lies()) == (1, [], []), done.err
    assert done.exit == 0, done.err
