"""Approvals, decisions, confirmations, refusals: whose answer counts, and what it has to say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.actions import ManualAction
from drrun.core.model.ids import LOCAL, StepId, TargetKey
from drrun.core.model.outcomes import Ended, OutcomeUnknown
from drrun.core.model.probes import ProbeKind
from drrun.core.model.values import Duration
from drrun.core.people.answers import as_type
from drrun.core.people.consider import Denied, Granted
from tests.unit.core.worlds import World, decision, manual, plan_of, probe, statuses, step

PEOPLE = ("drew", "simon", "ludovic", "ada", "eve")


def approving(**approval: object) -> World:
    """drew drives; `cut` wants an approval."""
    world = World(plan_of(step("cut", approval={"role": "dba", **approval}))).start("drew")
    world.drive()
    return world


def deciding(**keys: object) -> World:
    world = World(plan_of(decision("choose", **keys))).start("drew")
    world.drive()
    return world


def why(found: Granted | Denied) -> str:
    assert isinstance(found, Denied), found
    return found.why


def message(found: Granted | Denied) -> str:
    assert isinstance(found, Granted), found
    return found.message


def test_an_approval_lets_the_step_act() -> None:
    world = approving()
    world.ask("approve", "simon", step="cut")
    assert statuses(world.drive(), "cut") == ["passed"]


def test_whoever_drives_the_run_cannot_approve_its_steps() -> None:
    found = approving().ask("approve", "drew", step="cut")
    assert "drew drives this run, so drew cannot approve cut" in why(found)


def test_whoever_wanted_a_step_tried_again_cannot_approve_it() -> None:
    plan = plan_of(step("cut", approval={"role": "dba"}), manual("hold"))
    world = World(plan, acting=lambda *_: Ended(1)).start("drew")
    world.drive()
    world.ask("approve", "simon", step="cut")
    world.drive()
    world.ask("retry", "ludovic", step="cut")
    world.drive()
    found = world.ask("approve", "ludovic", step="cut")
    assert "ludovic retried cut, so ludovic cannot approve cut" in why(found)


def test_a_deputy_may_approve() -> None:
    world = approving()
    world.ask("approve", "ada", step="cut")
    assert statuses(world.drive(), "cut") == ["passed"]


def test_an_approval_of_somebody_without_the_role_counts_for_nothing() -> None:
    found = approving().ask("approve", "eve", step="cut")
    assert why(found) == "cut is for dba (drew, simon, ludovic, ada) to answer, not for eve"


def test_a_person_who_was_declared_lost_answers_nothing() -> None:
    world = approving()
    world.ask("lost", "drew", thing="person:simon", reason="no contact")
    assert "drrun found RUN person:simon" in why(world.ask("approve", "simon", step="cut"))


@given(st.lists(st.sampled_from(PEOPLE), max_size=8), st.integers(1, 4))
def test_a_step_begins_once_so_many_different_people_approved_who_may(
    answers: list[str], count: int
) -> None:
    world = approving(count=count)
    for who in answers:
        world.ask("approve", who, step="cut")
        world.drive()
    counted = {who for who in answers if who in ("simon", "ludovic", "ada")}
    assert (world.target("cut").attempt, bool(world.effects)) == (1, len(counted) >= count)


def test_an_approval_by_several_says_how_many_are_missing() -> None:
    world = approving(count=3)
    told = [message(world.ask("approve", who, step="cut")) for who in ("simon", "ludovic")]
    assert told == [
        "approved cut; 2 more of dba must",
        "approved cut; one more person must",
    ]


def test_approving_twice_counts_once_and_is_no_fault() -> None:
    world = approving(count=2)
    world.ask("approve", "simon", step="cut")
    assert message(world.ask("approve", "simon", step="cut")) == "approved cut, as before"


def test_what_is_approved_must_be_typed_where_the_runbook_wants_that() -> None:
    world = approving(type_to_confirm="db1")
    assert "--type 'db1'" in why(world.ask("approve", "simon", step="cut", typed="db2"))


def test_what_was_typed_right_is_approved() -> None:
    world = approving(type_to_confirm="db1")
    world.ask("approve", "simon", step="cut", typed="db1")
    assert statuses(world.drive(), "cut") == ["passed"]


def test_where_signatures_are_wanted_an_answer_without_one_is_refused() -> None:
    found = approving(signed=True).ask("approve", "simon", step="cut")
    assert why(found) == "only a signed approval of cut counts: --sign KEYFILE"


def test_a_signature_is_recorded_with_the_approval() -> None:
    world = approving(signed=True)
    world.ask("approve", "simon", step="cut", signatures={"local": "SIG"})
    (answered,) = [each for _, each in world.journal if isinstance(each, ev.GateAnswered)]
    assert answered.signature == "SIG"


def test_a_refused_approval_fails_the_step_and_nothing_acts() -> None:
    world = approving()
    world.ask("reject", "simon", step="cut", reason="not tonight")
    assert (statuses(world.drive(), "cut"), world.effects) == (["failed"], {})


def test_the_wrong_kind_of_answer_names_the_command_for_the_right_one() -> None:
    assert "drrun approve" in why(approving().ask("confirm", "simon", step="cut"))


def test_a_decision_is_made_by_whoever_has_the_authority() -> None:
    world = deciding(authority="dba")
    world.ask("decide", "simon", step="choose", option="go")
    world.drive()
    assert world.target("choose").values == {"option": "go"}


def test_a_decision_by_somebody_else_is_refused() -> None:
    found = deciding(authority="dba").ask("decide", "eve", step="choose", option="go")
    assert "not for eve" in why(found)


def test_an_option_that_does_not_exist_is_refused_with_those_that_do() -> None:
    found = deciding().ask("decide", "simon", step="choose", option="run")
    assert why(found) == "'run' is not an option of choose: go, wait"


def test_deciding_the_same_again_is_fine() -> None:
    world = deciding()
    world.ask("decide", "simon", step="choose", option="go")
    found = world.ask("decide", "ada", step="choose", option="go")
    assert message(found) == "choose was decided for go by simon already"


def test_deciding_otherwise_afterwards_is_a_conflict() -> None:
    world = deciding()
    world.ask("decide", "simon", step="choose", option="go")
    found = world.ask("decide", "ada", step="choose", option="wait")
    assert "choose was decided for go by simon" in why(found)


def test_nobody_decided_in_time_takes_the_default_that_the_author_named() -> None:
    world = deciding(decide_by="4h", default="wait")
    assert (world.now, world.target("choose").values) == (1000.0 + 4 * 3600, {"option": "wait"})


def test_a_decision_without_a_default_waits_for_ever() -> None:
    assert statuses(deciding(decide_by="4h").state, "choose") == ["waiting"]


def test_an_answer_by_somebody_who_was_not_asked_counts_and_is_told_as_a_deviation() -> None:
    world = World(plan_of(manual("do", owner="dba"))).start()
    world.drive()
    found = world.ask("confirm", "eve", step="do")
    assert message(found).endswith("was asked, so the report names it as a deviation")


def test_confirming_again_with_another_value_names_the_one_that_counts() -> None:
    world = World(plan_of(step("do", action=ManualAction("?", input={"serial": "int"}))))
    world.drive()
    world.ask("confirm", step="do", input={"serial": "42"})
    found = world.ask("confirm", step="do", input={"serial": "43"})
    assert "do was confirmed by simon with serial=42" in why(found)


def test_confirming_again_with_the_same_value_is_fine() -> None:
    world = World(plan_of(step("do", action=ManualAction("?", input={"serial": "int"}))))
    world.drive()
    world.ask("confirm", step="do", input={"serial": "42"})
    assert message(world.ask("confirm", step="do", input={"serial": "42 "})).endswith("already")


@pytest.mark.parametrize("given", [{}, {"evidence": "photo.jpg"}, {"reason": "saw it"}])
def test_evidence_is_a_file_or_a_note_and_never_nothing(given: dict[str, str]) -> None:
    world = World(plan_of(step("do", action=ManualAction("?", evidence=True))))
    world.drive()
    assert isinstance(world.ask("confirm", step="do", **given), Granted) is bool(given)


def test_a_file_of_evidence_is_kept_with_the_step() -> None:
    world = World(plan_of(step("do", action=ManualAction("?", evidence=True))))
    world.drive()
    world.ask("confirm", step="do", evidence="photo.jpg")
    assert world.target("do").values == {"evidence": "photo.jpg"}


def test_there_is_no_way_back_from_an_irreversible_step_without_a_persons_word() -> None:
    world = World(plan_of(step("cut", irreversible=True)))
    world.drive()
    before = dict(world.effects)
    world.ask("confirm", step="cut")
    assert (before, statuses(world.drive(), "cut")) == ({}, ["passed"])


def test_an_irreversible_step_that_was_allowed_at_the_start_asks_nobody() -> None:
    world = World(plan_of(step("cut", irreversible=True))).start(allow_irreversible=["cut"])
    assert statuses(world.drive(), "cut") == ["passed"]


@pytest.mark.parametrize(("answer", "becomes"), [("confirm", "passed"), ("reject", "failed")])
def test_a_person_who_looks_is_a_probe(answer: str, becomes: str) -> None:
    world = World(plan_of(step("a", verify=(probe("seen?", kind=ProbeKind.ASK),))))
    world.drive()
    world.ask(answer, step="a")
    assert statuses(world.drive(), "a") == [becomes]


def test_a_person_is_asked_only_once_all_other_probes_hold() -> None:
    looks = (probe("seen?", kind=ProbeKind.ASK), probe())
    world = World(plan_of(step("a", verify=looks)))
    world.obey_all()
    world.land(next(iter(world.air)))
    world.obey_all()
    asked_before = world.target("a").gate
    world.drive()
    assert (asked_before, bool(world.target("a").gate)) == (None, True)


@pytest.mark.parametrize(("answer", "becomes"), [("confirm", "passed"), ("reject", "failed")])
def test_a_person_says_what_became_of_an_attempt_that_nobody_knows(
    answer: str, becomes: str
) -> None:
    world = World(plan_of(step("a")), acting=lambda *_: OutcomeUnknown("cut"))
    world.drive()
    world.ask(answer, step="a")
    assert statuses(world.drive(), "a") == [becomes]


def late() -> World:
    """An attempt that is over its time, and whose author wants to be asked."""
    world = World(plan_of(step("a", timeout=Duration(5), on_timeout="ask")), tells_begin=True)
    world.obey_all()
    world.now += 5
    world.obey_all()
    return world


def test_a_late_attempt_that_a_person_lets_go_on_is_not_ended() -> None:
    world = late()
    world.ask("confirm", step="a")
    world.now += 3600
    assert world.decide().wishes == []


def test_a_late_attempt_that_a_person_wants_ended_is_ended_and_fails() -> None:
    world = late()
    world.ask("reject", step="a")
    assert statuses(world.drive(), "a") == ["failed"]


def test_nobody_is_asked_about_a_late_attempt_that_has_ended() -> None:
    world = late()
    world.drive()
    found = world.ask("confirm", step="a")
    assert why(found) == "a does not ask for an answer: it is passed"


def test_rejecting_back_to_a_step_does_it_and_everything_behind_it_again() -> None:
    world = World(plan_of(step("load"), step("copy"), manual("look", "load")))
    world.drive()
    world.ask("reject", step="look", rewind_to="load", reason="half of it is missing")
    world.drive()
    acted = {str(key): attempt for key, attempt in world.effects}
    assert (acted, statuses(world.state, "look")) == ({"load": 2, "copy": 1}, ["waiting"])


def test_whoever_looked_and_refuses_may_go_back() -> None:
    look = (probe("seen?", kind=ProbeKind.ASK),)
    world = World(plan_of(step("load"), step("check", "load", verify=look)))
    world.drive()
    world.ask("reject", step="check", rewind_to="load")
    world.drive()
    assert world.effects == dict.fromkeys(
        [(TargetKey(StepId(name), LOCAL), n) for name in ("load", "check") for n in (1, 2)], 1
    )


def test_going_back_does_nothing_again_that_may_run_on_a_host_that_is_not_seen() -> None:
    world = World(plan_of(manual("look"), step("slow")))
    world.obey_all()
    world.record(ev.ContactMissed(step="slow", target="local", attempt=1, silent=60))
    assert isinstance(world.ask("reject", step="look", rewind_to="slow"), Denied)


def test_going_back_to_a_step_that_does_not_exist_changes_nothing() -> None:
    world = World(plan_of(manual("look")))
    world.drive()
    found = world.ask("reject", step="look", rewind_to="lod")
    assert (why(found)[:22], statuses(world.state, "look")) == (
        "there is no step 'lod'",
        ["waiting"],
    )


def test_going_back_waits_for_what_runs() -> None:
    world = World(plan_of(manual("look"), step("slow")))
    world.obey_all()
    found = world.ask("reject", step="look", rewind_to="slow")
    assert why(found) == "slow runs: wait for it, then go back to slow"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("42", "int", 42),
        ("4.5", "float", 4.5),
        ("4.5", "number", 4.5),
        ("Yes", "bool", True),
        ("0", "bool", False),
        ("1h30m", "duration", 5400.0),
        ("as it is", "string", "as it is"),
    ],
)
def test_an_answer_is_kept_as_the_type_that_was_asked_for(
    text: str, kind: str, value: Any
) -> None:
    found = as_type(text, kind)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("4.5", "int", "'4.5' is not a whole number"),
        ("x", "float", "'x' is not a number"),
        ("perhaps", "bool", "neither yes nor no"),
        ("5", "duration", "not a duration"),
    ],
)
def test_an_answer_of_another_type_is_refused_in_words(text: str, kind: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        as_type(text, kind)
