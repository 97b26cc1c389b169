"""What people may ask of a run, what they may not, and what they are told."""

from dataclasses import fields
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.actions import ManualAction
from drrun.core.model.ids import LOCAL, StepId
from drrun.core.model.outcomes import Ended, OutcomeUnknown
from drrun.core.people.commands import Command, body_of, command_of
from drrun.core.people.consider import Denied, Granted, consider
from drrun.core.people.overrides import rewind
from drrun.core.people.request import Asking
from tests.unit.core.worlds import World, manual, plan_of, statuses, step


def waiting() -> World:
    """A run that waits for `ask`, with `after` behind it and a failed `bad`."""
    plan = plan_of(manual("ask"), step("after", "ask"), step("bad"), step("behind", "bad"))
    world = World(plan, acting=lambda key, _: Ended(1 if key.step == "bad" else 0))
    world.drive()
    return world


def give(world: World, kind: str, **body: object) -> Granted | Denied:
    command = command_of(kind, body)
    assert command is not None
    found = consider(world.state, command, "simon", world.now)
    if isinstance(found, Granted):
        for event in found.events:
            world.record(event)
    return found


def test_a_confirmation_lets_dependents_go_on() -> None:
    world = waiting()
    give(world, "confirm", step="ask")
    assert statuses(world.drive(), "ask", "after") == ["passed", "passed"]


def test_a_refusal_blocks_and_never_skips() -> None:
    world = waiting()
    give(world, "reject", step="ask", reason="not yet")
    assert statuses(world.drive(), "ask", "after") == ["failed", "blocked"]


def test_the_same_answer_twice_is_fine() -> None:
    world = waiting()
    give(world, "confirm", step="ask")
    again = give(world, "confirm", step="ask")
    assert isinstance(again, Granted)
    assert not again.events


def test_a_different_answer_is_a_conflict_that_names_who_answered() -> None:
    world = waiting()
    give(world, "confirm", step="ask")
    other = give(world, "reject", step="ask")
    assert isinstance(other, Denied)
    assert "confirmed by simon" in other.why


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("confirm", {"step": "nope"}, "no step 'nope'"),
        ("confirm", {"step": "bad"}, "does not ask for an answer: it is failed"),
        ("confirm", {"step": "ask", "target": "x"}, "no target 'x'"),
        ("confirm", {"step": "ask", "input": {"size": "3"}}, "nobody asked for size"),
        ("retry", {"step": "ask"}, "there is nothing to retry"),
        ("skip", {"step": "ask"}, "--reason"),
        ("mark-done", {"step": "ask"}, "--reason"),
        ("abort", {}, "--reason"),
        ("note", {"text": "x", "step": "nope"}, "no step 'nope'"),
    ],
)
def test_what_cannot_be_done_says_why(kind: str, body: dict[str, object], why: str) -> None:
    found = give(waiting(), kind, **body)
    assert isinstance(found, Denied)
    assert why in found.why


def test_a_passed_step_cannot_be_skipped() -> None:
    world = World(plan_of(step("a"), manual("b")))
    world.drive()
    found = give(world, "skip", step="a", reason="x")
    assert found == Denied("step a is passed already")


def test_retrying_a_failed_step_opens_what_it_blocked() -> None:
    world = waiting()
    world.acting = lambda *_: Ended(0)
    give(world, "retry", step="bad")
    assert statuses(world.drive(), "bad", "behind") == ["passed", "passed"]


def test_marking_a_failed_step_done_lets_dependents_go_on() -> None:
    world = waiting()
    give(world, "mark-done", step="bad", reason="done by hand")
    assert statuses(world.drive(), "bad", "behind") == ["passed", "passed"]


def test_skipping_a_failed_step_lets_dependents_go_on() -> None:
    world = waiting()
    give(world, "skip", step="bad", reason="not needed")
    assert statuses(world.drive(), "bad", "behind") == ["skipped", "passed"]


def test_a_person_may_have_an_unknown_attempt_made_again() -> None:
    world = World(
        plan_of(step("a")), acting=lambda _, n: OutcomeUnknown("cut") if n == 1 else Ended(0)
    )
    world.drive()
    give(world, "retry", step="a")
    assert statuses(world.drive(), "a") == ["passed"]


