"""Retry, skip, mark-done: what people may change about a step, and what they may not."""

import pytest

from drrun.core import events as ev
from drrun.core.model.outcomes import Ended, OutcomeUnknown
from drrun.core.model.probes import Verdict
from drrun.core.model.runbook import OnFailure
from drrun.core.model.values import Share
from drrun.core.people.consider import Denied, Granted
from tests.unit.core.worlds import World, manual, plan_of, probe, statuses, step


def failed(**keys: object) -> World:
    """`bad` has failed; `behind` needs it."""
    world = World(
        plan_of(step("bad", **keys), step("behind", "bad"), manual("hold")),
        acting=lambda key, _: Ended(1 if key.step == "bad" else 0),
    )
    world.drive()
    return world


def guarded() -> World:
    world = World(
        plan_of(step("a", guard=(probe(name="disk"), probe(name="peers"))), manual("hold")),
        answering=lambda *_: Verdict.DOES_NOT_HOLD,
    )
    world.drive()
    return world


def test_a_claimed_step_is_retried_by_nobody_else() -> None:
    world = failed()
    world.ask("claim", "ada", step="bad")
    found = world.ask("retry", "simon", step="bad")
    assert isinstance(found, Denied)
    assert found.why.startswith("ada has bad: talk to them")


@pytest.mark.parametrize("kind", ["skip", "mark-done"])
def test_a_claimed_step_is_overridden_by_nobody_else(kind: str) -> None:
    world = failed()
    world.ask("claim", "ada", step="bad")
    assert isinstance(world.ask(kind, "simon", step="bad", reason="x"), Denied)


def test_whoever_has_claimed_a_step_may_retry_it() -> None:
    world = failed()
    world.ask("claim", "ada", step="bad")
    assert isinstance(world.ask("retry", "ada", step="bad"), Granted)


def two_failed() -> World:
    """Both targets of `a` have failed."""
    plan = plan_of(step("a", for_each=["x", "y", "z"], max_failures=Share(1)), manual("hold"))
    world = World(plan, acting=lambda key, _: Ended(0 if key.target == "z" else 1))
    world.drive()
    return world


def test_one_of_several_failed_targets_can_be_tried_again_alone() -> None:
    world = two_failed()
    world.acting = lambda *_: Ended(0)
    world.ask("retry", step="a@x")
    world.drive()
    assert (world.target("a", "x").status, world.target("a", "y").status) == ("passed", "failed")


def test_a_failed_target_that_a_person_marked_done_excuses_no_later_failure() -> None:
    plan = plan_of(step("a", for_each=["x", "y", "z"]), manual("hold"))
    world = World(plan, acting=lambda *_: Ended(1), max_parallel=1)
    world.drive()
    world.ask("retry", step="a@y")
    world.ask("retry", step="a@z")
    world.ask("mark-done", step="a@x", reason="by hand")
    world.drive()
    assert (world.target("a", "y").status, world.target("a", "z").status) == (
        "failed",
        "cancelled",
    )


@pytest.mark.parametrize(("only", "acted"), [(True, 1), (False, 3)])
def test_only_failed_leaves_out_what_was_never_begun(only: bool, acted: int) -> None:
    plan = plan_of(step("a", for_each=["x", "y", "z"], batch=(Share(1),)), manual("hold"))
    world = World(plan, acting=lambda *_: Ended(1))
    world.drive()
    world.acting = lambda *_: Ended(0)
    world.ask("retry", step="a", only_failed=only)
    world.drive()
    assert sum(attempt == 2 or key.target != "x" for key, attempt in world.effects) == acted


def test_asking_twice_for_a_retry_makes_one_more_attempt() -> None:
    world = failed()
    for who in ("simon", "ada"):
        world.ask("retry", who, step="bad")
    world.drive()
    assert world.target("bad").attempt == 2


def test_a_guard_that_a_person_bypasses_is_not_asked() -> None:
    world = guarded()
    world.answering = lambda *_: Verdict.HOLDS
    asked = world.asked.total()
    world.ask("retry", step="a", bypass_guard="disk", reason="it is a log partition")
    world.drive()
    assert (world.asked.total() - asked, world.target("a").status) == (1, "passed")


