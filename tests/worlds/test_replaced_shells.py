"""Start-up files that put another shell in the place of the login shell.

The other shell ignores our arguments and reads standard input, which is where a controller sends
what it wants executed.
"""

import pytest

from tests.programs import effects
from tests.worlds.conftest import Enter
from tests.worlds.fleet import Fleet, Lane
from tests.worlds.world import World

SHELLS = {
    "zsh": "exec zsh",
    "fish": "exec fish",
    "tcsh": "exec tcsh",
    "dash": "exec dash",
    "bash": "exec bash --norc",
}
REPLACED = "the login shell of {} is replaced by its start-up file"


@pytest.fixture
def world(enter: Enter) -> World:
    return enter({name: Lane(bashrc=f"{do}\n") for name, do in SHELLS.items()})


def executed(hosts: Fleet) -> dict[str, list[str]]:
    """What each host executed."""
    return {name: list(effects(hosts.effects(name))) for name in hosts.hosts}


NOTHING: dict[str, list[str]] = {name: [] for name in SHELLS}
ONCE = {name: [name] for name in SHELLS}
NAMED = [REPLACED.format(name) for name in SHELLS]


@pytest.mark.faults(112)
def test_a_replaced_shell_executes_nothing_and_is_named(world: World) -> None:
    done = world.run(world.steps())
    assert executed(world.fleet) == NOTHING
    assert [each for each in NAMED if each not in done.err] == [], done.err
    assert (done.exit, world.lies()) == (4, []), done.err


def test_resuming_behind_a_replaced_shell_executes_nothing_until_it_is_mended_then_once(
    world: World,
) -> None:
    world.run(world.steps())
    world.resume()
    assert executed(world.fleet) == NOTHING
    for host in world.fleet.hosts.values():
        (host.home / ".bashrc").unlink()
    done = world.resume()
    assert executed(world.fleet) == ONCE
    assert (done.exit, world.lies()) == (0, []), done.err


@pytest.mark.faults(112)
def test_preflight_names_a_replaced_shell(world: World) -> None:
    world.write(world.steps())
    done = world.program("preflight", "runbooks/world.yml")
    assert [each for each in NAMED if each not in done.out + done.err] == [], done.out
    assert (done.exit, executed(world.fleet)) == (4, NOTHING)
