"""The way back: passed steps are undone in reverse, and people know what cannot be."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.ids import TargetKey
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown
from drrun.core.model.probes import Probe, ProbeKind, Purpose, Verdict
from drrun.core.model.runbook import OnFailure, OnUnknown, Step
from drrun.core.model.status import RunStatus
from drrun.core.people.consider import Denied, Granted
from drrun.core.rules.endings import ExceptionKind, exceptions_of
from tests.unit.core.worlds import World, manual, plan_of, probe, stand_in, statuses, step, wait


def undoable(name: str, *needs: str, **keys: object) -> Step:
    undo = stand_in(f"undo {name}", verify=(probe("gone?"),))
    return step(name, *needs, undo=undo, **keys)


def rolled(*steps: Step, **world: object) -> World:
    """All steps have passed, a person waits, and the run is rolled back."""
    hold = manual("hold", *(each.id for each in steps))
    made = World(plan_of(*steps, hold), **world).start("drew")  # type: ignore[arg-type] # kwargs
    made.drive()
    found = made.ask("rollback", "simon", reason="it burns")
    assert isinstance(found, Granted), found
    made.drive()
    return made


def undone(world: World) -> list[str]:
    return [each.step for _, each in world.journal if isinstance(each, ev.UndoBegan)]


def test_steps_are_undone_in_reverse_order_of_dependency() -> None:
    world = rolled(undoable("a"), undoable("b", "a"), undoable("c", "b"))
    assert (undone(world), world.state.ended) == (["c", "b", "a"], RunStatus.ROLLED_BACK)


@given(st.data())
def test_nothing_is_undone_while_something_that_needs_it_still_stands(data: st.DataObject) -> None:
    steps: list[Step] = []
    needed: dict[str, set[str]] = {}
    for number in range(data.draw(st.integers(1, 7))):
        name, earlier = f"s{number}", [each.id for each in steps]
        needs = data.draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        make = undoable if data.draw(st.booleans()) else step
        steps.append(make(name, *needs))
        needed[name] = {*needs, *(far for near in needs for far in needed[near])}
    if all(each.undo is None for each in steps):
        return
    world = rolled(*steps)
    order = undone(world)
    for place, name in enumerate(order):
        assert not needed[name] & set(order[:place])
    assert set(order) == {each.id for each in steps if each.undo is not None}


def test_a_step_without_an_undo_stays_and_is_named() -> None:
    world = rolled(step("a"), undoable("b", "a"))
    (began,) = [each for _, each in world.journal if isinstance(each, ev.RollbackBegan)]
    assert (began.without_undo["a"], statuses(world.state, "a")) == ("it has no undo", ["passed"])


def test_why_there_is_no_undo_is_told_in_the_authors_words() -> None:
    world = rolled(step("a", undo="the tape is overwritten"), undoable("b"))
    (began,) = [each for _, each in world.journal if isinstance(each, ev.RollbackBegan)]
    assert began.without_undo["a"] == "the tape is overwritten"


def test_what_was_done_already_before_the_run_is_not_undone() -> None:
    world = rolled(undoable("a", done_when=(probe(),)), undoable("b"))
    assert undone(world) == ["b"]


def test_an_undo_that_fails_fails_the_way_back() -> None:
    world = rolled(undoable("a"), acting=lambda _, attempt: Ended(attempt - 1))
    assert (statuses(world.state, "a"), world.state.ended) == (["failed"], RunStatus.FAILED)


def test_an_undo_is_verified() -> None:
    undo = stand_in(verify=(probe("gone?"),))
    world = rolled(
        step("a", undo=undo),
        answering=lambda _, purpose, __: (
            Verdict.DOES_NOT_HOLD if purpose is Purpose.UNDONE else Verdict.HOLDS
        ),
    )
    assert statuses(world.state, "a") == ["failed"]


def seen(verdict: Verdict) -> Callable[[object, Purpose, int], Verdict]:
    """The step's verify holds after it has acted; after the undo it is seen so."""
    return lambda _, purpose, __: verdict if purpose is Purpose.UNDONE else Verdict.HOLDS


