"""Plans that change while they are executed: what has passed is not rewritten."""

from collections.abc import Sequence

from drrun.core import events as ev
from drrun.core.model.errors import InputError, Place
from drrun.core.model.outcomes import Ended
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Step
from drrun.core.model.values import Duration
from drrun.core.people.consider import Denied, Granted
from tests.unit.core.worlds import World, manual, plan_of, statuses, step

PAIR = step("pair", for_each=["x", "y"])
#: What a text amends the plan to.
TEXTS: dict[str, list[Step]] = {
    "more": [step("a"), manual("ask"), step("last", "ask"), step("new", "a")],
    "slower": [step("a"), manual("ask"), step("last", "ask", timeout=Duration(60))],
    "moved": [step("a", place=Place("x", 9)), manual("ask"), step("last", "ask")],
    "rewritten": [step("a", timeout=Duration(60)), manual("ask"), step("last", "ask")],
    "guarded": [step("a"), manual("ask"), step("last", "ask", when="false")],
    "paired": [PAIR, manual("hold"), step("new")],
}


def replan(amendments: Sequence[ev.PlanAmended]) -> Plan:
    if amendments[-1].text not in TEXTS:
        raise InputError("line 3: what is that?")
    return plan_of(*TEXTS[amendments[-1].text])


def running() -> World:
    """`a` has passed, `ask` is waited for, `last` is to come."""
    world = World(plan_of(step("a"), manual("ask"), step("last", "ask")), replan=replan)
    world.drive()
    return world


def amend(world: World, text: str) -> Granted | Denied:
    return world.ask("amend", path="more.yml", text=text, reason="forgot it")


def test_a_step_that_was_added_is_executed() -> None:
    world = running()
    assert amend(world, "more") == Granted([world.journal[-1][1]], "added new")
    assert statuses(world.drive(), "new") == ["passed"]


def test_what_was_done_stays_done_when_the_plan_changes() -> None:
    world = running()
    amend(world, "more")
    world.drive()
    assert (statuses(world.state, "a"), world.effects.total()) == (["passed"], 2)


def test_a_step_that_has_not_begun_may_be_written_anew() -> None:
    found = amend(running(), "slower")
    assert isinstance(found, Granted)
    assert found.message == "changed last"


def test_a_step_that_has_passed_is_not_rewritten() -> None:
    found = amend(running(), "rewritten")
    assert isinstance(found, Denied)
    assert "a has passed, and what was done is not rewritten" in found.why


def test_where_a_step_stands_in_a_file_is_no_change() -> None:
    assert amend(running(), "moved") == Granted([], "it changes nothing")


def test_a_text_that_is_wrong_amends_nothing_and_says_what_is_wrong() -> None:
    world = running()
    before = world.state.plan
    assert amend(world, "nonsense") == Denied("nothing was amended:\nline 3: what is that?")
    assert world.state.plan is before


def test_a_condition_that_was_seen_is_seen_again_once_it_was_written_anew() -> None:
    world = running()
    world.condition = lambda _: False
    amend(world, "guarded")
    world.ask("confirm", step="ask")
    assert statuses(world.drive(), "last") == ["skipped"]


def test_a_run_that_has_succeeded_is_not_amended() -> None:
    world = World(plan_of(step("a")), replan=replan)
    world.drive()
    assert amend(world, "more") == Denied("the run is succeeded: nothing is left to do in it")


def test_a_run_whose_plan_cannot_be_made_anew_is_not_amended() -> None:
    world = World(plan_of(manual("a")))
    world.drive()
    assert amend(world, "more") == Denied("this run cannot be amended")


def test_the_journal_of_an_amended_run_folds_to_the_same_state() -> None:
    world = running()
    amend(world, "more")
    world.drive()
    before = statuses(world.state)
    world.resume()
    assert statuses(world.state) == before


def test_failures_that_were_known_are_known_after_an_amendment() -> None:
    world = World(plan_of(PAIR, manual("hold")), replan=replan, acting=lambda *_: Ended(1))
    world.drive()
    world.acting = lambda *_: Ended(0)
    world.ask("retry", step="pair@x")
    amend(world, "paired")
    world.drive()
    assert world.target("pair", "x").status == "passed"
