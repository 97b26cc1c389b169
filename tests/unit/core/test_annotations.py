"""What people add to a run long after its end: findings, follow-ups, clocks, its close."""

import pytest

from drrun.core import events as ev
from drrun.core.people.annotations import CLOCKS
from drrun.core.people.consider import Denied, Granted
from tests.unit.core.worlds import World, manual, plan_of, step


def over() -> World:
    world = World(plan_of(step("a"))).start("drew")
    world.drive()
    return world


def last(world: World) -> ev.Event:
    return world.journal[-1][1]


def test_a_finding_is_of_medium_severity_unless_somebody_says_otherwise() -> None:
    world = over()
    world.ask("finding", text="no backup", step="a", owner="dba", due="2024-02-01")
    expected = ev.FindingNoted(
        text="no backup", by="simon", severity="medium", owner="dba", due="2024-02-01", step="a"
    )
    assert last(world) == expected


def test_a_follow_up_is_kept_with_owner_and_date() -> None:
    world = over()
    world.ask("follow-up", text="buy disks", owner="dba", due="2024-02-01")
    expected = ev.FollowUpNoted(
        text="buy disks", by="simon", owner="dba", due="2024-02-01", step=""
    )
    assert last(world) == expected


@pytest.mark.parametrize("kind", ["finding", "follow-up"])
@pytest.mark.parametrize(
    ("body", "why"), [({"due": "soon"}, "write a date like"), ({"step": "nope"}, "no step 'nope'")]
)
def test_what_nobody_could_look_up_later_is_refused(
    kind: str, body: dict[str, str], why: str
) -> None:
    found = over().ask(kind, text="x", **body)
    assert isinstance(found, Denied)
    assert why in found.why


def test_a_severity_that_does_not_exist_is_refused() -> None:
    found = over().ask("finding", text="x", severity="huge")
    assert found == Denied("severity 'huge': one of low, medium, high")


@pytest.mark.parametrize("name", CLOCKS)
def test_every_clock_of_an_incident_can_be_stated(name: str) -> None:
    world = over()
    world.ask("clock", name=name, moment=500.0, reason="pager")
    assert last(world) == ev.ClockStated(name=name, moment=500.0, by="simon", why="pager")


@pytest.mark.parametrize(
    ("name", "moment", "why"),
    [
        ("lunch", 1.0, "there is no clock 'lunch'"),
        ("detected", None, "say when"),
        ("detected", 9e9, "in the future"),
    ],
)
def test_a_clock_that_cannot_be_right_is_refused(
    name: str, moment: float | None, why: str
) -> None:
    found = over().ask("clock", name=name, moment=moment, reason="pager")
    assert isinstance(found, Denied)
    assert why in found.why


def test_a_run_that_goes_on_is_not_closed() -> None:
    world = World(plan_of(manual("a")))
    world.drive()
    assert isinstance(world.ask("close"), Denied)


def test_a_run_with_something_open_is_closed_only_with_a_reason() -> None:
    found = over().ask("close", open=["git: no backup"])
    assert found == Denied("still open: git: no backup. To close the run anyway, add --reason")


def test_what_was_open_when_a_run_was_closed_is_recorded() -> None:
    world = over()
    world.ask("close", open=["git: no backup"], reason="tomorrow")
    closed = ev.RunClosed(by="simon", why="tomorrow", open=("git: no backup",))
    assert last(world) == closed


def test_a_run_is_closed_once() -> None:
    world = over()
    world.ask("close")
    assert world.ask("close", "ada") == Granted([], "closed already, by simon")
