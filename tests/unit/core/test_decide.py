"""The scheduler's promises, with plain values."""

import pytest

from drrun.core import events as ev
from drrun.core.model.ids import LOCAL, TargetKey
from drrun.core.model.inventory import Host, Inventory
from drrun.core.model.outcomes import Ended, NeverStarted, OutcomeUnknown, TimedOut
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.runbook import Estimate, OnFailure, OnUnknown, Retry, RetryCause
from drrun.core.model.status import RunStatus, Status
from drrun.core.model.values import Duration, Share
from drrun.core.rules import wishes as w
from tests.unit.core.worlds import Acting, World, manual, plan_of, probe, statuses, step


def failing(*names: str) -> Acting:
    return lambda key, _attempt: Ended(1 if key.step in names else 0)


def test_a_chain_of_steps_passes_in_order() -> None:
    world = World(plan_of(step("a"), step("b", "a"), step("c", "b")))
    world.drive()
    begun = [event.step for _, event in world.journal if isinstance(event, ev.TargetBegan)]
    assert begun == ["a", "b", "c"]


def test_a_run_whose_steps_all_passed_has_succeeded() -> None:
    world = World(plan_of(step("a"), step("b", "a")))
    assert world.drive().ended is RunStatus.SUCCEEDED


def test_independent_steps_are_in_the_air_together() -> None:
    world = World(plan_of(*(step(name) for name in "abc")))
    world.drive()
    assert world.most_in_air == 3


def test_max_parallel_is_never_exceeded() -> None:
    world = World(plan_of(*(step(f"s{n}") for n in range(20))), max_parallel=4)
    world.drive()
    assert world.most_in_air == 4


def test_a_failed_step_blocks_what_needs_it_and_nothing_else() -> None:
    plan = plan_of(step("a"), step("b", "a"), step("c", "b"), step("d"))
    state = World(plan, acting=failing("a")).drive()
    assert statuses(state) == ["failed", "blocked", "blocked", "passed"]


def test_exit_0_with_a_failing_verify_is_a_failure() -> None:
    world = World(
        plan_of(step("a", verify=(probe(),))),
        answering=lambda *_: Verdict.DOES_NOT_HOLD,
    )
    assert statuses(world.drive(), "a") == ["failed"]


def test_verify_that_could_not_tell_is_unknown_and_asks_a_person() -> None:
    world = World(
        plan_of(step("a", verify=(probe(),))), answering=lambda *_: Verdict.COULD_NOT_TELL
    )
    state = world.drive()
    gate = state.targets[next(state.keys(world.plan.order[0]))].gate
    assert (statuses(state, "a"), gate and gate.kind) == (["unknown"], "unknown")


def test_a_guard_that_does_not_hold_starts_no_action() -> None:
    world = World(plan_of(step("a", guard=(probe(),))), answering=lambda *_: Verdict.DOES_NOT_HOLD)
    world.drive()
    assert not world.effects


def test_a_guard_that_could_not_tell_starts_no_action() -> None:
    world = World(
        plan_of(step("a", guard=(probe(),))), answering=lambda *_: Verdict.COULD_NOT_TELL
    )
    world.drive()
    assert not world.effects


def test_what_is_done_already_passes_without_acting() -> None:
    world = World(plan_of(step("a", done_when=(probe(),))))
    state = world.drive()
    target = state.targets[next(state.keys(world.plan.order[0]))]
    assert (target.status, target.already, world.effects) == (Status.PASSED, True, {})


def test_when_nobody_can_tell_whether_it_is_done_nothing_is_done() -> None:
    world = World(
        plan_of(step("a", done_when=(probe(),))), answering=lambda *_: Verdict.COULD_NOT_TELL
    )
    state = world.drive()
    assert (statuses(state, "a"), world.effects) == (["failed"], {})


def test_a_retry_acts_again_until_it_passes() -> None:
    world = World(
        plan_of(step("a", retry=Retry(attempts=3))),
        acting=lambda _key, attempt: Ended(0 if attempt == 3 else 1),
    )
    state = world.drive()
    assert (statuses(state, "a"), len(world.effects)) == (["passed"], 3)


def test_retries_end_when_the_attempts_are_used_up() -> None:
    world = World(plan_of(step("a", retry=Retry(attempts=3))), acting=failing("a"))
    state = world.drive()
    assert (statuses(state, "a"), len(world.effects)) == (["failed"], 3)


