"""A runbook inside a runbook: its steps become steps of the run, with names of their own."""

from pathlib import Path

import pytest

from tests.programs import Done, Program

OUTER = """
drrun: 1
name: outer
inputs: {site: {type: string, default: ams}}
steps:
  before: {run: echo before >>$HOME/effects, verify: {run: "true"}}
  restore:
    uses: runbook
    with: {file: parts/inner.yml, inputs: {what: "git-{{ inputs.site }}"}}
    needs: [before]
    %s
  after: {run: echo after >>$HOME/effects, needs: [restore], verify: {run: "true"}}
"""
INNER = """
drrun: 1
name: inner
inputs: {what: {type: string}}
steps:
  copy:
    run: echo copy {{ inputs.what }} >>$HOME/effects; echo got=7
    capture: {got: {from: stdout, regex: 'got=(\\d+)'}}
    verify: {run: "true"}
  check:
    run: echo check {{ steps.copy.got }} >>$HOME/effects
    needs: [copy]
    verify: {run: "true"}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("runbooks/outer.yml", OUTER % "")
    program.write("runbooks/parts/inner.yml", INNER)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    return program


def run(program: Program, *arguments: str) -> Done:
    return program("run", "runbooks/outer.yml", "--yes", "--no-input", *arguments)


def effects(program: Program) -> list[str]:
    path = program.folder / "effects"
    return path.read_text().splitlines() if path.exists() else []


def statuses(program: Program) -> dict[str, str]:
    return {step["id"]: step["status"] for step in program.json("status", "latest")["steps"]}


def test_its_steps_are_done_where_it_stands_with_its_own_inputs(program: Program) -> None:
    done = run(program)
    assert (done.exit, effects(program)) == (0, ["before", "copy git-ams", "check 7", "after"])


def test_its_steps_are_told_apart_in_the_record(program: Program) -> None:
    run(program)
    assert list(statuses(program)) == [
        "before", "restore--copy", "restore--check", "restore", "after",
    ]  # fmt: skip


def test_a_failure_inside_blocks_what_needs_it(program: Program) -> None:
    program.write("runbooks/parts/inner.yml", INNER.replace("echo got=7", "exit 3"))
    assert run(program).exit == 1
    assert statuses(program)["after"] == "blocked"


def test_a_condition_that_is_false_leaves_all_of_it_out(program: Program) -> None:
    program.write("runbooks/outer.yml", OUTER % "when: inputs.site == 'phl'")
    assert (run(program).exit, effects(program)) == (0, ["before", "after"])


def test_a_guard_comes_before_all_of_it(program: Program) -> None:
    program.write("runbooks/outer.yml", OUTER % "guard: {run: 'false'}")
    assert (run(program).exit, effects(program)) == (1, ["before"])


def test_what_is_wrong_inside_is_told_with_its_place(program: Program) -> None:
    program.write("runbooks/parts/inner.yml", INNER.replace("needs: [copy]", "needs: [cpoy]"))
    done = run(program)
    assert (done.exit, "parts/inner.yml:" in done.err, "cpoy" in done.err) == (2, True, True)


def test_an_input_that_it_does_not_know_is_told(program: Program) -> None:
    program.write("runbooks/outer.yml", (OUTER % "").replace("inputs: {what:", "inputs: {wat:"))
    done = run(program)
    assert (done.exit, "unknown input 'wat'" in done.err) == (2, True), done.err


def test_a_runbook_that_contains_itself_is_refused(program: Program) -> None:
    itself = "steps:\n  again: {uses: runbook, with: {file: parts/inner.yml}}\n"
    program.write("runbooks/parts/inner.yml", f"drrun: 1\nname: inner\n{itself}")
    program.write("runbooks/outer.yml", f"drrun: 1\nname: outer\n{itself}")
    done = run(program)
    assert (done.exit, "deep" in done.err) == (2, True), done.err


def test_a_resumed_run_has_the_part_as_it_was(program: Program) -> None:
    failing = INNER.replace("echo got=7", "echo got=7; test -e $HOME/go")
    program.write("runbooks/parts/inner.yml", failing)
    run(program)
    program.write("runbooks/parts/inner.yml", "not even YAML: [")
    program.write("go", "")
    done = program("resume", "latest", "--no-input", "--pinned")
    assert (done.exit, effects(program)[-2:]) == (0, ["check 7", "after"]), done.err


@pytest.mark.parametrize("arguments", ["", ", with: {}", ", with: {file: [x]}"])
def test_a_step_that_names_no_runbook_is_an_error_beside_the_others(
    arguments: str, program: Program
) -> None:
    steps = f"steps:\n  sub: {{uses: runbook{arguments}}}\n  b: {{run: x, needs: [zz]}}\n"
    program.write("runbooks/outer.yml", f"drrun: 1\nname: outer\n{steps}")
    done = program.here("validate", "runbooks/outer.yml")
    assert (done.exit, "outer.yml:4" in done.out, "unknown step 'zz'" in done.out) == (
        2,
        True,
        True,
    )
