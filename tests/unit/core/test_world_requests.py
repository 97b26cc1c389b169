"""What people say about the world: lost, found, another route; and what follows for the run."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from drrun.core import events as ev
from drrun.core.model.outcomes import Ended
from drrun.core.model.runbook import StandIn, Step
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration
from drrun.core.people.consider import Denied, Granted
from drrun.core.people.world_requests import accept_record
from drrun.core.rules import wishes as w
from tests.unit.core.worlds import (
    World,
    decision,
    manual,
    plan_of,
    probe,
    stand_in,
    statuses,
    step,
    two_sites,
    wait,
)


def on_two_sites(**keys: object) -> World:
    """`copy` on all hosts, what needs it, and a question that keeps the run open."""
    copy = step("copy", on=("db1", "db2", "db3"), **keys)
    world = World(plan_of(copy, step("after", "copy"), manual("hold"), inventory=two_sites()))
    return world.start("drew")


def lose(world: World, thing: str) -> Granted | Denied:
    return world.ask("lost", thing=thing, reason="flooded")


@pytest.mark.parametrize(
    ("thing", "hosts"),
    [
        ("host:db1", {"db1"}),
        ("db3", {"db3"}),
        ("site:phl", {"db1", "db2"}),
        ("provider:host", {"db3"}),
        ("person:ada", set()),
    ],
)
def test_what_is_lost_takes_its_hosts_along(thing: str, hosts: set[str]) -> None:
    world = on_two_sites()
    lose(world, thing)
    assert set(world.state.circumstances.lost_hosts) == hosts


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        ("moon:luna", "'moon' cannot be lost"),
        ("site:mars", "there is no site 'mars'; known: phl, ams"),
        ("provider:nobody", "there is no provider 'nobody'; known: colo, host"),
        ("person:eve", "there is no person 'eve'; known: drew, simon, ludovic, ada"),
        ("db9", "there is no host 'db9'"),
    ],
)
def test_only_what_exists_can_be_lost(thing: str, why: str) -> None:
    found = lose(on_two_sites(), thing)
    assert isinstance(found, Denied)
    assert why in found.why


def test_declaring_something_lost_twice_declares_it_once() -> None:
    world = on_two_sites()
    lose(world, "site:phl")
    assert lose(world, "site:phl") == Granted([], "site:phl was declared lost already")


def test_nothing_begins_on_what_was_declared_lost() -> None:
    world = on_two_sites()
    lose(world, "site:phl")
    world.drive()
    assert {key.target for key, _ in world.effects if key.step == "copy"} == {"db3"}


def test_a_target_that_is_lost_blocks_what_needs_it() -> None:
    world = on_two_sites()
    lose(world, "host:db1")
    assert statuses(world.drive(), "copy", "after") == ["blocked", "blocked"]


def test_when_lost_skip_leaves_the_target_out() -> None:
    world = on_two_sites(when_lost="skip")
    lose(world, "host:db1")
    assert statuses(world.drive(), "copy", "after") == ["passed", "passed"]


def test_an_attempt_in_flight_on_a_lost_host_is_let_go_of_and_never_failed() -> None:
    world = on_two_sites()
    world.obey_all()
    lose(world, "host:db1")
    world.drive()
    told = {
        type(each).__name__
        for _, each in world.journal
        if isinstance(each, ev.TargetEvent) and each.target == "db1"
    }
    assert told >= {"ContactLost", "TargetLost"}
    assert "TargetFailed" not in told


def test_the_ungraceful_form_is_executed_on_the_controller() -> None:
    world = on_two_sites(when_lost=stand_in("fence it"))
    world.obey_all()
    lose(world, "host:db1")
    world.drive()
    assert (world.state.hosts[next(iter(world.state.targets))], statuses(world.state, "copy")) == (
        "",
        ["passed"],
    )


@pytest.mark.parametrize(
    "make", [manual, decision, lambda name: wait(name, until=(probe(),)), step]
)
def test_the_ungraceful_form_is_executed_whatever_the_step_would_have_done(
    make: Callable[[str], Step],
) -> None:
    lost = replace(make("cut"), on=("db1",), when_lost=stand_in("fence it"))
    world = World(plan_of(lost, inventory=two_sites()))
    lose(world, "host:db1")
    assert (statuses(world.drive(), "cut"), world.effects.total()) == (["passed"], 1)


@pytest.mark.parametrize("how", [{"for": 60}, {"until": (probe(within=Duration(60)),)}])
@pytest.mark.parametrize(
    ("when_lost", "becomes"), [(None, "blocked"), ("skip", "skipped"), (stand_in(), "passed")]
)
def test_a_wait_on_a_host_that_is_lost_becomes_what_its_author_wrote(
    how: dict[str, object], when_lost: object, becomes: str
) -> None:
    waited = replace(wait("a", **how), on=("db1",), when_lost=when_lost)  # type: ignore[arg-type] # as written
    world = World(plan_of(waited, manual("hold"), inventory=two_sites()))
    world.obey_all()
    lose(world, "host:db1")
    assert statuses(world.drive(), "a") == [becomes]


def test_the_ungraceful_form_has_its_own_verify() -> None:
    form = StandIn(stand_in().action, verify=(probe("fenced?"),))
    world = on_two_sites(when_lost=form, verify=(probe("copied?"), probe("complete?")))
    lose(world, "site:phl")
    world.drive()
    asked = {
        target: sum(count for (key, _), count in world.asked.items() if key.target == target)
        for target in ("db1", "db3")
    }
    assert asked == {"db1": 1, "db3": 2}


def test_what_is_found_again_is_open_again_with_what_it_blocked() -> None:
    world = on_two_sites()
    lose(world, "site:phl")
    world.drive()
    world.ask("found", thing="site:phl")
    assert statuses(world.drive(), "copy", "after") == ["passed", "passed"]


def cut_off() -> World:
    """An attempt was in flight on db1 when it was declared lost."""
    world = World(plan_of(step("copy", on=("db1",)), manual("hold"), inventory=two_sites()))
    world.start("drew")
    world.obey_all()
    lose(world, "host:db1")
    world.drive()
    return world


def test_an_attempt_that_was_cut_off_is_looked_for_once_its_host_is_found() -> None:
    world = cut_off()
    world.ask("found", thing="host:db1")
    (wish,) = world.decide().wishes
    assert (type(wish), world.target("copy", "db1").attempt) == (w.Reconcile, 1)


def test_resuming_forgets_no_attempt_that_was_cut_off() -> None:
    world = cut_off()
    world.record(ev.RunResumed(by="drew"))
    world.drive()
    world.ask("found", thing="host:db1")
    world.drive()
    assert (statuses(world.state, "copy"), world.effects.total()) == (["unknown"], 1)


def test_what_was_blocked_by_something_else_stays_blocked_when_a_host_is_found() -> None:
    plan = plan_of(
        step("bad"), step("copy", "bad", on=("db1",)), manual("hold"), inventory=two_sites()
    )
    world = World(plan, acting=lambda *_: Ended(1))
    lose(world, "host:db1")
    world.drive()
    world.ask("found", thing="host:db1")
    assert statuses(world.drive(), "copy") == ["blocked"]


def test_what_was_not_lost_cannot_be_found() -> None:
    world = on_two_sites()
    lose(world, "host:db1")
    found = world.ask("found", thing="site:ams")
    assert found == Denied("site:ams was not declared lost: host:db1")


def test_what_does_not_exist_cannot_be_found() -> None:
    assert isinstance(on_two_sites().ask("found", thing="site:mars"), Denied)


def test_a_route_is_chosen_and_taken_back() -> None:
    world = on_two_sites()
    world.ask("set-route", host="db1", route="oob")
    chosen = dict(world.state.circumstances.routes)
    world.ask("set-route", host="db1", route="auto")
    assert (chosen, world.state.circumstances.routes) == ({"db1": "oob"}, {})


def test_choosing_the_same_route_again_changes_nothing() -> None:
    world = on_two_sites()
    world.ask("set-route", host="db1", route="oob")
    found = world.ask("set-route", host="db1", route="oob")
    assert found == Granted([], "db1 is reached by oob already")


@pytest.mark.parametrize(
    ("host", "route", "why"),
    [("db9", "oob", "no host 'db9'"), ("db1", "sat", "no route 'sat': 10.0.0.1, oob, or auto")],
)
def test_a_route_that_does_not_exist_is_refused(host: str, route: str, why: str) -> None:
    found = on_two_sites().ask("set-route", host=host, route=route)
    assert isinstance(found, Denied)
    assert why in found.why


def test_an_older_record_counts_only_by_the_word_of_a_second_person() -> None:
    state = on_two_sites().state
    assert isinstance(accept_record(state, "drew", "the other laptop burnt", "line"), Denied)


def test_a_record_that_was_accepted_begins_a_new_line() -> None:
    world = on_two_sites()
    found = accept_record(world.state, "simon", "the other laptop burnt", "cafe0001")
    assert isinstance(found, Granted)
    world.record(found.events[0])
    assert world.state.reached.lines[-1] == "cafe0001"


def test_a_run_whose_lost_steps_were_skipped_is_no_plain_success() -> None:
    plan = plan_of(step("copy", on=("db1",), when_lost="skip"), inventory=two_sites())
    world = World(plan)
    lose(world, "site:phl")
    assert world.drive().ended is RunStatus.SUCCEEDED_WITH_EXCEPTIONS
