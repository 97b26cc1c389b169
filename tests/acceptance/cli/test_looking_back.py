"""Two runs of a runbook, looked at afterwards: what differs, what was printed, how long."""

import json
import re
from pathlib import Path

import pytest

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: back
objectives: {rto: 1h}
services: {git: {title: Git, stores: []}}
steps:
  one:
    run: "echo 'needle one'"
    verify: {run: "true"}
    undo: {run: "echo needle undone", verify: {run: "true"}}
  two:
    run: "echo two"
    needs: [one]
    verify: {run: "true"}
    undo: {run: "true", verify: {run: "true"}}
  three:
    run: "echo three"
    needs: [two]
    verify: {run: "true"}
    undo: {run: "true", verify: {run: "true"}}
  shaky:
    needs: [three]
    run: "if [ ! -e tried ]; then touch tried; echo needle first >&2; exit 3; fi; echo needle last"
    retry: {attempts: 2, delay: 0s}
    verify: {run: "true"}
    undo: {run: "true", verify: {run: "true"}}
  open: {run: "test ! -e BROKEN", needs: [shaky], verify: {run: "true"}, raises: {git: read-write}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A run that succeeds; then one in which the last step fails and the others are undone."""
    place = Program(tmp_path_factory.mktemp("back"))
    broken = place.folder / "broken"
    place.write("back.yml", RUNBOOK.replace("BROKEN", str(broken)))
    assert place("run", "back.yml", "--yes", "--linger", "0s").exit == 0
    broken.touch()
    assert place("run", "back.yml", "--yes", "--linger", "0s").exit == 1
    place("rollback", "latest", "--yes", "--reason", "enough")
    return place


def runs(program: Program) -> list[str]:
    return [each["run"] for each in program.json("history")["runs"]]


def test_the_step_that_failed_is_the_first_difference_and_those_undone_are_one_line(
    program: Program,
) -> None:
    second, first = runs(program)
    lines = program.here("diff", first, second).out.splitlines()[1:]
    rows = [line.lstrip("* ").split("  ")[0] for line in lines]
    assert rows == ["open", "4 steps"]
    told = program.json("diff", first, second)["differences"]
    assert [(each["step"], each["failed"]) for each in told] == [
        ("open", True),
        *((step, False) for step in ("one", "two", "three", "shaky")),
    ]


def test_a_run_does_not_differ_from_itself(program: Program) -> None:
    [_, first] = runs(program)
    assert program.here("diff", first, first).out == "no difference\n"


def test_the_whole_run_is_searched_and_each_line_says_whose_it_is_and_when(
    program: Program,
) -> None:
    done = program.here("logs", runs(program)[1], "--grep", "needle")
    assert done.exit == 0
    lines = done.out.splitlines()
    assert all(
        re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ (out|err)\| ", each) for each in lines
    )
    assert [each.split(" ", 2)[2] for each in lines] == [
        "one out| needle one",
        "shaky err| needle first",
        "shaky out| needle last",
    ]


def test_what_an_undo_printed_is_found_too(program: Program) -> None:
    assert "one out| needle undone" in program.here("logs", "latest", "--grep", "undone").out


def test_the_output_of_an_undo_is_said_to_be_one(program: Program) -> None:
    last = program.here("logs", "latest", "one")
    assert (last.out, "one attempt 2 (undo): exit 0" in last.err) == (
        "out| needle undone\n",
        True,
    )
    first = program.here("logs", "latest", "one", "--attempt", "1")
    assert (first.out, "undo" in first.err) == ("out| needle one\n", False)


def test_a_search_without_a_hit_says_so_and_prints_nothing(program: Program) -> None:
    done = program.here("logs", "latest", "--grep", "no such words")
    assert (done.exit, done.out) == (0, "")
    assert "no step printed such a line" in done.err


def test_without_a_step_and_without_a_search_the_ways_are_named(program: Program) -> None:
    done = program.here("logs", "latest")
    assert (done.exit, "--failed" in done.err, "--grep" in done.err) == (2, True, True)


def test_the_history_is_as_long_as_wanted_the_newest_first(program: Program) -> None:
    newest = runs(program)[0]
    assert [each["run"] for each in program.json("history", "--limit", "1")["runs"]] == [newest]
    assert [each["run"] for each in program.json("history", "--limit", "9")["runs"]] == runs(
        program
    )


@pytest.mark.parametrize("place", [0, 1])
def test_history_status_and_report_tell_the_same_length(program: Program, place: int) -> None:
    run = runs(program)[place]
    [length] = [each["length"] for each in program.json("history")["runs"] if each["run"] == run]
    report = json.loads(program.here("report", run, "--format", "json", "-o", "-").out)
    assert program.json("status", run)["elapsed"] == report["run"]["elapsed"] == length
    [row] = [line for line in program.here("history").out.splitlines() if run in line]
    shown = row.split()[-2]
    assert f", {shown}\n" in program.here("status", run).out
    assert (
        f" after {shown}, " in program.here("report", run, "--format", "markdown", "-o", "-").out
    )


def test_the_time_of_an_undo_is_nobodys_length(program: Program) -> None:
    told = program.json("status", "latest")
    [two] = [each for each in told["steps"] if each["id"] == "two"]
    assert two["status"] == "rolled-back"
    assert two["undone_at"] > two["ended_at"] > two["began_at"]
    assert told["status"] == "rolled-back"


def test_a_run_whose_services_are_down_is_closed_only_on_a_persons_word(
    program: Program,
) -> None:
    asked = program.here("close", "latest")
    assert (asked.exit, "--yes" in asked.err) == (2, True)
    assert "Git is down, not read-write" in asked.err
    objective = program.json("status", "latest")["services"][0]["objective"]
    assert objective == "open"
    assert program.here("close", "latest", "--yes").exit == 0
    objective = program.json("status", "latest")["services"][0]["objective"]
    assert objective == "not reached"
    assert "not reached" in program.here("report", "latest", "-o", "-", "--format", "html").out


def test_a_run_whose_services_are_up_is_closed_without_a_question(program: Program) -> None:
    assert program.here("close", runs(program)[1]).exit == 0


def test_a_short_simulation_is_told_in_seconds_and_names_services_by_title(
    tmp_path: Path,
) -> None:
    program = Program(tmp_path)
    text = RUNBOOK.replace("  two: {", "  two: {estimate: {p50: 5s, p90: 9s}, ")
    program.write("back.yml", text)
    words = "simulate", "back.yml", "--trials", "20", "--format", "html"
    page = program.here(*words).out
    assert not re.search(r"\b\d+:\d\d\b", page)
    assert "hours" not in page
    assert ">Git<" in page
    assert ">git<" not in page