def test_another_guard_still_holds_the_step_up() -> None:
    world = guarded()
    world.ask("retry", step="a", bypass_guard="disk", reason="it is a log partition")
    assert (statuses(world.drive(), "a"), world.effects) == (["failed"], {})


def test_bypassing_a_guard_lets_no_verification_of_that_name_pass() -> None:
    disk = (probe(name="disk"),)
    world = World(
        plan_of(step("a", guard=disk, verify=disk), manual("hold")),
        answering=lambda *_: Verdict.DOES_NOT_HOLD,
    )
    world.drive()
    world.ask("retry", step="a", bypass_guard="disk", reason="it is a log partition")
    assert (statuses(world.drive(), "a"), world.effects.total()) == (["failed"], 1)


def test_a_guard_is_bypassed_once() -> None:
    world = guarded()
    world.answering = lambda *_: Verdict.HOLDS
    world.acting = lambda *_: Ended(1)
    world.ask("retry", step="a", bypass_guard="disk", reason="it is a log partition")
    world.drive()
    asked = world.asked.total()
    world.ask("retry", step="a")
    world.drive()
    assert world.asked.total() - asked == 2


def test_bypassing_a_guard_that_does_not_exist_names_those_that_do() -> None:
    found = guarded().ask("retry", step="a", bypass_guard="disc", reason="x")
    assert found == Denied("a has no guard 'disc': disk, peers")


def test_bypassing_a_guard_wants_a_reason() -> None:
    found = guarded().ask("retry", step="a", bypass_guard="disk")
    assert isinstance(found, Denied)
    assert "--reason" in found.why


def test_what_runs_is_not_overridden_behind_its_back() -> None:
    world = World(plan_of(step("a")))
    world.obey_all()
    found = world.ask("mark-done", step="a", reason="I did it")
    assert found == Denied("a is running: wait, or abort the run")


@pytest.mark.faults(57)
def test_what_runs_on_a_host_that_is_not_seen_may_be_given_up() -> None:
    world = World(plan_of(step("a"), manual("hold")))
    world.obey_all()
    world.record(ev.ContactMissed(step="a", target="local", attempt=1, silent=60))
    world.ask("skip", step="a", reason="the host burns")
    assert statuses(world.drive(), "a") == ["skipped"]


def test_an_unknown_attempt_may_be_marked_as_done() -> None:
    world = World(plan_of(step("a")), acting=lambda *_: OutcomeUnknown("cut"))
    world.drive()
    world.ask("mark-done", step="a", reason="looked")
    assert statuses(world.drive(), "a") == ["passed"]


def test_marking_some_targets_done_leaves_the_passed_ones_alone() -> None:
    world = World(plan_of(step("a", for_each=["x", "y"]), manual("hold")))
    world.acting = lambda key, _: Ended(1 if key.target == "y" else 0)
    world.drive()
    world.ask("mark-done", step="a", reason="did y by hand")
    marked = [each.target for _, each in world.journal if isinstance(each, ev.TargetMarked)]
    assert marked == ["y"]


def test_what_another_failure_blocks_stays_blocked_after_a_retry() -> None:
    plan = plan_of(step("a"), step("b"), step("c", "a", "b"), manual("hold"))
    world = World(plan, acting=lambda *_: Ended(1))
    world.drive()
    world.acting = lambda *_: Ended(0)
    world.ask("retry", step="a")
    assert statuses(world.drive(), "c") == ["blocked"]


def test_a_retry_of_what_paused_the_run_waits_for_the_pause_to_end() -> None:
    world = failed(on_failure=OnFailure.PAUSE)
    world.acting = lambda *_: Ended(0)
    world.ask("retry", step="bad")
    held = statuses(world.drive(), "bad")
    world.ask("unpause")
    assert (held, statuses(world.drive(), "bad")) == (["pending"], ["passed"])