def test_a_cause_that_is_not_listed_is_not_retried() -> None:
    retry = Retry(attempts=3, on=(RetryCause.VERIFY,))
    world = World(plan_of(step("a", retry=retry)), acting=failing("a"))
    world.drive()
    assert len(world.effects) == 1


def test_an_unreachable_host_is_retried() -> None:
    world = World(
        plan_of(step("a", retry=Retry(attempts=2))),
        acting=lambda _key, attempt: NeverStarted("no route") if attempt == 1 else Ended(0),
    )
    assert statuses(world.drive(), "a") == ["passed"]


def test_a_wrong_key_is_not_retried() -> None:
    world = World(
        plan_of(step("a", retry=Retry(attempts=5))),
        acting=lambda *_: NeverStarted("key refused", final=True),
    )
    world.drive()
    assert len(world.effects) == 1


def test_lost_contact_is_unknown_and_never_failed() -> None:
    world = World(plan_of(step("a"), step("b", "a")), acting=lambda *_: OutcomeUnknown("cut"))
    assert statuses(world.drive()) == ["unknown", "pending"]


def test_after_lost_contact_a_verify_that_holds_passes_the_step() -> None:
    world = World(plan_of(step("a", verify=(probe(),))), acting=lambda *_: OutcomeUnknown("cut"))
    state = world.drive()
    target = state.targets[TargetKey(world.plan.order[0], LOCAL)]
    assert (target.status, target.note) == (Status.PASSED, "found done after contact was lost")


@pytest.mark.faults(23)
def test_after_lost_contact_a_verify_that_does_not_hold_asks_and_acts_no_more() -> None:
    world = World(
        plan_of(step("a", verify=(probe(),))),
        acting=lambda *_: OutcomeUnknown("cut"),
        answering=lambda *_: Verdict.DOES_NOT_HOLD,
    )
    state = world.drive()
    assert (statuses(state, "a"), len(world.effects)) == (["unknown"], 1)


def test_lost_contact_is_not_retried_even_where_retries_are_left() -> None:
    world = World(
        plan_of(step("a", retry=Retry(attempts=5))), acting=lambda *_: OutcomeUnknown("cut")
    )
    world.drive()
    assert len(world.effects) == 1


def test_on_unknown_rerun_acts_again() -> None:
    world = World(
        plan_of(step("a", on_unknown=OnUnknown.RERUN)),
        acting=lambda _key, attempt: OutcomeUnknown("cut") if attempt == 1 else Ended(0),
    )
    state = world.drive()
    assert (statuses(state, "a"), len(world.effects)) == (["passed"], 2)


def test_a_time_out_whose_processes_may_live_is_unknown() -> None:
    world = World(plan_of(step("a")), acting=lambda *_: TimedOut(gone=False))
    assert statuses(world.drive(), "a") == ["unknown"]


def test_a_time_out_whose_processes_are_gone_is_a_failure() -> None:
    world = World(plan_of(step("a")), acting=lambda *_: TimedOut(gone=True))
    assert statuses(world.drive(), "a") == ["failed"]


def test_one_of_several_needs_suffices() -> None:
    plan = plan_of(step("a"), step("b"), step("c", ("a", "b")))
    state = World(plan, acting=failing("a")).drive()
    assert statuses(state) == ["failed", "passed", "passed"]


def test_on_failure_continue_lets_dependents_go_on() -> None:
    plan = plan_of(step("a", on_failure=OnFailure.CONTINUE), step("b", "a"))
    state = World(plan, acting=failing("a")).drive()
    assert (statuses(state), state.ended) == (["failed", "passed"], RunStatus.FAILED)


def test_on_failure_pause_begins_nothing_more() -> None:
    plan = plan_of(step("a", on_failure=OnFailure.PAUSE), step("b"), step("c", "b"))
    state = World(plan, acting=failing("a"), max_parallel=1).drive()
    assert (bool(state.paused), statuses(state, "c")) == (True, ["pending"])


def test_on_failure_abort_cancels_what_has_not_begun() -> None:
    plan = plan_of(step("a", on_failure=OnFailure.ABORT), step("b"), step("c", "b"))
    state = World(plan, acting=failing("a"), max_parallel=1).drive()
    assert (state.ended, statuses(state, "c")) == (RunStatus.ABORTED, ["cancelled"])