def asking(**wanted: str) -> World:
    action = ManualAction("how many?", input=wanted)
    world = World(plan_of(step("ask", action=action)))
    world.drive()
    return world


def test_typed_answers_are_kept_as_their_type() -> None:
    world = asking(serial="int")
    give(world, "confirm", step="ask", input={"serial": "42"})
    assert world.state.targets[next(iter(world.state.targets))].values == {"serial": 42}


def test_an_answer_of_the_wrong_type_is_refused() -> None:
    found = give(asking(serial="int"), "confirm", step="ask", input={"serial": "many"})
    assert isinstance(found, Denied)


def test_a_missing_answer_is_refused_with_the_flag_to_give() -> None:
    found = give(asking(serial="int"), "confirm", step="ask")
    assert found == Denied("this step needs answers: --input serial=<int>")


def test_a_pause_holds_and_an_unpause_lets_go() -> None:
    world = World(plan_of(manual("ask"), step("after", "ask")))
    world.drive()
    give(world, "pause")
    give(world, "confirm", step="ask")
    held = statuses(world.drive(), "after")
    give(world, "unpause")
    assert (held, statuses(world.drive(), "after")) == (["pending"], ["passed"])


def test_what_nobody_knows_is_no_command() -> None:
    assert command_of("dance", {"step": "ask"}) is None


def test_who_went_back_to_an_earlier_step_may_approve_what_comes_after_it() -> None:
    """The night's deadlock: of two that have to approve, one had rewound a wrong decision."""
    plan = plan_of(manual("which"), step("dns", "which", approval={"role": "dba", "count": 2}))
    world = World(plan)
    world.drive()
    give(world, "confirm", step="which")
    world.drive()
    events = rewind(Asking(world.state, "simon", world.now), StepId("which"), "the wrong one")
    assert isinstance(events, Granted)
    for event in events.events:
        world.record(event)
    world.drive()
    give(world, "confirm", step="which")
    world.drive()
    assert isinstance(give(world, "approve", step="dns"), Granted)


def test_who_retried_what_a_step_needs_may_approve_that_step() -> None:
    world = World(
        plan_of(step("bad"), step("dns", "bad", approval={"role": "dba"}), manual("hold")),
        acting=lambda _, attempt: Ended(1 if attempt == 1 else 0),
    )
    world.drive()
    give(world, "retry", step="bad")
    assert statuses(world.drive(), "bad", "dns") == ["passed", "waiting"]
    assert isinstance(give(world, "approve", step="dns"), Granted)


def test_who_wanted_a_step_tried_again_does_not_approve_it() -> None:
    world = World(
        plan_of(step("dns", approval={"role": "dba"}), manual("hold")), acting=lambda *_: Ended(1)
    )
    world.drive()
    world.record(
        ev.GateAnswered(step="dns", target=LOCAL, gate="approval", answer="approve", by="carol")
    )
    world.drive()
    give(world, "retry", step="dns")
    world.drive()
    found = give(world, "approve", step="dns")
    assert isinstance(found, Denied)
    assert "simon retried dns" in found.why


@given(
    command=st.sampled_from(get_args(Command)),
    text=st.text(max_size=9),
    junk=st.none() | st.booleans() | st.integers() | st.text(max_size=5),
)
def test_a_command_goes_into_the_inbox_and_comes_back(
    command: type[Command], text: str, junk: object
) -> None:
    members = {each.name: text for each in fields(command) if each.type is str}
    made = command(**members)  # type: ignore[arg-type] # only texts
    assert command_of(made.KIND, {**body_of(made), "unknown": junk}) == made


@given(command=st.sampled_from(get_args(Command)), junk=st.none() | st.integers() | st.text())
def test_whatever_an_inbox_holds_is_granted_or_denied(
    command: type[Command], junk: object
) -> None:
    plain = {each.name: junk for each in fields(command) if each.type in (str, bool)}
    read = command_of(command.KIND, plain)
    assert read is not None
    assert isinstance(consider(waiting().state, read, "simon", 2000.0), Granted | Denied)