def test_an_undo_is_verified_by_the_steps_own_verify_that_no_longer_holds() -> None:
    own = step("a", verify=(probe("up?"),), undo=stand_in())
    world = rolled(own, answering=seen(Verdict.DOES_NOT_HOLD))
    assert (statuses(world.state, "a"), world.state.ended) == (
        ["rolled-back"],
        RunStatus.ROLLED_BACK,
    )


@pytest.mark.parametrize("verify", [(), (probe("up?"),)])
@pytest.mark.parametrize("verdict", [Verdict.HOLDS, Verdict.COULD_NOT_TELL])
def test_an_undo_that_nothing_shows_is_undone_and_not_verified(
    verify: tuple[Probe, ...], verdict: Verdict
) -> None:
    own = step("a", verify=verify, undo=stand_in())
    world = rolled(own, answering=seen(verdict))
    # Where nothing was written that could be asked, its author decided so.
    plain = RunStatus.ROLLED_BACK
    assert world.state.ended is (RunStatus.ROLLED_BACK_WITH_EXCEPTIONS if verify else plain)
    (found,) = exceptions_of(world.state)
    assert (found.kind, found.about) == (ExceptionKind.UNDONE_UNVERIFIED, "a")


def away(*names: str) -> Callable[[TargetKey, int], Outcome]:
    """The hosts of these steps cannot be reached when they are to be undone."""
    return lambda key, n: NeverStarted("no route") if n > 1 and key.step in names else Ended(0)


def test_a_host_that_cannot_be_reached_leaves_its_step_not_rolled_back_and_never_failed() -> None:
    world = rolled(undoable("a"), undoable("b", "a"), undoable("c"), acting=away("b"))
    assert statuses(world.state, "a", "b", "c") == ["passed", "passed", "rolled-back"]
    assert world.state.ended is RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
    assert [(each.about, each.why) for each in exceptions_of(world.state)] == [
        ("b", "no route"),
        ("a", "b, which needs it, is not rolled back"),
    ]


def test_what_was_not_rolled_back_is_undone_by_the_next_rollback() -> None:
    world = rolled(undoable("a"), undoable("b", "a"), acting=away("b"))
    world.acting = lambda *_: Ended(0)
    world.ask("rollback", "simon", reason="it is back")
    assert world.drive().ended is RunStatus.ROLLED_BACK
    assert statuses(world.state, "a", "b") == ["rolled-back", "rolled-back"]


def test_what_lies_under_an_undo_that_failed_stays_and_the_way_back_ends() -> None:
    world = rolled(
        undoable("a"),
        undoable("b", "a"),
        acting=lambda key, n: Ended(1 if n > 1 and key.step == "b" else 0),
    )
    assert (statuses(world.state, "a", "b"), world.state.ended) == (
        ["passed", "failed"],
        RunStatus.FAILED,
    )


def test_nothing_contacts_a_lost_host_to_undo_what_was_done_there() -> None:
    hosts = Inventory(hosts={"h0": Host("h0")})
    hold = manual("hold", "a")
    world = World(plan_of(undoable("a", on=("h0",)), hold, inventory=hosts)).start("drew")
    world.drive()
    world.record(ev.Lost(thing="host:h0", why="fire", by="drew"))
    world.ask("rollback", "simon", reason="it burns")
    assert world.drive().ended is RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
    assert (world.effects.total(), statuses(world.state, "a")) == (1, ["passed"])


def test_an_undo_of_which_nobody_knows_whether_it_worked_is_unknown() -> None:
    world = rolled(
        undoable("a"), acting=lambda _, n: OutcomeUnknown("cut") if n == 2 else Ended(0)
    )
    assert (statuses(world.state, "a"), world.state.ended) == (["unknown"], None)


@pytest.mark.parametrize("answer", ["confirm", "reject"])
def test_a_person_says_what_became_of_an_undo_and_it_is_not_made_again(answer: str) -> None:
    world = rolled(
        undoable("a", verify=(probe(),), on_unknown=OnUnknown.RERUN),
        acting=lambda _, n: OutcomeUnknown("cut") if n == 2 else Ended(0),
    )
    world.ask(answer, step="a")
    world.drive()
    becomes = {"confirm": "rolled-back", "reject": "failed"}[answer]
    assert (statuses(world.state, "a"), world.effects.total()) == ([becomes], 2)