def test_a_lock_is_held_by_one_step_at_a_time() -> None:
    plan = plan_of(*(step(name, locks=("db",)) for name in "abc"), locks={"db": 1})
    world = World(plan)
    world.drive()
    assert world.most_in_air == 1


def test_a_counting_lock_is_held_by_so_many_steps() -> None:
    plan = plan_of(*(step(name, locks=("db",)) for name in "abcd"), locks={"db": 2})
    world = World(plan)
    world.drive()
    assert world.most_in_air == 2


def test_a_person_is_waited_for_while_other_branches_go_on() -> None:
    world = World(plan_of(manual("a"), step("b", "a"), step("c")))
    assert statuses(world.drive()) == ["waiting", "pending", "passed"]


def test_the_longest_path_begins_first() -> None:
    from drrun.core.model.runbook import Estimate

    def takes(seconds: float) -> Estimate:
        return Estimate(Duration(seconds), Duration(seconds))

    plan = plan_of(
        step("short", estimate=takes(1)),
        step("long", estimate=takes(5)),
        step("after", "long", estimate=takes(100)),
    )
    world = World(plan, max_parallel=1)
    world.drive()
    begun = [event.step for _, event in world.journal if isinstance(event, ev.TargetBegan)]
    assert begun == ["long", "after", "short"]


def test_a_canary_that_fails_keeps_the_others_from_beginning() -> None:
    items = ["a", "b", "c", "d"]
    plan = plan_of(step("s", for_each=items, batch=(Share(1), Share(100, percent=True))))
    world = World(plan, acting=failing("s"))
    state = world.drive()
    counts = state.counts(plan.order[0])
    assert counts == {Status.FAILED: 1, Status.CANCELLED: 3}


def test_a_canary_that_fails_stops_the_others_even_where_some_failures_are_tolerated() -> None:
    batch = (Share(1), Share(100, percent=True))
    items = ["a", "b", "c", "d"]
    plan = plan_of(step("s", for_each=items, batch=batch, max_failures=Share(2)))
    state = World(plan, acting=failing("s")).drive()
    assert state.counts(plan.order[0]) == {Status.FAILED: 1, Status.CANCELLED: 3}


def test_a_step_whose_canary_failed_is_failed_and_on_failure_applies_to_it() -> None:
    """The night's list: it was cancelled, and nothing was said to have failed."""
    batch = (Share(1), Share(100, percent=True))
    items = ["a", "b", "c", "d"]
    for tolerated in (0, 2):
        wide = step(
            "s",
            for_each=items,
            batch=batch,
            max_failures=Share(tolerated),
            on_failure=OnFailure.CONTINUE,
        )
        world = World(plan_of(wide, step("t", "s")), acting=failing("s"))
        assert statuses(world.drive()) == ["failed", "passed"]


def test_a_canary_is_waited_for_whatever_becomes_of_those_behind_it() -> None:
    batch = (Share(1), Share(100, percent=True))
    inventory = Inventory(hosts={name: Host(name) for name in ("db1", "db2", "db3")})
    plan = plan_of(step("s", on=("db1", "db2", "db3"), batch=batch), inventory=inventory)
    world = World(plan)
    world.ask("lost", thing="host:db3", reason="it burns")
    world.obey_all()
    assert [each.key.target for each in world.air] == ["db1"]


def test_tolerated_failures_do_not_fail_the_step() -> None:
    plan = plan_of(step("s", for_each=["a", "b", "c", "d"], max_failures=Share(1)), step("t", "s"))
    world = World(plan, acting=lambda key, _n: Ended(1 if key.target == "b" else 0))
    assert statuses(world.drive()) == ["passed", "passed"]


def test_a_probe_is_polled_until_it_holds() -> None:
    world = World(
        plan_of(step("a", verify=(probe(within=Duration(60), every=Duration(5)),))),
        answering=lambda _key, _purpose, times: (
            Verdict.HOLDS if times >= 3 else Verdict.DOES_NOT_HOLD
        ),
    )
    state = world.drive()
    assert (statuses(state, "a"), world.asked.total()) == (["passed"], 4)


def test_polling_ends_when_its_time_is_over() -> None:
    world = World(
        plan_of(step("a", verify=(probe(within=Duration(20), every=Duration(5)),))),
        answering=lambda *_: Verdict.DOES_NOT_HOLD,
    )
    state = world.drive()
    assert (statuses(state, "a"), world.asked.total()) == (["failed"], 5)


