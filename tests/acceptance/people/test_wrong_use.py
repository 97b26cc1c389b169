"""Every command that acts on a run, used wrongly: exit 2, and what to do instead."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: wrong
roles: {admins: {people: [drew, simon]}}
steps:
  done: {run: "true", verify: {run: "true"}, estimate: {p50: 1s, p90: 2s}}
  fails: {run: exit 1, verify: {run: "true"}}
  runs:
    run: while [ ! -e go ]; do sleep 0.05; done
    estimate: {p50: 100ms, p90: 200ms}
    verify: {run: "true"}
  asks: {manual: "what is the serial?", input: {serial: int}}
  proof: {manual: show it, evidence: required}
  may: {run: "true", approval: {role: admins, type_to_confirm: ams}, verify: {run: "true"}}
  how: {decision: how?, options: {a: {}, b: {}}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder: Path = tmp_path_factory.mktemp("wrong")
    program = Program(folder)
    program.write("runbooks/it.yml", RUNBOOK)
    program.write("inventory/hosts.yml", "hosts: {db1: {address: 127.0.0.1}}\n")
    process: subprocess.Popen[str] = program.start(
        "run", "runbooks/it.yml", "--yes", "--linger", "1h", "--by", "drew"
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    wanted = ("how?", "show it", "serial", "May may begin", "exit 1")
    assert until(lambda: all(word in program.here("status", "latest").out for word in wanted))
    yield program
    (folder / "go").touch()
    process.kill()
    Done.of(process)


WRONG = (
    ("approve asks", "drrun confirm"),
    ("approve may --by drew", "somebody else"),
    ("approve may --by simon", "--type 'ams'"),
    ("approve may --by mallory --type ams", "admins (drew, simon)"),
    ("confirm may", "drrun approve"),
    ("confirm how", "drrun decide"),
    ("confirm asks", "--input serial=<int>"),
    ("confirm asks --input serial=abc", "is not a whole number"),
    ("confirm asks --input serial=1 --input colour=red", "nobody asked for colour"),
    ("confirm proof", "--evidence"),
    ("confirm done", "does not ask for an answer: it is passed"),
    ("reject done", "does not ask for an answer: it is passed"),
    ("reject how --rewind-to nope", "no step 'nope' to go back to"),
    ("decide how c", "not an option of how: a, b"),
    ("decide asks a", "drrun confirm"),
    ("retry done", "there is nothing to retry"),
    ("retry runs", "there is nothing to retry"),
    ("retry fails --bypass-guard x --reason y", "has no guard 'x'"),
    ("retry fails --target ams", "has no target 'ams'"),
    ("skip fails", "--reason"),
    ("skip done --reason x", "is passed already"),
    ("skip runs --reason x", "wait, or abort the run"),
    ("mark-done fails", "--reason"),
    ("mark-done done --reason x", "is passed already"),
    ("mark-done nope --reason x", "there is no step 'nope'"),
    ("abort", "--reason"),
    ("claim nope", "there is no step 'nope'"),
    ("assign nope simon", "there is no step 'nope'"),
    ("handover drew bye --by drew", "to yourself"),
    ("note hello --step nope", "there is no step 'nope'"),
    ("lost site:ams", "--reason"),
    ("lost planet:mars --reason x", "cannot be lost"),
    ("lost host:nope --reason x", "there is no host 'nope'; known: db1"),
    ("found host:db1", "was not declared lost"),
    ("set-route nope oob", "no host 'nope'"),
    ("set-route db1 oob", "no route 'oob'"),
    ("rollback --yes", "nothing that has passed can be undone"),
    ("amend /nonexistent --reason x", "cannot be read"),
)


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[words for words, _ in WRONG])
def test_a_wrong_use_is_refused_and_the_way_out_is_told(
    program: Program, words: str, said: str
) -> None:
    command, *rest = words.split()
    done = program.here(command, "latest", *rest)
    assert (done.exit, said in done.err) == (2, True), done.err


def test_a_pause_twice_and_an_unpause_of_what_goes_on_are_harmless(program: Program) -> None:
    first, second = program.here("pause", "latest"), program.here("pause", "latest")
    back, again = program.here("unpause", "latest"), program.here("unpause", "latest")
    assert [each.exit for each in (first, second, back, again)] == [0, 0, 0, 0]
    assert ("paused already" in second.err, "is not paused" in again.err) == (True, True)


def test_a_step_without_a_limit_that_takes_long_is_flagged_and_goes_on(program: Program) -> None:
    assert until(lambda: "AttemptLate" in program.here("events", "latest").out)
    found = program.json("status", "latest")
    runs = next(step for step in found["steps"] if step["id"] == "runs")
    assert (runs["status"], runs["late"]) == ("running", True)


def test_the_hours_of_everybody_are_told(program: Program) -> None:
    program.here("note", "latest", "hello", "--by", "simon")
    assert "on duty" in program.here("status", "latest").out
    assert "simon" in program.here("status", "latest").out.split("on duty")[1]