def test_an_undo_is_never_retried_by_itself() -> None:
    from drrun.core.model.runbook import Retry

    world = rolled(
        undoable("a", retry=Retry(attempts=5)), acting=lambda _, attempt: Ended(attempt - 1)
    )
    assert world.effects.total() == 2


def test_a_person_may_undo_a_step_by_hand() -> None:
    from drrun.core.model.actions import ManualAction
    from drrun.core.model.runbook import StandIn

    world = rolled(step("a", undo=StandIn(ManualAction("put the cable back"))))
    gate = world.target("a").gate
    world.ask("confirm", step="a")
    assert (gate and gate.kind, statuses(world.drive(), "a")) == ("manual", ["rolled-back"])


def test_what_runs_comes_to_its_end_before_anything_is_undone() -> None:
    world = World(plan_of(undoable("a"), undoable("b", "a"))).start()
    world.obey_all()
    world.land(next(iter(world.air)))
    world.obey_all()
    world.ask("rollback", reason="it burns")
    world.obey_all()
    before = undone(world)
    world.drive()
    assert (before, undone(world)) == ([], ["b", "a"])


@pytest.mark.parametrize("how", [{"for": 5}, {"until": (probe(),)}])
def test_the_undo_of_a_wait_is_executed_and_can_be_aborted(how: dict[str, object]) -> None:
    waited = replace(wait("a", **how), undo=stand_in())
    world = World(plan_of(waited, manual("hold")))
    world.drive()
    world.ask("rollback", reason="it burns")
    world.obey_all()
    acting = len(world.air)
    world.ask("abort", reason="stop")
    world.drive()
    assert (acting, world.effects.total(), world.state.ended) == (1, 1, RunStatus.ABORTED)


def test_undoing_respects_locks() -> None:
    pair = undoable("a", for_each=["x", "y"], locks=("db",))
    world = World(plan_of(pair, manual("hold"), locks={"db": 1}))
    world.drive()
    world.most_in_air = 0
    world.ask("rollback", reason="it burns")
    world.drive()
    assert (world.most_in_air, statuses(world.state, "a")) == (1, ["rolled-back"])


def test_what_acted_and_waits_for_a_look_is_looked_at_before_anything_is_undone() -> None:
    looked = undoable("b", verify=(probe("seen?", kind=ProbeKind.ASK),))
    world = World(plan_of(undoable("a"), looked))
    world.drive()
    world.ask("rollback", reason="it burns")
    world.drive()
    before = undone(world)
    world.ask("confirm", step="b")
    world.drive()
    assert (before, sorted(undone(world))) == ([], ["a", "b"])


def test_what_has_not_begun_is_cancelled_by_a_rollback() -> None:
    world = rolled(undoable("a"))
    assert statuses(world.state, "hold") == ["cancelled"]


def test_a_failed_step_may_take_everything_back() -> None:
    plan = plan_of(undoable("a"), step("bad", "a", on_failure=OnFailure.ROLLBACK))
    world = World(plan, acting=lambda key, _: Ended(1 if key.step == "bad" else 0))
    world.drive()
    assert (undone(world), world.state.ended) == (["a"], RunStatus.ROLLED_BACK)


def test_a_failed_step_pauses_where_there_is_no_way_back() -> None:
    plan = plan_of(
        undoable("a"),
        step("cut", "a", irreversible=True),
        step("bad", "cut", on_failure=OnFailure.ROLLBACK),
    )
    world = World(plan, acting=lambda key, _: Ended(1 if key.step == "bad" else 0))
    world.start(allow_irreversible=["cut"]).drive()
    assert (world.state.paused, undone(world)) == (
        "step bad failed (exit 1), and cut cannot be taken back",
        [],
    )


def test_where_nothing_can_be_undone_a_failed_step_only_fails() -> None:
    world = World(plan_of(step("bad", on_failure=OnFailure.ROLLBACK)), acting=lambda *_: Ended(1))
    assert world.drive().ended is RunStatus.FAILED


def past_the_point() -> World:
    world = World(plan_of(undoable("a"), step("cut", irreversible=True), manual("hold")))
    world.start("drew", allow_irreversible=["cut"]).drive()
    return world