def test_a_probe_that_does_not_stay_stable_does_not_hold() -> None:
    world = World(
        plan_of(step("a", verify=(probe(stable_for=Duration(10), every=Duration(2)),))),
        answering=lambda _key, _purpose, times: (
            Verdict.DOES_NOT_HOLD if times == 2 else Verdict.HOLDS
        ),
    )
    assert statuses(world.drive(), "a") == ["failed"]


@pytest.mark.parametrize("answer", ["confirm", "reject"])
def test_a_persons_word_settles_what_is_unknown(answer: str) -> None:
    world = World(plan_of(step("a")), acting=lambda *_: OutcomeUnknown("cut"))
    world.drive()
    world.record(
        ev.GateAnswered(step="a", target="local", gate="unknown", answer=answer, by="drew")
    )
    expected = {"confirm": "passed", "reject": "failed"}[answer]
    assert statuses(world.drive(), "a") == [expected]


def test_resuming_a_failed_run_tries_failed_steps_again_and_no_others() -> None:
    plan = plan_of(step("a"), step("b", "a"), step("c", "b"))
    world = World(plan, acting=failing("b"))
    world.drive()
    world.acting = lambda *_: Ended(0)
    world.record(ev.RunResumed(by="drew"))
    state = world.drive()
    assert (state.ended, [n for (k, _), n in world.effects.items() if k.step == "a"]) == (
        RunStatus.SUCCEEDED,
        [1],
    )


def test_asking_for_purposes_covers_all_of_them() -> None:
    from drrun.core.rules.probe_lists import probes_of

    one = step("a", guard=(probe("g"),), done_when=(probe("d"),), verify=(probe("v"),))
    found = {purpose: [p.question for p in probes_of(one, purpose)] for purpose in Purpose}
    assert found == {
        Purpose.GUARD: ["g"],
        Purpose.DONE_WHEN: ["d"],
        Purpose.UNTIL: [],
        Purpose.VERIFY: ["v"],
        Purpose.RECONCILE: ["v"],
        Purpose.UNDONE: ["v"],
        Purpose.WATCH: [],
    }


def slow(**keys: object) -> World:
    """A step on db1 whose attempt is in the air, and has not begun there."""
    inventory = Inventory(hosts={"db1": Host("db1")})
    world = World(plan_of(step("a", on=("db1",), **keys), inventory=inventory))
    world.obey_all()
    return world


def test_connecting_is_not_the_time_of_a_step() -> None:
    world = slow(timeout=Duration(5), on_timeout="ask", estimate=None)
    world.now += 60
    assert world.decide().wishes == []


def test_a_step_that_asks_when_its_time_is_over_counts_from_when_it_began() -> None:
    world = slow(timeout=Duration(5), on_timeout="ask")
    world.now += 60
    world.record(ev.AttemptStarted(step="a", target="db1", attempt=1))
    assert (world.decide().wishes, world.decide().wake_at) == ([], world.now + 5)
    world.now += 5
    (wish,) = world.decide().wishes
    assert (type(wish).__name__, getattr(wish, "kind", "")) == ("OpenGate", "late")


def test_an_attempt_is_late_counted_from_when_it_began() -> None:
    world = slow(estimate=Estimate(Duration(1), Duration(2)))
    world.now += 60
    world.record(ev.AttemptStarted(step="a", target="db1", attempt=1))
    assert world.decide().wishes == []
    world.now += 2
    late = ev.AttemptLate(step="a", target="db1", attempt=1, p90=2.0)
    assert world.decide().wishes == [w.Record(late)]


def test_a_host_without_room_holds_up_no_step_on_another() -> None:
    inventory = Inventory(hosts={name: Host(name) for name in ("db1", "db2")})
    first = [step(f"s{n}", on=("db1",)) for n in range(5)]
    world = World(
        plan_of(*first, step("other", on=("db2",)), inventory=inventory), sessions={"db1": 2}
    )
    world.obey_all()
    assert sorted(world.air.values()) == ["db1", "db1", "db2"]
    assert len(world.state.active) == 3


def test_a_full_host_holds_up_no_question_to_a_person() -> None:
    inventory = Inventory(hosts={"db1": Host("db1")})
    asks = step("asks", on=("db1",), approval={"role": "dba"})
    world = World(plan_of(step("a", on=("db1",)), asks, inventory=inventory), sessions={"db1": 1})
    world.obey_all()
    gates = [key.step for key, target in world.state.targets.items() if target.gate]
    assert gates == ["asks"]
