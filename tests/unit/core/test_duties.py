"""Who has what: claims, assignments, handovers, notes."""

import pytest

from drrun.core import events as ev
from drrun.core.people.consider import Denied, Granted
from tests.unit.core.worlds import World, manual, plan_of, step


def shift() -> World:
    """`done` has passed; `one` and `two` wait for people."""
    world = World(plan_of(step("done"), manual("one"), manual("two", "one"))).start("drew")
    world.drive()
    return world


def test_a_claimed_step_is_claimed_by_nobody_else_without_a_reason() -> None:
    world = shift()
    world.ask("claim", "ada", step="one")
    found = world.ask("claim", "simon", step="one")
    assert found == Denied("ada has one; to take it over, say why with --reason")


def test_a_claim_is_taken_over_with_a_reason() -> None:
    world = shift()
    world.ask("claim", "ada", step="one")
    world.ask("claim", "simon", step="one", reason="ada sleeps")
    assert world.state.circumstances.claims[world.plan.order[1]].by == "simon"


def test_claiming_twice_is_fine() -> None:
    world = shift()
    world.ask("claim", "ada", step="one")
    assert world.ask("claim", "ada", step="one") == Granted([], "you have one already")


def test_a_step_is_assigned_once() -> None:
    world = shift()
    world.ask("assign", step="one", to="ada")
    assert world.ask("assign", step="one", to="ada") == Granted([], "one is ada's already")


@pytest.mark.parametrize("kind", ["claim", "assign"])
def test_a_step_that_does_not_exist_is_nobodys(kind: str) -> None:
    assert isinstance(shift().ask(kind, step="nope", to="ada"), Denied)


def test_a_handover_gives_everything_that_is_open_and_ones_own() -> None:
    world = shift()
    for name in ("done", "one"):
        world.ask("claim", "simon", step=name)
    world.ask("assign", step="two", to="simon")
    world.ask("handover", "simon", to="ada", text="two waits for the colo")
    (given,) = [each for _, each in world.journal if isinstance(each, ev.HandedOver)]
    assert given.steps == ("one", "two")


def test_after_a_handover_the_steps_are_the_others() -> None:
    world = shift()
    world.ask("claim", "simon", step="one")
    world.ask("handover", "simon", to="ada", text="you have it")
    one = world.plan.order[1]
    around = world.state.circumstances
    assert (around.claims[one].by, around.assigned[one]) == ("ada", "ada")


def test_what_another_person_has_is_not_handed_over() -> None:
    world = shift()
    world.ask("claim", "ludovic", step="one")
    world.ask("handover", "simon", to="ada", text="nothing")
    assert world.state.circumstances.claims[world.plan.order[1]].by == "ludovic"


def test_a_handover_wants_a_note() -> None:
    found = shift().ask("handover", to="ada")
    assert isinstance(found, Denied)
    assert "needs a note" in found.why


def test_nobody_hands_over_to_themselves() -> None:
    assert isinstance(shift().ask("handover", "simon", to="simon", text="x"), Denied)


def test_a_note_is_kept_with_its_step() -> None:
    world = shift()
    world.ask("note", text="the colo called", step="one")
    (note,) = [each for _, each in world.journal if isinstance(each, ev.Noted)]
    assert (note.by, note.text, note.step) == ("simon", "the colo called", "one")
