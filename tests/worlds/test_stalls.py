"""Every program that the launcher calls stalls once, is killed with its caller, or fails."""

from collections.abc import Mapping

import pytest

from tests.programs import Done
from tests.worlds.conftest import Enter
from tests.worlds.fleet import Fleet, seconds
from tests.worlds.stalls import WRAPPED, Disturbance, calls, happened, wrap
from tests.worlds.world import World

#: Seconds of a stall; 10 was once taken for the longest that a host needs to begin.
STALL = seconds("STALL", 11)
#: The highest call of one program that is disturbed: programs in loops are called without end.
MOST_CALLS = int(seconds("CALLS", 3))


def steps(world: World) -> str:
    """Output on both streams, input, an effect; no program but the launcher's."""
    retry = "{attempts: 2, delay: 1s}"
    return world.steps("echo out; echo err >&2", retry=retry, stdin="input")


def points(enter: Enter, *ways: str) -> dict[str, Disturbance]:
    """All calls that the launcher makes for a calm step, and each way to disturb them."""

    def prepare(hosts: Fleet) -> None:
        wrap(hosts["calm"])

    calm = enter({"calm": WRAPPED}, prepare=prepare)
    done = calm.run(steps(calm))
    assert (done.exit, calm.lies()) == (0, []), done.err
    found = [
        Disturbance(how, program, number)
        for program, count in sorted(calls(calm.fleet["calm"]).items())
        for number in range(1, min(count, MOST_CALLS) + 1)
        for how in ways
    ]
    return {each.name: each for each in found}


def disturb(enter: Enter, found: Mapping[str, Disturbance]) -> tuple[World, Done]:
    """A step on a host for each of them, all at once."""

    def prepare(hosts: Fleet) -> None:
        for name, disturbance in found.items():
            wrap(hosts[name], disturbance, STALL)

    world = enter(dict.fromkeys(found, WRAPPED), prepare=prepare)
    done = world.run(steps(world), STALL * 6 + 60)
    # Nothing would be shown unless calls were disturbed.
    assert any(happened(world.fleet[name], each) for name, each in found.items())
    return world, done


@pytest.mark.timeout(600)
@pytest.mark.faults(111)
def test_whatever_stalls_once_executes_once_and_passes(enter: Enter) -> None:
    found = points(enter, "before", "after")
    world, done = disturb(enter, found)
    assert world.lies() == []
    counted = {name: each.effects for name, each in world.verdicts().items()}
    assert counted == dict.fromkeys(found, 1)
    assert done.exit == 0, done.err


@pytest.mark.timeout(600)
def test_whatever_fails_or_is_killed_executes_nothing_twice_and_is_told_as_it_is(
    enter: Enter,
) -> None:
    world, done = disturb(enter, points(enter, "killed", "fails"))
    assert world.lies() == []
    # Passed, failed, or a person is asked: it came to an end, whatever it is.
    assert done.exit in {0, 1, 3, 4}, done.err
    assert {each.status for each in world.verdicts().values()} <= {"passed", "failed", "unknown"}
