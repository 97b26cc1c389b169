"""A step that another has made needless neither fails the run nor is done again."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.ids import LOCAL, StepId
from drrun.core.model.outcomes import Ended
from drrun.core.model.runbook import Level
from drrun.core.model.status import Phase, RunStatus, Status
from tests.unit.core.worlds import World, manual, plan_of, step

EARLY, LATE, PROMOTE = StepId("early"), StepId("late"), StepId("promote")


def fences(failing: str = "") -> World:
    """An early fence, a late one that stands in for it, and a promotion that needs either."""
    return World(
        plan_of(
            step("early", superseded_by="late"),
            manual("late"),
            step("promote", "early", raises={"db": Level.READ_WRITE}),
        ),
        acting=lambda key, _: Ended(1 if key.step == failing else 0),
    )


def answer_only(world: World, name: str, what: str = "confirm") -> None:
    if world.target(name).gate is not None:
        world.record(
            ev.GateAnswered(step=name, target=LOCAL, gate="manual", answer=what, by="drew")
        )


def answer(world: World, name: str, what: str = "confirm") -> None:
    answer_only(world, name, what)
    world.drive()


def test_a_failed_step_is_skipped_once_the_other_has_passed() -> None:
    world = fences(failing="early")
    world.drive()
    assert world.state.step(EARLY) is Status.FAILED
    assert world.state.step(PROMOTE) is Status.BLOCKED
    answer(world, "late")
    assert world.state.step(EARLY) is Status.SKIPPED
    assert world.state.step(PROMOTE) is Status.PASSED
    assert world.state.ended is RunStatus.SUCCEEDED
    assert world.target("early").note == "late has passed, and makes it needless"


def test_it_stays_failed_while_the_other_has_not_passed() -> None:
    world = fences(failing="early")
    world.drive()
    answer(world, "late", "reject")
    assert world.state.step(EARLY) is Status.FAILED
    assert world.state.ended is RunStatus.FAILED


def test_a_persons_word_for_the_other_opens_nothing() -> None:
    world = fences(failing="early")
    world.drive()
    world.record(
        ev.TargetMarked(step="late", target=LOCAL, status="passed", by="drew", why="I saw it")
    )
    world.drive()
    assert world.state.step(LATE) is Status.PASSED
    assert world.state.step(EARLY) is Status.FAILED
    assert world.state.step(PROMOTE) is Status.BLOCKED


def test_resume_does_not_do_it_again() -> None:
    world = World(
        plan_of(step("early", superseded_by="late"), manual("late"), manual("hold", "late")),
        acting=lambda _key, _attempt: Ended(1),
    )
    world.drive()
    answer(world, "late")
    world.resume()
    world.record(ev.RunResumed(by="drew"))
    world.drive()
    assert (world.target("early").status, world.target("early").attempt) == (Status.SKIPPED, 1)


def test_a_step_that_fails_after_the_other_has_passed_blocks_nothing() -> None:
    world = World(
        plan_of(step("early", "late", superseded_by="other"), manual("other"),
                step("late"), manual("go", "early")),
        acting=lambda key, _: Ended(key.step == "early"),
    )  # fmt: skip
    world.meddle = lambda each: (
        answer_only(each, "other") if each.target("early").phase is Phase.ACTING else None
    )
    world.drive()
    assert world.state.step(EARLY) is Status.SKIPPED
    assert not any(isinstance(event, ev.StepBlocked) for _, event in world.journal)


def test_what_has_passed_stays_passed() -> None:
    world = fences()
    world.drive()
    answer(world, "late")
    assert world.state.step(EARLY) is Status.PASSED


@given(st.sampled_from(["pending", "waiting", "failed"]))
def test_it_is_skipped_wherever_it_stands_that_does_not_act(where: str) -> None:
    early = manual("early", *(["hold"] if where == "pending" else []))
    world = World(plan_of(replace(early, superseded_by="late"), manual("late"), manual("hold")))
    world.drive()
    if where == "failed":
        answer(world, "early", "reject")
    answer(world, "late")
    assert world.state.step(EARLY) is Status.SKIPPED
    answer(world, "hold")
    assert world.state.ended is RunStatus.SUCCEEDED
