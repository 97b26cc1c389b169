"""What people add to a run after it: findings, follow-ups, clocks; and when it may be closed."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.programs import Program
from tests.sshd import Sshd

RUNBOOK = """
drrun: 1
name: after
services: {web: {stores: [sql], objectives: {rto: 1h}}}
steps:
  restore: {on: db1, run: "true", verify: {run: "true"}, restores: [sql], raises: {web: read-only}}
  detour:
    needs: [restore]
    run: "true"
    verify: {run: "true"}
    raises: {web: read-write}
    workaround: {reason: over the small line, owner: drew, expires: 30d}
    follow_up: Order a bigger line
"""


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    place = Program(tmp_path)
    place.write("after.yml", RUNBOOK)
    place.inventory({"db1": sshd})
    inventory = json.loads((tmp_path / "inventory/hosts.yml").read_text())
    age = {"on": "db1", "run": f"cat {sshd.home}/age"}
    inventory["stores"] = {"sql": {"on": "db1", "backups": [{"to": "db1", "age": age}]}}
    place.write("inventory/hosts.yml", json.dumps(inventory))
    (sshd.home / "age").write_text("86400\n")
    assert place("run", "after.yml", "--yes", "--no-input").exit == 0
    return place


def added(program: Program) -> None:
    assert program.here("finding", "latest", "Nobody had the number", "--severity", "high",
                   "--owner", "simon", "--due", "2026-12-01").exit == 0  # fmt: skip
    assert program.here("follow-up", "latest", "=Write it down").exit == 0


def test_a_finding_is_kept_after_the_end_and_the_chain_holds(program: Program) -> None:
    added(program)
    assert program.here("verify-journal", "latest").exit == 0
    assert program.json("status", "latest")["status"] == "succeeded"
    found = program.json("follow-ups", "latest")["open"]
    assert [(each["kind"], each["text"], each["owner"]) for each in found] == [
        ("finding", "Nobody had the number", "simon"),
        ("follow-up", "=Write it down", None),
        ("follow-up", "Order a bigger line", None),
        ("workaround", "over the small line", "drew"),
    ]


def test_follow_ups_leave_as_csv_that_no_spreadsheet_executes(program: Program) -> None:
    added(program)
    rows = list(csv.DictReader(io.StringIO(program.here("follow-ups", "--format", "csv").out)))
    assert (rows[0]["due"], rows[1]["text"]) == ("2026-12-01", "'=Write it down")


def test_follow_ups_leave_as_a_task_list(program: Program) -> None:
    added(program)
    lines = program.here("follow-ups", "--format", "markdown").out.splitlines()
    assert lines[0] == "- [ ] Nobody had the number (severity high, simon, until 2026-12-01)"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["finding", "latest", "x", "--due", "soon"], "write a date"),
        (["finding", "latest", "x", "--step", "nope"], "no step 'nope'"),
        (["clocks", "latest", "--detected", "2099-01-01", "--reason", "r"], "in the future"),
        (["clocks", "latest", "--detected", "yesterday", "--reason", "r"], "is not a moment"),
        (["clocks", "latest", "--detected", "nan", "--reason", "r"], "is not a moment"),
        (["clocks", "latest", "--detected", "2024-01-01"], "--reason"),
    ],
)
def test_what_cannot_be_is_refused(program: Program, words: list[str], why: str) -> None:
    done = program(*words)
    assert (done.exit, why in done.err) == (2, True), done.err


def test_a_run_is_not_closed_while_things_are_open(program: Program, sshd: Sshd) -> None:
    done = program.here("close", "latest", "--json")
    told = json.loads(done.out)
    assert (done.exit, told["closed"]) == (3, False)
    assert [each.partition(":")[0] for each in told["open"]] == [
        "workaround of detour",
        "store sql",
    ]
    (sshd.home / "age").write_text("0\n")
    assert len(json.loads(program.here("close", "latest", "--json").out)["open"]) == 1


def test_whoever_closes_all_the_same_answers_for_it(program: Program) -> None:
    assert program.here("close", "latest", "--reason", "moved to the next run").exit == 0
    again = program.here("close", "latest")
    assert (again.exit, "closed already" in again.err) == (0, True)
    told = program.here("events", "latest").out
    assert told.count("RunClosed") == 1
    assert "moved to the next run" in told
    assert "over the small line" in told


def test_clocks_are_shown_and_stated_all_or_none(program: Program) -> None:
    both = ("--detected", "2024-01-10T06:00Z", "--declared", "soon", "--reason", "r")
    before = program.json("clocks", "latest")["clocks"]
    assert program.here("clocks", "latest", *both).exit == 2
    assert program.json("clocks", "latest")["clocks"] == before
    assert "run started" in program.here("clocks", "latest").out
