"""Small values: names of attempts, moments, findings, errors, mappings made late."""

import gc
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.garbage import without_collection
from drrun.core.integrity.signing import signed_text
from drrun.core.lazily import Lazily
from drrun.core.model.actions import (
    BUILT_IN,
    DecisionAction,
    ManualAction,
    RunAction,
    UsesAction,
    changes,
)
from drrun.core.model.errors import (
    DrrunError,
    Finding,
    InputError,
    Place,
    RecordDisputed,
    RunDamaged,
    RunHeld,
    RunsLost,
    Severity,
)
from drrun.core.model.ids import LOCAL, StepId, TargetKey, TargetName
from drrun.core.model.inventory import Group, Host, Inventory
from drrun.core.model.jobnames import job_of
from drrun.core.model.moments import parse_moment, rfc3339
from drrun.core.model.outcomes import (
    Ended,
    NeverStarted,
    Outcome,
    OutcomeUnknown,
    RefusedByHost,
    Stopped,
    TimedOut,
    is_known,
)
from drrun.core.model.plan import Selection
from drrun.core.model.probes import Expect, Probe, ProbeKind
from drrun.core.model.runbook import Mode, Need
from drrun.core.model.support import unsupported
from tests.unit.core.worlds import World, plan_of, step

KEY = TargetKey(StepId("a"), LOCAL)
NAMES = st.text(min_size=1).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))


@given(NAMES, NAMES, st.integers(1, 99))
def test_two_targets_never_share_the_name_of_an_attempt(one: str, other: str, number: int) -> None:
    assume(one != other)
    names = {job_of(StepId("s"), TargetName(each), number) for each in (one, other)}
    assert len(names) == 2


@given(NAMES, st.integers(1, 99))
def test_the_name_of_an_attempt_is_one_safe_word_that_a_folder_may_bear(
    target: str, number: int
) -> None:
    name = job_of(StepId("s"), TargetName(target), number)
    assert name.isascii()
    assert not set(name) & set(" /\n\0'\"\\$")
    assert len(name) < 150


@given(st.integers(0, 4_000_000_000))
def test_a_moment_is_read_as_it_is_written(at: int) -> None:
    assert parse_moment(rfc3339(at), 0.0) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [("14:00", 86400 + 14 * 3600), ("1970-01-02T00:00:00", 86400), (" 12.5 ", 12.5)],
)
def test_a_moment_is_a_clock_time_of_today_or_a_timestamp_or_a_number(
    text: str, at: float
) -> None:
    assert parse_moment(text, 86400 + 5.0) == at


@pytest.mark.parametrize("text", ["soon", "nan", "inf", "25:00", ""])
def test_what_is_no_moment_is_refused_with_how_one_looks(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 14:00"):
        parse_moment(text, 0.0)


@pytest.mark.parametrize(
    ("outcome", "known"),
    [
        (Ended(1), True),
        (NeverStarted("no route"), True),
        (RefusedByHost("older token"), True),
        (TimedOut(gone=True), True),
        (TimedOut(gone=False), False),
        (Stopped(gone=True), True),
        (Stopped(gone=False), False),
        (OutcomeUnknown("cut"), False),
    ],
)
def test_only_what_has_certainly_ended_may_be_forgotten_by_its_host(
    outcome: Outcome, known: bool
) -> None:
    assert is_known(outcome) is known


def test_every_kind_of_outcome_is_tried_here() -> None:
    tried = {Ended, NeverStarted, RefusedByHost, TimedOut, Stopped, OutcomeUnknown}
    assert set(get_args(Outcome)) == tried


@pytest.mark.parametrize(
    ("action", "does"),
    [
        (RunAction("true"), True),
        (ManualAction("look"), False),
        (DecisionAction({"go": {}}), False),
        (UsesAction("wait"), False),
        (UsesAction("copy"), True),
    ],
)
def test_only_what_changes_something_wants_a_verify(action: object, does: bool) -> None:
    assert changes(action) is does  # type: ignore[arg-type] # each is an action


def test_a_named_action_takes_one_of_what_it_declares() -> None:
    assert all(set(each.one_of) <= set(each.parameters) for each in BUILT_IN.values())


def test_only_a_tabletop_cannot_be_run() -> None:
    refused = {
        mode for mode in Mode if unsupported(plan_of(step("a"), selection=Selection(mode=mode)))
    }
    assert refused == {Mode.TABLETOP}


def test_variables_of_a_host_are_its_own_before_its_groups_before_all() -> None:
    host = Host("db1", groups=("pg",), vars={"port": 3})
    groups = {
        "pg": Group("pg", vars={"port": 2, "data": "/pg"}),
        "all": Group("all", ("db1",), {"data": "/srv"}),
        "web": Group("web", ("www",), {"port": 4}),
    }
    inventory = Inventory(hosts={"db1": host}, groups=groups, vars={"port": 1, "zone": "x"})
    assert inventory.vars_of(host) == {"port": 3, "data": "/srv", "zone": "x"}


@pytest.mark.parametrize(
    ("expect", "text"),
    [
        (Expect(exit=(0, 2)), "exit 0 or 2"),
        (Expect(equals="t"), "equals 't'"),
        (Expect(absent=True), "absent True"),
        (Expect(json="a.b", lt="5m"), "json 'a.b' and lt '5m'"),
        (Expect(), ""),
    ],
)
def test_an_expectation_reads_as_its_author_wrote_it(expect: Expect, text: str) -> None:
    assert str(expect) == text


@pytest.mark.parametrize(
    ("kind", "ask", "label"),
    [
        (ProbeKind.RUN, {"text": "a\n  b  c\n"}, "run: a ⏎ b c"),
        (ProbeKind.TCP, {"host": "db1", "port": 5432}, "tcp: db1:5432"),
        (ProbeKind.TCP, {"port": 5432}, "tcp: 5432"),
    ],
)
def test_a_probe_without_a_name_is_called_by_its_question(
    kind: ProbeKind, ask: dict[str, object], label: str
) -> None:
    assert Probe(kind=kind, ask=ask).label == label


def test_one_of_several_needs_reads_as_such() -> None:
    assert str(Need((StepId("a"), StepId("b")))) == "a or b"


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding(Place("f.yml", 3, 5), "bad key"), "f.yml:3:5: bad key"),
        (Finding(Place("f.yml"), "empty"), "f.yml: empty"),
        (Finding(Place(), "x", Severity.WARNING), "warning: x"),
    ],
)
def test_a_finding_says_where(finding: Finding, text: str) -> None:
    assert str(finding) == text


