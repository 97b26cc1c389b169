"""How a run ends, in its word, its code and every view: nothing but the truth."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Done, Program
from tests.sshd import SshdFactory, until

RECOVERY = """\
drrun: 1
name: recovery
services: {web: {title: Web}}
steps:
  db-start: {run: "true", verify: {run: test -e up}}
  dns: {needs: [db-start], run: "true", verify: {run: "true"}, raises: {web: read-write}}
  net: {run: "true", verify: {run: "true"}, raises: {web: read-only}}
"""
TENANTS = """\
drrun: 1
name: tenants
steps:
  restore:
    for_each: [a, b, c]
    max_failures: 2
    run: '[ {{ item }} = a ] || { echo "the archive of" {{ item }} "is empty" >&2; exit 1; }'
    verify: [{run: "true"}]
"""
BY = ("--by", "alice")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def begin(program: Program, runbook: str, *words: str) -> Done:
    program.write("r.yml", runbook)
    return program.here("run", "r.yml", "--yes", "--no-input", *words)


def skipped_by_hand(program: Program) -> Done:
    """The night of a forgotten skip: the database is not started, DNS is left as it is."""
    begin(program, RECOVERY)
    for step in ("db-start", "dns"):
        program.here("skip", "latest", step, "--reason", "not needed tonight", *BY)
    return program.here("resume", "latest", "--no-input", "--yes")


def exceptions(program: Program) -> list[tuple[str, str, str, str]]:
    found = program.json("status", "latest")["exceptions"]
    return [(each["kind"], each["about"], each["by"] or "", each["why"] or "") for each in found]


def test_a_run_with_steps_skipped_by_hand_and_a_service_below_its_level_is_no_plain_success(
    program: Program,
) -> None:
    done = skipped_by_hand(program)
    assert done.exit == 7
    assert "succeeded with exceptions" in done.err
    assert "db-start, dns were skipped by alice: not needed tonight" in done.err
    assert "Web is below its level: it is read-only, not read-write" in done.err
    assert exceptions(program) == [
        ("skipped", "db-start", "alice", "not needed tonight"),
        ("skipped", "dns", "alice", "not needed tonight"),
        ("service", "web", "", "it is read-only, not read-write"),
    ]


def test_every_view_of_it_says_so(program: Program) -> None:
    skipped_by_hand(program)
    line = "db-start, dns were skipped by alice: not needed tonight"
    assert line in program.here("status", "latest").out
    assert "succeeded with exceptions" in program.here("history").out
    assert program.json("history")["runs"][0]["status"] == "succeeded with exceptions"
    for form, name in (("html", "r.html"), ("markdown", "r.md"), ("json", "r.json")):
        program.here("report", "latest", "--format", form, "-o", name)
        told = (program.folder / name).read_text()
        assert "not needed tonight" in told
        assert "it is read-only, not read-write" in told
    program.here("report", "latest", "--format", "csv", "-o", "r.csv")
    rows = list(csv.DictReader(io.StringIO((program.folder / "r.csv").read_text())))
    assert [row["exceptions"] for row in rows] == [
        "db-start was skipped by alice: not needed tonight",
        "dns was skipped by alice: not needed tonight",
        "",
        "Web is below its level: it is read-only, not read-write",
    ]


def test_a_public_report_names_neither_who_nor_why(program: Program) -> None:
    skipped_by_hand(program)
    program.here("report", "latest", "--format", "json", "-o", "r.json", "--redact", "public")
    told = (program.folder / "r.json").read_text()
    assert "succeeded with exceptions" in told
    assert "alice" not in told
    assert "not needed tonight" not in told


def test_there_is_nothing_to_resume_and_the_code_stays(program: Program) -> None:
    skipped_by_hand(program)
    done = program.here("resume", "latest", "--no-input", "--yes")
    assert (done.exit, "drrun status" in done.err) == (7, True)


@pytest.mark.faults(130)
def test_failures_within_their_limit_are_counted_and_named(program: Program) -> None:  # F130
    done = begin(program, TENANTS)
    assert done.exit == 7
    told = " ".join(done.err.split())
    assert "restore@b failed: exit 1: the archive of b is empty" in told
    assert "restore@c failed: exit 1: the archive of c is empty" in told
    for told in (
        program.here("status", "latest").out,
        program.here("report", "latest", "--format", "markdown", "-o", "-").out,
        program.here("report", "latest", "--format", "csv", "-o", "-").out,
    ):
        assert "1 of 3 passed, 2 failed" in " ".join(told.split())


def one(steps: str, head: str = "") -> str:
    return f"drrun: 1\nname: one\n{head}steps:\n{steps}"


def test_a_step_marked_done_is_an_exception(program: Program) -> None:
    begin(program, one('  a: {run: "false", verify: {run: "true"}}\n'))
    program.here("mark-done", "latest", "a", "--reason", "by hand", *BY)
    assert program.here("resume", "latest", "--no-input", "--yes").exit == 7
    assert exceptions(program) == [("marked done", "a", "alice", "by hand")]


def test_a_bypassed_guard_is_an_exception(program: Program) -> None:
    program.write(
        "r.yml",
        one(
            f"""\
  a: {{run: "true", guard: {{name: no writer, run: "false"}}, verify: {{run: "true"}}}}
  b: {{run: "while [ ! -e {program.folder}/go ]; do sleep 0.05; done", verify: {{run: "true"}}}}
