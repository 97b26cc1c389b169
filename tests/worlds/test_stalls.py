"""Every program that the launcher calls stalls once, for longer than anybody would wait."""

import pytest

from tests.worlds.conftest import Enter
from tests.worlds.fleet import Fleet, Lane, seconds
from tests.worlds.stalls import Stall, calls, stalled, wrap
from tests.worlds.world import World

#: Seconds of a stall; 10 was once taken for the longest that a host needs to begin.
STALL = seconds("STALL", 11)
#: The highest call of one program that stalls; programs in loops are called without end.
MOST_CALLS = int(seconds("CALLS", 3))
#: What the step does besides its effect has no programs of its own.
WRAPPED = Lane(path=("wrapped",))
RETRY = "{attempts: 2, delay: 1s}"


def points(enter: Enter) -> list[Stall]:
    """All calls of a calm step that the launcher makes, before and after the program."""

    def prepare(hosts: Fleet) -> None:
        wrap(hosts["calm"])

    calm = enter({"calm": WRAPPED}, prepare=prepare)
    done = calm.run(steps(calm))
    assert (done.exit, calm.lies()) == (0, []), done.err
    return [
        Stall(when, program, number)
        for program, count in sorted(calls(calm.fleet["calm"]).items())
        for number in range(1, min(count, MOST_CALLS) + 1)
        for when in ("before", "after")
    ]


def steps(world: World) -> str:
    """Output on both streams, input, an effect."""
    return world.steps("echo out; echo err >&2", retry=RETRY, stdin="input")


@pytest.mark.timeout(600)
def test_whatever_stalls_once_executes_once_and_passes(enter: Enter) -> None:
    found = {each.name: each for each in points(enter)}
    assert found

    def prepare(hosts: Fleet) -> None:
        for name, stall in found.items():
            wrap(hosts[name], stall, STALL)

    world = enter(dict.fromkeys(found, WRAPPED), prepare=prepare)
    done = world.run(steps(world), STALL * 6 + 60)
    verdicts = world.verdicts()
    assert world.lies() == []
    assert {name: each.effects for name, each in verdicts.items()} == dict.fromkeys(found, 1)
    assert done.exit == 0, done.err
    # Nothing of this was shown unless calls did stall.
    assert any(stalled(world.fleet[name], stall) for name, stall in found.items())
