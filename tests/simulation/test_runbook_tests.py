"""`drrun test`: what a runbook promises is tried in the users' own CI."""

import json
from pathlib import Path

import pytest

from tests.programs import Program

ROOT = Path(__file__).parents[2]
RUNBOOK = """
drrun: 1
name: restore
inputs: {copies: {type: int, default: 1}}
roles: {boss: {people: [drew, simon]}}
services: {db: {priority: 1}}
steps:
  lag: {run: "true", capture: {seconds: {regex: '(\\\\d+)'}}, verify: {run: "true"}}
  gate: {needs: [lag], owner: boss, manual: go?}
  late: {needs: [lag], when: "steps.lag.seconds > 300", run: "true", verify: {run: "true"}}
  restore:
    needs: [gate]
    estimate: 2h
    run: "true"
    retry: {attempts: 3, delay: 1m}
    verify: {run: "true"}
    raises: {db: read-only}
  open:
    needs: [restore]
    estimate: 1h
    run: "true"
    verify: {run: "true"}
    raises: {db: read-write}
  choose:
    decision: {question: which?, options: {wait: {title: wait}, go: {title: go}}, authority: boss}
"""
HEAD = "drrun-test: 1\nrunbook: restore.yml\ntests:\n"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    place = Program(tmp_path)
    place.write("restore.yml", RUNBOOK)
    return place


def tried(program: Program, test: str) -> tuple[int, str]:
    """The exit code and what is said of one test, given as YAML of its keys."""
    program.write("t.yml", f"{HEAD}  - name: it is as promised\n" + test)
    done = program.here("test", "t.yml")
    return done.exit, done.out + done.err


@pytest.mark.parametrize(
    "test",
    [
        "    expect: {run: succeeded, order: [lag, gate, open], services: {db: read-write}}",
        (
            "    results: {restore: {attempts: [{exit: 1}, {exit: 0}]}}\n"
            "    expect: {run: succeeded, attempts: {restore: 2}}"
        ),
        (
            "    results: {restore: {verify: fails}}\n"
            "    expect: {run: failed, steps: {restore: failed}, blocked: [open]}"
        ),
        (
            "    results: {gate: {answer: reject}}\n"
            "    expect: {run: failed, blocked: [restore, open], services: {db: down}}"
        ),
        (
            "    results: {gate: {answer: none}}\n"
            "    expect: {run: waiting, steps: {restore: pending, lag: passed}}"
        ),
        "    results: {lag: {captured: {seconds: 10}}}\n    expect: {steps: {late: skipped}}",
        "    results: {lag: {captured: {seconds: 400}}}\n    expect: {steps: {late: passed}}",
        "    results: {lag: {done: true}}\n    expect: {steps: {lag: passed}, run: succeeded}",
        "    results: {restore: {outcome: unknown, verify: holds}}\n    expect: {run: succeeded}",
        (
            "    results: {restore: {outcome: unknown, verify: fails, answer: reject}}\n"
            "    expect: {run: failed, steps: {restore: failed}}"
        ),
        "    results: {restore: {takes: 5h}}\n    expect: {within: 6h, run: succeeded}",
        (
            "    happens: [{lose: person:drew, at: 0s}, {lose: person:simon, at: 0s}]\n"
            "    expect: {run: waiting, steps: {restore: pending}}"
        ),
        (
            "    happens: [{relapse: restore, at: 150m}]\n"
            "    expect: {run: succeeded, attempts: {restore: 2}}"
        ),
    ],
)
def test_what_is_as_promised_is_well(program: Program, test: str) -> None:
    assert tried(program, test) == (0, "ok    it is as promised\n1 test, 0 failed\n")


@pytest.mark.parametrize(
    ("test", "difference"),
    [
        ("    expect: {run: failed}", "run: expected failed, saw succeeded"),
        ("    expect: {order: [open, lag]}", "order: expected open before lag"),
        ("    expect: {steps: {lag: failed}}", "step lag: expected failed, saw passed"),
        ("    expect: {blocked: [open]}", "blocked: expected open, saw nothing"),
        ("    expect: {services: {db: down}}", "service db: expected down, saw read-write"),
        ("    expect: {attempts: {lag: 2}}", "attempts of lag: expected 2, saw 1"),
        ("    expect: {within: 1h}", "within: expected at most 1h, took 3h"),
        ("    results: {gate: {answer: none}}\n    expect: {order: [gate, open]}",
         "order: expected open to begin, it never did"),
    ],
)  # fmt: skip
def test_the_first_difference_is_told(program: Program, test: str, difference: str) -> None:
    code, told = tried(program, test)
    assert (code, difference in told) == (1, True), told


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ("    expect: {steps: {nope: passed}}", "no step 'nope'"),
        ("    expect: {services: {nope: down}}", "no service 'nope'"),
        ("    results: {lagg: {exit: 1}}\n    expect: {}", "did you mean"),
        ("    results: {lag@db1: {exit: 1}}\n    expect: {}", "no target 'db1'"),
        ("    results: {lag: {exit: much}}\n    expect: {}", "whole number"),
        ("    happens: [{lose: site:x, at: 1h}]\n    expect: {}", "no site 'x'"),
        ("    happens: [{lose: person:drew}]\n    expect: {}", "when?"),
        ("    expected: {}", "unknown key 'expected'"),
    ],
)
def test_a_test_that_cannot_be_is_refused_with_its_place(
    program: Program, test: str, what: str
) -> None:
    code, told = tried(program, test)
    assert (code, what in told, "t.yml:" in told) == (2, True, True), told


def test_a_machine_can_read_what_came_of_it(program: Program) -> None:
    program.write("t.yml", f"{HEAD}  - {{name: a, expect: {{run: failed}}}}\n")
    done = program.here("test", "t.yml", "--json")
    (told,) = json.loads(done.out)["tests"]
    assert (done.exit, told["passed"], told["difference"]) == (
        1,
        False,
        "run: expected failed, saw succeeded",
    )


def test_the_examples_do_what_their_tests_promise() -> None:
    place = Program(ROOT)
    files = sorted((ROOT / "runbooks/tests").glob("*.yml"))
    done = place.here("test", *map(str, files))
    assert (done.exit, len(files) > 0) == (0, True), done.out + done.err
