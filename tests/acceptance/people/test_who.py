"""Who typed it: the account beside the name, who may answer, and approvals nobody can complete."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: who
roles:
  ops: {people: [root, bob, alice]}
  commander: {people: [alice, carol]}
steps:
  which:
    owner: ops
    decision: which?
    options: {first: {}, second: {}}
    authority: commander
  dns:
    owner: ops
    needs: [which]
    approval: {role: commander, count: 2}
    run: "true"
    verify: {run: "true"}
  final:
    owner: ops
    approval: {role: commander}
    irreversible: true
    run: "true"
    verify: {run: "true"}
"""

ACCOUNT = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("runbooks/it.yml", RUNBOOK)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    return program


def begin(program: Program, by: str) -> "subprocess.Popen[str]":
    process = program.start("run", "runbooks/it.yml", "--yes", "--linger", "1h", "--by", by)
    assert process.stdout is not None
    assert process.stdout.readline()
    assert until(lambda: "which?" in program.here("status", "latest").out)
    return process


@pytest.fixture
def driven(program: Program) -> Iterator["subprocess.Popen[str]"]:
    process = begin(program, "bob")
    yield process
    process.kill()
    Done.of(process)


def asked(program: Program, step: str) -> dict[str, object]:
    """What is asked about a step now."""
    found: list[dict[str, object]] = []

    def is_asked() -> bool:
        asks = program.json("status", "latest")["asks"]
        found[:] = [each for each in asks if each["step"] == step]
        return bool(found)

    assert until(is_asked)
    return found[0]


def test_the_account_that_was_used_stands_beside_the_name(
    program: Program, driven: "subprocess.Popen[str]"
) -> None:
    program.here("decide", "latest", "which", "first", "--by", "carol")
    asked(program, "dns")
    program.here("approve", "latest", "dns", "--by", "alice")
    seat = f"{ACCOUNT}@{os.uname().nodename}"
    status = program.here("status", "latest").out
    assert f"by bob ({seat}" in status
    assert f"1 of 2 have approved: alice ({seat}" in status
    assert f"carol ({seat}" in program.here("show", "latest", "which").out
    assert f"carol ({seat}" in program.here("report", "latest", "--format", "markdown").out
    events = program.here("events", "latest").out
    assert f"carol SeatTaken by=carol host={os.uname().nodename}" in events
    assert f"user={ACCOUNT}" in next(line for line in events.splitlines() if "Took" in line)


def test_a_gate_names_its_role_and_never_the_owner(
    program: Program, driven: "subprocess.Popen[str]"
) -> None:
    for step in ("which", "final"):
        assert asked(program, step)["people"] == ["alice", "carol"]
    driven.kill()
    said = Done.of(driven).err
    assert "which asks commander (alice, carol)" in said
    assert "asks ops" not in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("handover zoe bye --by bob", "drrun note RUN --by zoe"),
        ("handover aliec bye --by bob", "did you mean 'alice'?"),
        ("assign dns comander", "nobody in this run is called 'comander'"),
        ("assign dns commander", "commander is a role, not a person; its people: alice, carol"),
        ("lost person:zoe --reason x", "there is no person 'zoe'"),
        ("found person:carlo", "did you mean 'carol'?"),
        ("lost sit:phl --reason x", "did you mean 'site'?"),
        ("set-route db1 auto", "there is no host 'db1'"),
        ("claim dsn", "did you mean 'dns'?"),
    ],
)
def test_who_or_what_nobody_knows_is_refused_with_the_nearest_name(
    program: Program, command: str, said: str
) -> None:
    done = program("run", "runbooks/it.yml", "--yes", "--no-input", "--by", "bob")
    assert done.exit == 3, done.err
    name, *rest = command.split()
    done = program.here(name, "latest", *rest)
    assert (done.exit, said in done.err) == (2, True), done.err


def test_somebody_whom_no_role_names_takes_part_by_a_first_word(
    program: Program, driven: "subprocess.Popen[str]"
) -> None:
    warned = program.here("note", "latest", "I take part", "--by", "zoe")
    assert (warned.exit, "no role of this runbook names 'zoe'" in warned.err) == (0, True)
    done = program.here("handover", "latest", "zoe", "all is well", "--by", "bob")
    assert done.exit == 0, done.err


def test_who_has_approved_cannot_reject_as_well(
    program: Program, driven: "subprocess.Popen[str]"
) -> None:
    program.here("decide", "latest", "which", "first", "--by", "carol")
    asked(program, "dns")
    program.here("approve", "latest", "dns", "--by", "alice")
    done = program.here("reject", "latest", "dns", "--by", "alice", "--reason", "hm")
    assert (done.exit, "alice has approved dns, and a person" in done.err) == (2, True)
    assert asked(program, "dns")["approved"] == ["alice"]
    assert program.here("reject", "latest", "dns", "--by", "carol", "--reason", "hm").exit == 0


def test_an_approval_nobody_can_complete_is_told_with_the_way_out(program: Program) -> None:
    process = begin(program, "alice")
    program.here("decide", "latest", "which", "first", "--by", "carol")
    ask = asked(program, "dns")
    assert ask["people"] == ["carol"]
    assert "2 more of commander (alice, carol) must approve, and carol may (alice drives" in str(
        ask["stuck"]
    )
    status = program.here("status", "latest").out
    assert "--by NAME    (somebody else drives it)" in status
    refused = program.here("approve", "latest", "dns", "--by", "alice").err
    assert "nobody can complete this approval" in refused
    assert "drrun resume RUN --by NAME" in refused
    process.kill()
    assert "dns needs 2 of commander (alice, carol) to approve, and alice may not" in (
        Done.of(process).err
    )
    other = program.start("resume", "latest", "--by", "bob", "--linger", "1h")
    assert until(lambda: asked(program, "dns")["stuck"] is None)
    other.kill()
    Done.of(other)


def test_who_went_back_to_a_decision_may_still_approve_what_follows(
    program: Program, driven: "subprocess.Popen[str]"
) -> None:
    program.here("decide", "latest", "which", "first", "--by", "carol")
    asked(program, "dns")
    program.here(
        "reject", "latest", "dns", "--rewind-to", "which", "--by", "alice", "--reason", "second!"
    )
    asked(program, "which")
    program.here("decide", "latest", "which", "second", "--by", "carol")
    assert asked(program, "dns")["stuck"] is None
    assert program.here("approve", "latest", "dns", "--by", "alice").exit == 0
    assert program.here("approve", "latest", "dns", "--by", "carol").exit == 0
    assert until(lambda: "passed   dns" in program.here("status", "latest").out)


def test_an_approval_by_everybody_in_the_role_is_found_before_the_night(program: Program) -> None:
    done = program.here("validate", "runbooks/it.yml")
    assert (
        "2 of commander (alice, carol) must approve, and the person who drives the run" in done.out
    )
