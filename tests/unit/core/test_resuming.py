"""What a later controller goes on with: attempts left behind, hosts, people, what was watched."""

import pytest

from drrun.core import events as ev
from drrun.core.model.errors import IllegalMove
from drrun.core.model.ids import LOCAL, StepId, TargetKey
from drrun.core.model.outcomes import Ended, OutcomeUnknown, Stopped
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.seat import Seat
from drrun.core.people.seats import barred_by_driving, not_in_roles, seat_taken
from drrun.core.rules import wishes as w
from drrun.core.rules.capacity import Capacity, InFlight
from drrun.core.state.reached import UNKNOWN
from drrun.core.state.secrecy import withheld
from tests.unit.core.worlds import (
    World,
    manual,
    plan_of,
    probe,
    stand_in,
    statuses,
    step,
    two_sites,
)

A = TargetKey(StepId("a"), LOCAL)
ON_DB1 = TargetKey(StepId("a"), two_sites().hosts["db1"].name)  # type: ignore[arg-type] # a name


def acting(on: tuple[str, ...] = (), **keys: object) -> World:
    """`a` is in flight."""
    world = World(plan_of(step("a", on=on, **keys), manual("hold"), inventory=two_sites()))
    world.start("drew")
    took(world, 1)
    world.obey_all()
    return world


def took(world: World, epoch: int, **more: object) -> None:
    """A controller takes the run."""
    event = ev.ControllerTook(
        epoch=epoch, holder="root@laptop", host="laptop", pid=1, tool="", meets=True,
        **more,  # type: ignore[arg-type] # kwargs
    )  # fmt: skip
    world.record(event)


def reached(world: World, host: str, boot: str, ahead: float | None = None) -> None:
    world.record(ev.HostReached(host=host, boot=boot, ahead=ahead))


def test_an_attempt_that_was_left_behind_is_looked_for_and_never_started_again() -> None:
    world = acting()
    world.resume()
    assert world.decide().wishes == [w.Reconcile(A)]


def test_an_attempt_that_was_left_behind_waits_for_a_place_on_its_host() -> None:
    world = acting(("db1",))
    world.resume()
    world.sessions = {"db1": 0}
    assert world.decide().wishes == []


def test_resuming_looks_again_for_an_attempt_that_may_live_on() -> None:
    world = World(plan_of(step("a")), acting=lambda *_: OutcomeUnknown("cut"))
    world.drive()
    world.record(ev.RunResumed(by="drew"))
    assert (statuses(world.state, "a"), world.decide().wishes) == (["running"], [w.Reconcile(A)])


def test_resuming_looks_again_where_only_the_verification_could_not_tell() -> None:
    world = World(
        plan_of(step("a", verify=(probe(),))), answering=lambda *_: Verdict.COULD_NOT_TELL
    )
    world.drive()
    world.answering = lambda *_: Verdict.HOLDS
    world.record(ev.RunResumed(by="drew"))
    world.drive()
    assert (statuses(world.state, "a"), world.effects.total()) == (["passed"], 1)


def test_resuming_an_aborted_run_goes_on_with_what_was_cancelled() -> None:
    world = acting()
    world.ask("abort", reason="enough")
    world.drive()
    world.record(ev.RunResumed(by="drew"))
    world.drive()
    world.ask("confirm", step="hold")
    assert statuses(world.drive()) == ["passed", "passed"]


def test_resuming_a_rollback_undoes_on_and_opens_nothing_again() -> None:
    plan = plan_of(step("a", undo=stand_in()), step("bad", "a"), manual("hold"))
    world = World(plan, acting=lambda key, _: Ended(int(key.step == "bad")))
    world.drive()
    world.ask("rollback", reason="x")
    world.record(ev.RunResumed(by="drew"))
    assert statuses(world.drive()) == ["rolled-back", "failed", "cancelled"]


def test_an_attempt_that_could_not_be_ended_stays_unknown() -> None:
    world = acting()
    world.ask("abort", reason="enough")
    world.obey_all()
    world.record(ev.AttemptStopped(step="a", target="local", attempt=1, gone=False))
    assert statuses(world.state, "a") == ["unknown"]


def test_a_host_that_is_seen_again_is_missing_no_more() -> None:
    world = acting()
    world.record(ev.ContactMissed(step="a", target="local", attempt=1, silent=60))
    missed = world.target("a").missing_since
    world.record(ev.ContactFound(step="a", target="local", attempt=1, after=90))
    assert (missed, world.target("a").missing_since) == (world.now - 60, None)


def test_an_attempt_can_have_been_asked_for_since_the_boot_on_which_its_host_was_reached() -> None:
    world = acting(("db1",))
    before = dict(world.state.reached.asked_on)
    reached(world, "db1", "boot-1")
    reached(world, "db1", "boot-2")
    assert (before, world.state.reached.asked_on) == ({ON_DB1: ""}, {ON_DB1: "boot-1"})


def test_another_host_tells_nothing_of_an_attempt() -> None:
    world = acting(("db1",))
    reached(world, "db2", "boot-9")
    assert world.state.reached.asked_on == {ON_DB1: ""}


def test_after_an_older_controller_nobody_can_tell_on_which_boot_it_asked() -> None:
    world = World(plan_of(step("a")))
    world.obey_all()
    assert world.state.reached.asked_on == {A: UNKNOWN}


def test_a_clock_that_a_host_does_not_tell_measures_nothing() -> None:
    world = acting(("db1",))
    reached(world, "db1", "boot-1", None)
    assert world.state.time.hosts == {}


def test_a_host_that_was_booted_between_measures_no_jump() -> None:
    world = acting(("db1",))
    reached(world, "db1", "boot-1", 0.0)
    took(world, 2)
    reached(world, "db1", "boot-2", 500.0)
    assert [each.jump for each in world.state.time.unsure] == [None]