def test_past_the_point_of_no_return_the_runbooks_name_must_be_typed() -> None:
    found = past_the_point().ask("rollback", "simon", reason="x")
    assert isinstance(found, Denied)
    assert "drrun rollback RUN --type test" in found.why


def test_past_the_point_of_no_return_whoever_drives_cannot_insist_alone() -> None:
    found = past_the_point().ask("rollback", "drew", reason="x", typed="test")
    assert isinstance(found, Denied)
    assert "only a second person may roll back" in found.why


def test_past_the_point_of_no_return_a_second_person_may_insist() -> None:
    world = past_the_point()
    world.ask("rollback", "simon", reason="x", typed="test")
    world.drive()
    assert undone(world) == ["a"]


def test_where_nothing_has_passed_there_is_nothing_to_undo() -> None:
    world = World(plan_of(manual("hold")))
    world.drive()
    found = world.ask("rollback", reason="x")
    assert found == Denied("nothing that has passed can be undone")


def test_a_run_is_rolled_back_once() -> None:
    world = rolled(undoable("a"))
    found = world.ask("rollback", reason="again")
    assert found == Granted([], "rolling back already: it burns")


def fails_once(name: str) -> Callable[[TargetKey, int], Outcome]:
    """The first undo of a step fails, and the next works."""
    return lambda key, n: Ended(int(n == 2 and key.step == name))


def test_a_rollback_tries_an_undo_that_failed_again_and_goes_on_behind_it() -> None:
    world = rolled(undoable("a"), undoable("b", "a"), acting=fails_once("b"))
    assert isinstance(world.ask("rollback", "simon", reason="again"), Granted)
    assert world.drive().ended is RunStatus.ROLLED_BACK
    assert undone(world) == ["b", "b", "a"]


def test_what_a_person_undid_by_hand_is_not_undone_again_and_the_way_back_goes_on() -> None:
    world = rolled(undoable("a"), undoable("b", "a"), acting=fails_once("b"))
    assert isinstance(world.ask("mark-done", "simon", step="b", reason="I dropped it"), Granted)
    world.record(ev.RunResumed(by="simon"))
    world.drive()
    assert (undone(world), statuses(world.state, "a", "b")) == (
        ["b", "a"],
        ["rolled-back", "rolled-back"],
    )
    assert world.state.ended is RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
    (found,) = exceptions_of(world.state)
    assert (found.kind, found.about, found.by) == (ExceptionKind.MARKED_UNDONE, "b", "simon")


@pytest.mark.parametrize("request_", ["skip", "retry"])
def test_a_failed_undo_is_neither_skipped_nor_retried_but_rolled_back_again(request_: str) -> None:
    world = rolled(undoable("a"), undoable("b", "a"), acting=fails_once("b"))
    found = world.ask(request_, "simon", step="b", reason="on with it")
    assert isinstance(found, Denied)
    assert "drrun rollback RUN" in found.why
    assert "drrun mark-done RUN b" in found.why


@pytest.mark.parametrize("request_", ["skip", "retry", "mark-done"])
def test_a_run_that_was_rolled_back_takes_no_request_that_cannot_help(request_: str) -> None:
    world = rolled(undoable("a"), undoable("b", "a"), acting=away("b"))
    found = world.ask(request_, "simon", step="hold", reason="on with it")
    assert isinstance(found, Denied)
    assert "drrun rollback RUN" in found.why


@pytest.mark.parametrize("lost_first", [True, False])
def test_an_undo_meant_for_a_lost_host_is_never_executed_on_the_controller(
    lost_first: bool,
) -> None:
    hosts = Inventory(hosts={"h0": Host("h0")})
    other = undoable("a", on=("h0",), when_lost=stand_in("other"))
    world = World(plan_of(other, manual("hold", "a"), inventory=hosts)).start("drew")
    if not lost_first:
        world.drive()
    world.record(ev.Lost(thing="host:h0", why="fire", by="drew"))
    world.drive()
    world.ask("rollback", "simon", reason="it burns")
    assert world.drive().ended is RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
    assert (undone(world), statuses(world.state, "a")) == ([], ["passed"])