def test_all_findings_are_told_at_once() -> None:
    found = InputError([Finding(Place("f", 1, 1), "x"), Finding(Place("f", 2, 1), "y")])
    assert str(found) == "f:1:1: x\nf:2:1: y"


def test_an_error_without_a_message_says_what_its_kind_means() -> None:
    assert str(DrrunError()) == "drrun cannot go on."


def test_who_holds_a_run_says_from_when_on_it_may_be_taken() -> None:
    assert RunHeld("drew", wait=30.0).wait == 30.0


def test_a_damaged_journal_says_what_is_wrong_and_what_to_type_next() -> None:
    told = str(RunDamaged("r1", ["entry 7 was altered", "entry 9 is missing"]))
    assert "entry 7 was altered; entry 9 is missing" in told
    assert "drrun status r1, drrun events r1" in told


@pytest.mark.parametrize(
    ("seq", "host", "told"),
    [
        (9, "db1", "db1 was told entry 9 of r1 by controller 3, but this journal ends with entry"),
        (4, "db1", "db1 was told another entry 4 of r1, by controller 3"),
        (4, "", "this machine was told another entry 4"),
    ],
)
def test_a_host_that_knows_another_journal_says_which_is_older(
    seq: int, host: str, told: str
) -> None:
    assert told in str(RecordDisputed("r1", host, (seq, 3), end=7))


@pytest.mark.parametrize(("runs", "names"), [(2, "r0, r1"), (5, "r0, r1, r2 …")])
def test_lost_runs_are_named_as_far_as_a_line_goes(runs: int, names: str) -> None:
    found = RunsLost([f"r{n}" for n in reversed(range(runs))], "the database is gone")
    assert f"the database is gone: there are traces of {names} in" in str(found)


def test_a_value_is_made_once_and_only_when_somebody_asks() -> None:
    made: list[str] = []

    def make(name: str) -> int:
        made.append(name)
        return len(made)

    lazily = Lazily({"a": 1, "b": 2}, make)
    asked = (list(lazily), len(lazily), "a" in lazily, lazily["b"], lazily["b"])
    assert (asked, made) == ((["a", "b"], 2, True, 1, 1), ["b"])


def test_a_name_that_does_not_exist_is_an_error_and_makes_nothing() -> None:
    lazily = Lazily({}, lambda name: name)
    assert "a" not in lazily
    with pytest.raises(KeyError):
        lazily["a"]


def test_what_is_made_late_reads_as_what_it_is() -> None:
    assert repr(Lazily({"a": 0}, str.upper)) == "{'a': 'A'}"


@without_collection()
def fail_without_collection() -> None:
    assert not gc.isenabled()
    raise RuntimeError


@pytest.mark.parametrize("on", [True, False])
def test_collecting_is_as_before_afterwards_even_after_a_fault(on: bool) -> None:
    before = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        with pytest.raises(RuntimeError):
            fail_without_collection()
        assert gc.isenabled() is on
    finally:
        (gc.enable if before else gc.disable)()


def asked() -> World:
    world = World(plan_of(step("a", approval={"role": "dba", "count": 2}))).start("drew")
    world.drive()
    return world


def test_nothing_is_signed_where_nothing_is_asked() -> None:
    assert signed_text(World(plan_of(step("a"))).state, "r1", KEY, "approve", "simon") == ""


@pytest.mark.faults(99)
def test_a_signature_is_good_for_one_answer_to_one_question() -> None:
    world = asked()
    text = signed_text(world.state, "r1", KEY, "approve", "simon")
    others = {
        signed_text(world.state, "r2", KEY, "approve", "simon"),
        signed_text(world.state, "r1", KEY, "reject", "simon"),
        signed_text(world.state, "r1", KEY, "approve", "ada"),
    }
    world.ask("reject", "simon", step="a")
    world.drive()
    world.now += 1
    world.record(ev.RunResumed(by="drew"))
    world.drive()
    others.add(signed_text(world.state, "r1", KEY, "approve", "simon"))
    assert len({text, *others}) == 5