def test_the_host_that_measures_best_says_how_far_a_clock_jumped() -> None:
    world = acting(("db1",))
    for host in ("db1", "db2", "db3"):
        reached(world, host, "boot", 0.0)
    took(world, 2)
    for host, ahead, error in (("db1", -5.0, 1.0), ("db2", -6.0, 0.1), ("db3", -9.0, 3.0)):
        world.record(ev.HostReached(host=host, boot="boot", ahead=ahead, error=error))
    assert [each.jump for each in world.state.time.unsure] == [6.0]


def test_an_invariant_that_holds_is_known_to_have_held_since() -> None:
    world = acting()
    for verdict in (Verdict.HOLDS, Verdict.DOES_NOT_HOLD):
        world.now += 10
        world.record(ev.InvariantSeen(index=0, name="one writer", verdict=verdict, value=""))
    assert (world.state.held_at, world.state.invariants[0].verdict) == (
        {0: 1010.0},
        Verdict.DOES_NOT_HOLD,
    )


def test_a_broken_invariant_pauses_the_run() -> None:
    world = acting()
    world.record(ev.InvariantBroken(name="one writer", why="two", suspects=()))
    assert world.state.paused == "invariant 'one writer' is broken: two"


def test_a_plan_that_cannot_be_made_anew_cannot_be_amended() -> None:
    amended = ev.PlanAmended(path="x", text="x", by="drew", why="x", added=(), changed=())
    with pytest.raises(IllegalMove):
        acting().record(amended)


def test_a_watch_comes_to_no_conclusion() -> None:
    world = acting()
    concluded = ev.ProbesConcluded(
        step="a", target="local", attempt=1, purpose=Purpose.WATCH, verdict=Verdict.HOLDS
    )
    with pytest.raises(IllegalMove):
        world.record(concluded)


def test_a_secret_that_was_ever_used_is_known_to_have_been() -> None:
    world = acting()
    for mark in ("m1", "m2"):
        world.record(ev.SecretsUsed(marks={"key": mark}))
    assert [world.state.secrecy.used("key", mark) for mark in ("m1", "m2", "m3")] == [
        True,
        True,
        False,
    ]


def test_what_may_show_a_former_secret_says_how_to_see_it() -> None:
    assert withheld(["b", "a"]).startswith("not shown: it may hold a former value of a, b;")


def test_steps_inside_a_step_are_known_by_their_own_names() -> None:
    plan = plan_of(step("cut"), step("cut--dns"), step("cut--web"), step("other"))
    inside = World(plan).state.steps_inside("cut--")
    assert list(inside) == ["dns", "web"]


def test_where_somebody_acts_from_is_recorded_once() -> None:
    world, seat = acting(), Seat("root", "laptop", "pts/3")
    for _ in range(2):
        for event in seat_taken(world.state, "ada", seat):
            world.record(event)
    taken = [each for _, each in world.journal if isinstance(each, ev.SeatTaken)]
    assert (len(taken), world.state.circumstances.signed("ada")) == (
        1,
        "ada (root@laptop, pts/3)",
    )


def test_an_account_of_the_same_name_is_not_shown() -> None:
    assert Seat("ada", "laptop").beside("ada") == "ada"


def test_a_controller_that_says_its_account_sits_there() -> None:
    world = acting()
    took(world, 2, user="root", terminal="pts/0")
    assert world.state.circumstances.driven_from == Seat("root", "laptop", "pts/0")


def test_a_seat_comes_with_its_request() -> None:
    seat = Seat("root", "laptop", "pts/3")
    assert Seat.of_request({"step": "a", **seat.in_request()}) == seat


@pytest.mark.parametrize("body", [{}, {"seat": "root"}, {"seat": {"host": "laptop"}}])
def test_a_request_may_say_nothing_of_its_seat(body: dict[str, object]) -> None:
    assert Seat.of_request(body) is None


@pytest.mark.parametrize(("by", "warned"), [("drew", False), ("drwe", True)])
def test_somebody_whom_no_role_names_is_warned_of(by: str, warned: bool) -> None:
    told = not_in_roles(plan_of(step("a")).runbook, by)
    assert ("did you mean 'drew'" in told) is warned


@pytest.mark.parametrize(
    ("count", "by", "barred"), [(4, "drew", True), (3, "drew", False), (4, "eve", False)]
)
def test_an_approval_that_whoever_drives_makes_impossible_is_told_beforehand(
    count: int, by: str, barred: bool
) -> None:
    plan = plan_of(step("a", approval={"role": "dba", "count": count}), step("b"))
    assert bool(list(barred_by_driving(plan.runbook, by))) is barred


def test_what_goes_up_again_is_counted_once() -> None:
    air = InFlight()
    activity = next(iter(acting().air))
    air[activity] = "db1"
    air[activity] = "db2"
    assert (len(air), dict(air.on)) == (1, {"db2": 1})


def test_a_controller_that_leaves_begins_nothing_and_goes_on_once_it_stays() -> None:
    world = World(plan_of(step("a"), step("b", "a"), step("c")))
    world.obey_all()
    world.land(next(iter(world.air)))
    room = Capacity(world.air, 4, {})
    leaving = world.agenda.decide(room, world.now, begin=False)
    assert {type(each) for each in leaving.wishes} <= {w.Record}
    assert statuses(world.drive()) == ["passed", "passed", "passed"]


def test_an_attempt_that_was_stopped_and_may_live_on_is_never_failed() -> None:
    world = World(plan_of(step("a")), acting=lambda *_: Stopped(gone=False))
    assert statuses(world.drive(), "a") == ["unknown"]
