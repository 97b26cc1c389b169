"""Where the time of a run went adds up to the wall clock, whatever happened."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.outcomes import Ended
from drrun.core.model.plan import Plan
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState
from drrun.report.facts import Fact
from drrun.report.time_spent import CAUSES, spells, totals
from tests.unit.core.test_engine_properties import graphs, world_of
from tests.unit.core.worlds import World, manual, plan_of, step


class Slow(World):
    """Everything takes a random while."""

    random = Random(0)

    def record(self, event: ev.Event) -> None:
        self.now += self.random.choice([0, 0.001, 0.5, 3, 700])
        super().record(event)


def facts_of(world: World) -> list[Fact]:
    return [
        Fact(number, at, "controller", event)
        for number, (at, event) in enumerate(world.journal, 1)
    ]


@settings(max_examples=150, deadline=None)
@given(plan=graphs(), seed=st.integers(0, 10_000))
def test_the_causes_of_a_random_run_add_up_to_its_wall_clock(plan: Plan, seed: int) -> None:
    usual = world_of(plan, seed, 3)
    world = Slow(plan, acting=usual.acting, answering=usual.answering)
    world.random = Random(seed)
    world.drive()
    facts = facts_of(world)
    end = world.now + seed % 50
    found = spells(RunState(plan), facts, end)
    last = facts[-1].at if world.state.ended else end
    assert sum(totals(found).values()) == pytest.approx(last - facts[0].at)
    assert all(one.until == other.since for one, other in pairwise(found))
    assert {spell.cause for spell in found} <= set(CAUSES)


def test_a_person_is_named_as_the_cause_while_nothing_else_moves() -> None:
    world = World(plan_of(manual("ask"), step("act", "ask")))
    world.drive()
    facts = facts_of(world)
    assert totals(spells(RunState(world.plan), facts, world.now + 60)) == {"person": Duration(60)}


def test_whoever_is_asked_is_waited_for_without_a_controller_too() -> None:
    plan = plan_of(manual("ask"))
    world = World(plan)
    world.drive()
    world.record(ev.ControllerLeft(why="a person must answer"))
    found = spells(RunState(plan), facts_of(world), world.now + 100)
    assert totals(found) == {"person": Duration(100)}


def test_the_time_without_a_controller_is_no_work() -> None:
    plan = plan_of(step("act"))
    world = World(plan)
    world.record(ev.ControllerLeft(why="killed"))
    world.now += 100
    world.record(ev.ControllerTook(epoch=2, holder="x", host="h", pid=1, tool="drrun"))
    world.now += 5
    found = spells(RunState(plan), facts_of(world), world.now)
    assert totals(found) == {"no controller": Duration(100), "drrun": Duration(5)}


def test_nobody_drives_a_run_between_its_end_and_the_next_resume() -> None:
    plan = plan_of(step("act"))
    world = World(plan, acting=lambda _key, _attempt: Ended(1))
    world.drive()
    ended = world.state.ended
    world.now += 100
    world.record(ev.ControllerTook(epoch=2, holder="x", host="h", pid=1, tool="drrun"))
    found = totals(spells(RunState(plan), facts_of(world), world.now))
    assert ended is RunStatus.FAILED
    assert (found["after its end"], "no controller" in found) == (Duration(100), False)
