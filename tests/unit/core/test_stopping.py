"""Abort and pause: nothing begins, what acts is ended, and nobody guesses what became of it."""

import pytest

from drrun.core import events as ev
from drrun.core.model.outcomes import Ended, OutcomeUnknown
from drrun.core.model.probes import ProbeKind
from drrun.core.model.runbook import OnFailure
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration
from drrun.core.people.consider import Denied, Granted
from tests.unit.core.worlds import World, manual, plan_of, probe, stand_in, statuses, step, wait


def aborted(world: World) -> World:
    world.ask("abort", reason="enough")
    world.drive()
    return world


def test_an_abort_wants_a_reason() -> None:
    world = World(plan_of(manual("a")))
    assert isinstance(world.ask("abort"), Denied)


def test_what_acts_is_ended_and_what_has_not_begun_is_cancelled() -> None:
    world = World(plan_of(step("a"), step("b", "a")))
    world.obey_all()
    aborted(world)
    assert (statuses(world.state), world.state.ended) == (
        ["cancelled", "cancelled"],
        RunStatus.ABORTED,
    )


def test_ending_is_asked_for_once() -> None:
    world = World(plan_of(step("a")))
    world.obey_all()
    world.ask("abort", reason="enough")
    world.obey_all()
    asked = [each for _, each in world.journal if isinstance(each, ev.EndingBegan)]
    assert len(asked) == 1


def test_what_nobody_knows_stays_unknown_when_a_run_is_aborted() -> None:
    world = World(plan_of(step("a")), acting=lambda *_: OutcomeUnknown("cut"))
    world.drive()
    aborted(world)
    assert (statuses(world.state, "a"), world.state.ended) == (["unknown"], RunStatus.ABORTED)


def test_what_acted_and_was_not_verified_is_unknown() -> None:
    world = World(plan_of(step("a", verify=(probe(),))))
    world.obey_all()
    world.land(next(iter(world.air)))
    aborted(world)
    assert statuses(world.state, "a") == ["unknown"]


def test_a_failure_that_was_not_told_yet_is_still_a_failure() -> None:
    world = World(plan_of(step("a")), acting=lambda *_: Ended(1))
    world.obey_all()
    world.land(next(iter(world.air)))
    aborted(world)
    assert statuses(world.state, "a") == ["failed"]


@pytest.mark.parametrize("how", [{"for": 60}, {"until": (probe(within=Duration(60)),)}])
def test_a_wait_is_given_up(how: dict[str, object]) -> None:
    world = World(plan_of(wait("a", **how)))
    world.obey_all()
    aborted(world)
    assert world.state.ended is RunStatus.ABORTED


def looked_at(*, cut: bool) -> World:
    """A person is to look at what an attempt did, which has ended or was cut off."""
    world = World(
        plan_of(step("a", verify=(probe("seen?", kind=ProbeKind.ASK),))),
        acting=lambda *_: OutcomeUnknown("cut") if cut else Ended(0),
    )
    world.drive()
    return world


@pytest.mark.parametrize("cut", [True, False])
def test_what_acted_and_waits_for_a_look_is_unknown_when_a_run_is_aborted(cut: bool) -> None:
    world = aborted(looked_at(cut=cut))
    assert (statuses(world.state, "a"), world.target("a").gate, world.state.ended) == (
        ["unknown"],
        None,
        RunStatus.ABORTED,
    )


@pytest.mark.parametrize("cut", [True, False])
def test_what_acted_and_waited_for_a_look_is_not_done_again_after_an_abort(cut: bool) -> None:
    world = aborted(looked_at(cut=cut))
    world.record(ev.RunResumed(by="drew"))
    world.drive()
    assert world.effects.total() == 1


def test_a_question_to_people_is_given_up() -> None:
    world = World(plan_of(manual("a")))
    world.drive()
    aborted(world)
    assert (statuses(world.state, "a"), world.target("a").gate) == (["cancelled"], None)


def test_an_attempt_that_an_earlier_controller_left_behind_is_looked_for_and_then_ended() -> None:
    world = World(plan_of(step("a")))
    world.obey_all()
    world.ask("abort", reason="enough")
    world.obey_all()
    world.resume()
    assert [type(each).__name__ for each in world.decide().wishes] == ["Reconcile"]


def test_a_run_is_aborted_once() -> None:
    world = World(plan_of(step("a")))
    world.obey_all()
    world.ask("abort", reason="enough")
    assert world.ask("abort", reason="more") == Granted([], "aborted already: enough")


@pytest.mark.parametrize("kind", ["abort", "pause", "unpause"])
def test_a_run_that_is_over_is_neither_stopped_nor_continued(kind: str) -> None:
    world = World(plan_of(step("a")))
    world.drive()
    found = world.ask(kind, reason="x")
    assert found == Denied("the run is succeeded already")


def test_pausing_twice_tells_who_paused_it() -> None:
    world = World(plan_of(manual("a")))
    world.ask("pause", reason="lunch")
    assert world.ask("pause") == Granted([], "paused already: lunch (by simon)")


def test_going_on_with_what_is_not_paused_changes_nothing() -> None:
    world = World(plan_of(manual("a")))
    assert world.ask("unpause") == Granted([], "the run is not paused")


def test_what_had_begun_when_the_run_was_paused_is_still_verified() -> None:
    world = World(plan_of(step("a", verify=(probe(),)), step("b", "a")))
    world.obey_all()
    world.ask("pause")
    assert statuses(world.drive()) == ["passed", "pending"]


def test_a_run_that_failed_while_it_was_paused_waits_for_a_word() -> None:
    world = World(plan_of(step("a", on_failure=OnFailure.PAUSE)), acting=lambda *_: Ended(1))
    world.drive()
    before = world.state.ended
    world.ask("unpause")
    assert (before, world.drive().ended) == (None, RunStatus.FAILED)


@pytest.mark.parametrize(
    ("on_failure", "turn"),
    [
        (OnFailure.PAUSE, ev.RunPaused),
        (OnFailure.ABORT, ev.RunAborted),
        (OnFailure.ROLLBACK, ev.RollbackBegan),
    ],
)
def test_steps_that_fail_at_once_stop_the_run_once_for_the_first_of_them(
    on_failure: OnFailure, turn: type[ev.RunPaused | ev.RunAborted | ev.RollbackBegan]
) -> None:
    failing = [step(name, "up", on_failure=on_failure) for name in "ab"]
    plan = plan_of(step("up", undo=stand_in()), *failing)
    world = World(plan, acting=lambda key, _: Ended(int(key.step != "up")))
    world.obey_all()
    for _ in range(2):
        for activity in list(world.air):
            world.land(activity)
        world.obey_all()
    turns = [each.why for _, each in world.journal if isinstance(each, turn)]
    assert turns == ["step a failed: exit 1"]
