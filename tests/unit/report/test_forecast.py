"""When a run will be done is told only where it can be known, and late is later than usual."""

from drrun.core.model.outcomes import Ended
from drrun.core.model.runbook import Estimate
from drrun.core.model.values import Duration
from drrun.core.people.commands import command_of
from drrun.core.people.consider import Granted, consider
from drrun.report.forecast import forecast, is_late
from tests.unit.core.worlds import World, manual, plan_of, step
from tests.unit.report.runs import lasts


def failing() -> World:
    """`bad` has failed, `behind` needs it, `gate` waits for its approval, `then` needs that."""
    plan = plan_of(
        step("bad", estimate=lasts(10)),
        step("behind", "bad", estimate=lasts(40)),
        step("gate", estimate=lasts(5), approval={"role": "commander"}),
        step("then", "gate", estimate=lasts(7)),
    )
    world = World(plan, acting=lambda key, _: Ended(1 if key.step == "bad" else 0))
    world.drive()
    return world


def holds(world: World) -> tuple[str, ...]:
    found = forecast(world.state, world.now)
    assert found is not None
    return found.holds


def ask(world: World, kind: str, **body: object) -> None:
    command = command_of(kind, body)
    assert command is not None
    found = consider(world.state, command, "simon", world.now)
    assert isinstance(found, Granted), found
    for event in found.events:
        world.record(event)
    world.drive()


def test_what_failed_and_who_is_asked_stand_in_the_place_of_an_end() -> None:
    world = failing()
    assert holds(world) == ("bad is fixed", "commander answers gate")


def test_the_work_behind_a_failure_is_counted_as_work_that_is_left() -> None:
    plan = plan_of(
        step("bad", estimate=lasts(10)),
        step("behind", "bad", estimate=lasts(40)),
        manual("look", estimate=lasts(5)),
    )
    world = World(plan, acting=lambda _key, _attempt: Ended(1))
    world.drive()
    found = forecast(world.state, world.now)
    assert found is not None
    assert found.holds == ("bad is fixed", "somebody answers look")
    assert found.remaining == Duration(50)


def test_once_nothing_is_in_the_way_an_end_is_told_again() -> None:
    world = failing()
    ask(world, "approve", step="gate")
    ask(world, "skip", step="bad", reason="done by hand")
    found = forecast(world.state, world.now)
    assert found is None or found.holds == ()


def test_a_paused_run_is_not_done_before_it_goes_on() -> None:
    world = failing()
    ask(world, "pause", reason="wait")
    assert holds(world)[-1] == "the run is unpaused"


def test_late_is_beyond_the_bad_case_or_twice_an_estimate_without_one() -> None:
    assert Estimate(Duration(60), Duration(600)).late_after == Duration(600)
    assert Estimate(Duration(60), Duration(60)).late_after == Duration(120)


def test_a_gate_is_late_when_its_role_takes_twice_as_long_as_usual() -> None:
    world = failing()
    opened = world.now
    gate = next(key.step for key in world.state.active if key.step == "gate")
    assert not is_late(world.state, gate, opened + 599)
    assert is_late(world.state, gate, opened + 601)