"""
        ),
    )
    process = program.start("run", "r.yml", "--yes", "--no-input")
    assert until(lambda: '"TargetFailed"' in program.here("events", "latest", "--json").out)
    bypass = ("--bypass-guard", "no writer", "--reason", "it is dead")
    assert program.here("retry", "latest", "a", *bypass, *BY).exit == 0
    program.write("go", "")
    assert Done.of(process).exit == 7
    assert exceptions(program) == [("guard bypassed", "a", "alice", "no writer: it is dead")]


def test_a_step_that_nothing_verifies_is_named_and_ends_as_its_author_wrote_it(
    program: Program,
) -> None:
    assert begin(program, one('  a: {run: "true"}\n')).exit == 0
    assert exceptions(program) == [("not verified", "a", "", "no verify")]


def test_whoever_accepts_a_step_without_verify_says_so_in_the_runbook(program: Program) -> None:
    waiver = "waivers: {rule: missing-verify, reason: seen at once}\n"
    assert begin(program, one('  a: {run: "true"}\n', waiver)).exit == 0
    assert exceptions(program) == []


@pytest.mark.parametrize("part", [("--only", "a"), ("--from", "b"), ("--limit", "local")])
def test_a_part_that_was_chosen_and_passes_has_succeeded(
    part: tuple[str, str], program: Program
) -> None:
    runbook = one('  a: {run: "true", verify: {run: "true"}}\n  b: {run: "true", needs: [a]}\n')
    assert begin(program, runbook, *part, *BY).exit == 0


@pytest.mark.parametrize(
    "step",
    [
        'when: "false"',
        "modes: [rehearsal]",
        "variants: [planned]",
        'done_when: {run: "true"}',
    ],
)
def test_what_the_runbook_leaves_out_by_itself_is_no_exception(
    step: str, program: Program
) -> None:
    runbook = one(f'  a: {{run: "false", verify: {{run: "true"}}, {step}}}\n')
    assert begin(program, runbook).exit == 0
    assert exceptions(program) == []


def test_a_step_left_out_by_a_flag_is_an_exception(program: Program) -> None:
    runbook = one('  a: {run: "true", verify: {run: "true"}}\n  b: {run: "false"}\n')
    assert begin(program, runbook, "--skip", "b", *BY).exit == 7
    assert exceptions(program) == [("skipped", "b", "alice", "named by --skip")]


def test_a_branch_that_was_not_chosen_leaves_its_service_down(program: Program) -> None:
    runbook = one(
        '  a: {run: "true", verify: {run: "true"}, when: "false", raises: {web: read-write}}\n',
        "services: {web: {}}\n",
    )
    assert begin(program, runbook).exit == 7
    assert exceptions(program) == [("service", "web", "", "it is down, not read-write")]


def test_a_run_with_exceptions_makes_a_runbook_not_ready(program: Program) -> None:
    begin(program, one('  a: {run: "true"}\n  b: {run: "true"}\n'), "--skip", "b")
    done = program.here("readiness", "r.yml", "--json")
    told: dict[str, Any] = json.loads(done.out)["runbooks"][0]
    assert done.exit == 4
    assert "has succeeded with exceptions" in told["why"]


def test_a_part_of_a_runbook_does_not_make_it_ready(program: Program) -> None:
    part = begin(program, one('  a: {run: "true"}\n  b: {run: "true"}\n'), "--only", "a")
    assert (part.exit, program.here("readiness", "r.yml").exit) == (0, 4)


def test_help_explains_the_code(program: Program) -> None:
    assert "7  succeeded with exceptions" in program.here("help", "exit-codes").out


UNDO = """\
  a: {run: touch up, verify: {run: test -e up}, undo: {run: rm -f up}}
  b:
    needs: [a]
    run: touch b
    verify: {run: test -e b}
    undo: {run: rm b, verify: {run: "! test -e b"}}
