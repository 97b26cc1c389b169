"""A plan that was reviewed is executed exactly so, or not at all."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs import Done, Program

RUNBOOK = """\
drrun: 1
name: move
inputs:
  site: {type: string, required: true}
  notice: {type: string, default: notice}
steps:
  tell: {run: "echo to {{ inputs.site }} >> $OUT", env: {OUT: "{{ vars.out }}"}, \
verify: {run: "true"}}
  send: {uses: copy, with: {source: "{{ inputs.notice }}.txt", to: "{{ vars.out }}.notice"}, \
needs: [tell], undo: {uses: copy, with: {source: gone.txt, to: "{{ vars.out }}.notice"}}}
  later: {run: "true", verify: {run: "true"}}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("runbooks/move.yml", f"{RUNBOOK}vars: {{out: {tmp_path}/out}}\n")
    program.write("runbooks/notice.txt", "back soon\n")
    program.write("runbooks/gone.txt", "nothing to see\n")
    program.write("inventory/hosts.yml", "hosts: {db1: {}}\n")
    done = program.here(
        "plan", "runbooks/move.yml", "-e", "site=ams", "--skip", "later", "-o", "move.plan"
    )
    assert done.exit == 0, done.err
    return program


def run(program: Program, *arguments: str) -> Done:
    return program("run", "move.plan", "--yes", "--no-input", *arguments)


def test_it_is_executed_with_what_was_chosen(program: Program) -> None:
    done = run(program)
    assert (done.exit, (program.folder / "out").read_text()) == (7, "to ams\n"), done.err
    steps = {each["id"]: each["status"] for each in program.json("status", "latest")["steps"]}
    assert steps == {"tell": "passed", "send": "passed", "later": "skipped"}


def test_it_is_executed_where_the_files_are_no_more(program: Program, tmp_path: Path) -> None:
    (tmp_path / "runbooks" / "move.yml").unlink()
    (tmp_path / "inventory" / "hosts.yml").unlink()
    assert run(program).exit == 7


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("runbooks/move.yml", "+  # later"),
        ("inventory/hosts.yml", "+  # later"),
        ("runbooks/notice.txt", "notice.txt: a file that is sent to hosts"),
        ("runbooks/gone.txt", "gone.txt: a file that is sent to hosts"),
    ],
)
def test_what_changed_since_is_shown_and_nothing_is_executed(
    program: Program, tmp_path: Path, file: str, told: str
) -> None:
    with (tmp_path / file).open("a") as opened:
        opened.write("  # later\n")
    done = run(program)
    assert (done.exit, told in done.err, (tmp_path / "out").exists()) == (2, True, False), done.err


@pytest.mark.parametrize(
    "arguments",
    [["-e", "site=fre"], ["--mode", "rehearsal"], ["--only", "tell"], ["-i", "inventory"]],
)
def test_nothing_is_chosen_again(program: Program, arguments: list[str]) -> None:
    done = run(program, *arguments)
    assert (done.exit, "is a pinned plan" in done.err) == (2, True), done.err


DAMAGE: dict[str, Callable[[str], str]] = {
    "altered": lambda text: text.replace("ams", "fre"),
    "cut short": lambda text: text[:-40],
    "without its sum": lambda text: text.replace('"sha256": "', '"sum": "'),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_one_is_refused(program: Program, damage: Callable[[str], str]) -> None:
    program.write("move.plan", damage((program.folder / "move.plan").read_text()))
    done = run(program)
    assert (done.exit, "altered or cut short" in done.err) == (2, True), done.err


def test_it_is_looked_at_like_a_runbook(program: Program) -> None:
    shown = program.here("plan", "move.plan", "--json")
    planned = {each["id"] for each in json.loads(shown.out)["steps"]}
    assert planned == {"tell", "send", "later"}
    assert program.here("simulate", "move.plan").exit == 0


def test_where_it_cannot_be_written_that_is_told(program: Program) -> None:
    done = program.here("plan", "runbooks/move.yml", "-e", "site=ams", "-o", "no/such/move.plan")
    assert (done.exit, "no/such/move.plan: no such file" in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    "file", ["runbooks/move.yml", "inventory/hosts.yml", "runbooks/notice.txt"]
)
def test_no_other_file_is_overwritten(program: Program, tmp_path: Path, file: str) -> None:
    before = (tmp_path / file).read_bytes()
    done = program.here("plan", "runbooks/move.yml", "-e", "site=ams", "-o", file)
    assert (done.exit, "is not a pinned plan" in done.err) == (2, True), done.err
    assert (tmp_path / file).read_bytes() == before


def test_from_another_folder_a_change_is_seen_all_the_same(
    program: Program, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    there = Program(tmp_path / "elsewhere")
    assert there.here("plan", "../move.plan", "-o", "again.plan").exit == 0
    (tmp_path / "out.notice").mkdir()  # so that one step fails
    assert there("run", "again.plan", "--yes", "--no-input").exit == 1
    (tmp_path / "out.notice").rmdir()
    with (tmp_path / "runbooks/move.yml").open("a") as opened:
        opened.write("  # later\n")
    assert "+  # later" in there.here("plan", "again.plan").err
    with (tmp_path / "runbooks/move.yml").open("a") as opened:
        opened.write("locks: {disk: 1}\n")
    resumed = there("resume", "latest", "--no-input")
    assert (resumed.exit, "+locks: {disk: 1}" in resumed.err) == (2, True), resumed.err


def test_a_plan_that_an_editor_changed_is_told_as_one(program: Program) -> None:
    text = (program.folder / "move.plan").read_text()
    program.write("move.plan", "\ufeff" + text)
    done = run(program)
    assert (done.exit, "a pinned plan" in done.err) == (2, True), done.err
    assert "a pinned plan" in program.here("validate", "move.plan").err


def test_what_is_doubted_is_told_of_a_pinned_plan_too(program: Program) -> None:
    strict = program.here("plan", "move.plan", "--strict")
    assert (strict.exit, "verify" in strict.err) == (2, True), strict.err
