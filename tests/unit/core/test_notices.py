"""Who is told what: few messages, each for somebody."""

from drrun.core import events as ev
from drrun.core.model.outcomes import Ended
from drrun.core.model.runbook import Level, OnFailure
from drrun.core.rules.notices import Notice, notices
from tests.unit.core.worlds import World, manual, plan_of, probe, step

EVERYBODY = ("drew", "simon", "ludovic", "ada")


def told(world: World, event: ev.Event) -> list[Notice]:
    """What follows from an event once it has happened."""
    world.record(event)
    return list(notices(world.state, event, "r1"))


def all_told(world: World) -> list[Notice]:
    """What was told during a whole run."""
    found: list[Notice] = []
    record = world.record

    def recorded(event: ev.Event) -> None:
        record(event)
        found.extend(notices(world.state, event, "r1"))

    world.record = recorded  # type: ignore[method-assign] # listens
    world.drive()
    return found


def test_whoever_may_answer_is_told_that_they_are_asked() -> None:
    found = all_told(World(plan_of(manual("a", owner="dba"))))
    assert [(each.kind, each.to, each.step) for each in found] == [("waiting", EVERYBODY, "a")]


def test_a_question_names_who_is_asked() -> None:
    (found,) = all_told(World(plan_of(manual("a", owner="dba"))))
    assert "asks dba (drew, simon, ludovic, ada)" in found.text


def test_a_question_for_anybody_goes_to_whoever_listens() -> None:
    (found,) = all_told(World(plan_of(manual("a"))))
    assert found.to == ()


def test_those_who_are_reminded_are_told_and_nobody_else() -> None:
    world = World(plan_of(manual("a", owner="dba")))
    world.drive()
    reminded = ev.PersonReminded(step="a", target="local", to=("simon",), times=1)
    (found,) = told(world, reminded)
    assert found.to == ("simon",)


def test_a_late_attempt_is_told_to_the_owner_of_its_step() -> None:
    world = World(plan_of(step("a", owner="dba")))
    world.obey_all()
    (found,) = told(world, ev.AttemptLate(step="a", target="local", attempt=1, p90=60))
    assert (found.kind, found.to) == ("waiting", EVERYBODY)


def test_a_failure_a_pause_and_the_end_are_told() -> None:
    world = World(plan_of(step("a", on_failure=OnFailure.PAUSE)), acting=lambda *_: Ended(1))

    def meddle(world: World) -> None:
        if world.state.paused:
            world.ask("unpause")

    world.meddle = meddle
    assert [each.kind for each in all_told(world)] == ["failed", "waiting", "ended"]


def test_services_are_told_once_the_step_as_a_whole_has_passed() -> None:
    raising = step("a", for_each=["x", "y"], raises={"git": Level.READ_ONLY}, verify=(probe(),))
    found = [each for each in all_told(World(plan_of(raising))) if each.kind == "service"]
    assert [(each.text, each.levels) for each in found] == [
        ("git is read-only", {"git": "read-only"})
    ]


def test_a_step_that_failed_raises_no_service() -> None:
    raising = step("a", raises={"git": Level.READ_ONLY})
    found = all_told(World(plan_of(raising), acting=lambda *_: Ended(1)))
    assert "service" not in {each.kind for each in found}


def test_a_broken_invariant_is_told_as_what_broke_again() -> None:
    world = World(plan_of(manual("a")))
    (found,) = told(world, ev.InvariantBroken(name="one writer", why="two", suspects=()))
    assert found.kind == "regressed"


def test_what_nobody_has_to_know_is_told_to_nobody() -> None:
    world = World(plan_of(step("a")))
    assert told(world, ev.TargetBegan(step="a", target="local")) == []