"""


def here(program: Program, steps: str) -> str:
    return one(steps, f"defaults: {{chdir: {program.folder}}}\n")


def test_a_rollback_without_a_terminal_undoes_nothing_without_yes(program: Program) -> None:
    begin(program, here(program, UNDO))
    done = program("rollback", "latest")
    assert (done.exit, "drrun rollback latest --yes" in done.err) == (2, True), done.err
    assert (program.folder / "up").exists()
    assert program("rollback", "latest", "--no-input").exit == 2


def test_a_rollback_that_worked_ends_with_0(program: Program) -> None:
    begin(program, here(program, UNDO))
    config = program.write("ssh_config", "")
    options = ("--plain", "--no-input", "--ssh-config", str(config))
    done = program.here("rollback", "latest", "--yes", *options, *BY)
    assert (done.exit, (program.folder / "up").exists()) == (0, False), done.err
    assert program.json("status", "latest")["status"] == "rolled-back"
    assert program.here("cleanup", "latest", *options).exit == 0


def test_a_rollback_says_once_who_wanted_it(program: Program) -> None:
    begin(program, here(program, UNDO))
    done = program.here("rollback", "latest", "--yes", "--no-input", *BY)
    (line,) = (line for line in done.err.splitlines() if line[9:].startswith("rollback  "))
    assert (line.count("alice"), line.endswith(": b, a")) == (1, True), line


def test_an_undo_after_which_verify_still_holds_is_not_verified(program: Program) -> None:
    begin(program, here(program, UNDO.replace("undo: {run: rm -f up}", 'undo: {run: "true"}')))
    done = program.here("rollback", "latest", "--yes", "--no-input", *BY)
    assert done.exit == 7
    assert "a was undone, not verified: its verify still holds" in done.err
    assert program.json("status", "latest")["status"] == "rolled-back with exceptions"


def test_a_run_that_rolled_itself_back_has_failed_all_the_same(program: Program) -> None:
    bad = '  bad: {needs: [b], run: "false", verify: {run: "true"}, on_failure: rollback}\n'
    assert begin(program, here(program, UNDO + bad)).exit == 1
    assert program.json("status", "latest")["status"] == "rolled-back"


def test_a_host_that_is_away_leaves_its_step_not_rolled_back(
    program: Program, sshd_factory: SshdFactory
) -> None:
    server = sshd_factory.start()
    program.inventory({"db1": server})
    program.write("runbooks/r.yml", one(UNDO.replace("  b:\n", "  b:\n    on: db1\n")))
    assert program("run", "runbooks/r.yml", "--yes", "--no-input").exit == 0
    server.stop()
    done = program("rollback", "latest", "--yes", "--no-input", *BY)
    assert done.exit == 7, done.err
    assert "b@db1 was not rolled back: " in done.err
    assert "a was not rolled back: b, which needs it, is not rolled back" in done.err
    run = program.json("status", "latest")
    assert {each["id"]: each["status"] for each in run["steps"]} == {"a": "passed", "b": "passed"}
    assert f"drrun rollback {run['run']}" in done.err


FAILED_UNDO = """\
  a: {run: touch up, verify: {run: test -e up}, undo: {run: rm -f up}}
  b:
    needs: [a]
    run: touch b
    verify: {run: test -e b}
    undo: {run: test -e allowed && rm b, verify: {run: "! test -e b"}}
"""


def test_the_capture_of_a_step_is_not_wanted_of_its_undo(program: Program) -> None:
    begin(program, here(program, """\
  a:
    run: touch up; echo table 20 of 20
    capture: {rows: {regex: 'table ([0-9]+) of 20', as: int}}
    verify: {run: test -e up}
    undo: {run: rm -f up}
"""))  # fmt: skip
    done = program.here("rollback", "latest", "--yes", "--no-input", *BY)
    assert (done.exit, (program.folder / "up").exists()) == (0, False), done.err


def test_an_undo_that_failed_is_tried_again_by_the_next_rollback(program: Program) -> None:
    begin(program, here(program, FAILED_UNDO))
    assert program.here("rollback", "latest", "--yes", "--no-input", *BY).exit == 1
    assert (program.folder / "up").exists()
    (program.folder / "allowed").touch()
    done = program.here("rollback", "latest", "--yes", "--no-input", *BY)
    assert (done.exit, (program.folder / "up").exists()) == (0, False), done.err
    assert program.json("status", "latest")["status"] == "rolled-back"


def test_mark_done_of_a_failed_undo_says_that_it_is_undone_by_hand(program: Program) -> None:
    begin(program, here(program, FAILED_UNDO))
    failed = program.here("rollback", "latest", "--yes", "--no-input", *BY)
    assert failed.exit == 1
    run = program.json("status", "latest")["run"]
    assert f"next:    drrun rollback {run}" in failed.err
    assert f"drrun mark-done {run} b --reason WHY" in failed.err
    assert "drrun edit" not in failed.err
    (program.folder / "b").unlink()
    refused = program.here("skip", "latest", "b", "--reason", "gone", *BY)
    assert (refused.exit != 0, "drrun mark-done RUN b" in refused.err) == (True, True), refused.err
    assert program.here("mark-done", "latest", "b", "--reason", "I removed it", *BY).exit == 0
    done = program.here("resume", "latest", "--yes", "--no-input", *BY)
    assert (done.exit, (program.folder / "up").exists()) == (1, False), done.err
    assert "b was marked undone by alice: I removed it" in done.err
    assert program.json("status", "latest")["status"] == "rolled-back with exceptions"
