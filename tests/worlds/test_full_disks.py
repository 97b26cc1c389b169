"""Homes without space: every write of the launcher fails once, on a host of its own.

The home is a small file system, with room for so many pages or so many files; one size for each
write that could fail. The effects are counted on another one, which has space.
"""

import subprocess

import pytest

from tests.verdicts import Verdict
from tests.worlds.conftest import Enter
from tests.worlds.fleet import Fleet, Lane, boxed, tmpfs
from tests.worlds.world import World

#: How many pages or files there is room for; the last is more than a launcher wants for one step.
ROOMS = (*range(1, 13), 16, 32)
PAGE = 4096
#: Rooms by the names of their hosts, as options of a file system; it has one file of its own.
PAGES = {f"page{n}": f"size={n * PAGE},nr_inodes=1000" for n in ROOMS}
FILES = {f"file{n}": f"size=1m,nr_inodes={n}" for n in ROOMS}
#: What a step does behind its effect.
BEHIND = {
    "says little": "echo done",
    "says more than there is room for": "head -c 2000000 /dev/zero; echo done >&2",
    "fills the disk itself": "cat /dev/zero >$HOME/fill 2>/dev/null || :",
}


@pytest.fixture(params=[PAGES, FILES], ids=["pages", "files"])
def world(request: pytest.FixtureRequest, enter: Enter, root: None) -> World:
    rooms: dict[str, str] = request.param

    def prepare(hosts: Fleet) -> None:
        mounts = (tmpfs(hosts[name].home, options) for name, options in rooms.items())
        hosts.server.prefix = boxed("".join(mounts))

    return enter(dict.fromkeys(rooms, Lane()), prepare=prepare)


def unexplained(name: str, verdict: Verdict) -> bool:
    """Whether it did not pass, and nothing says that there is no space."""
    return verdict.status != "passed" and not verdict.says(f"no space left on {name}:/")


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
@pytest.mark.faults(147)
def test_on_a_full_disk_nothing_is_executed_twice_and_the_record_says_why(
    world: World, behind: str
) -> None:
    world.run(world.steps(behind))
    found = world.verdicts()
    assert world.lies() == []
    assert [name for name, each in found.items() if unexplained(name, each)] == []
    # The largest room is large enough for all that we write.
    assert found[[*world.fleet.hosts][-1]].effects == 1


def test_once_there_is_space_again_what_never_started_is_executed_and_nothing_else(
    world: World,
) -> None:
    world.run(world.steps())
    make_room(world)
    done = world.resume()
    found = world.verdicts()
    assert world.lies() == []
    # Where the disk hid what became of it a person is asked; all others are done.
    assert {each.status for each in found.values()} <= {"passed", "unknown"}, done.err


def make_room(world: World) -> None:
    """Let all homes have space, from now on."""
    inside = ["nsenter", "-t", str(world.fleet.server.pid), "--mount"]
    for host in world.fleet.hosts.values():
        more = ["mount", "-o", "remount,size=10m,nr_inodes=1000", str(host.home)]
        subprocess.run([*inside, *more], check=True)
