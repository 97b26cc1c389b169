"""`drrun readiness`, `history`, `learn`, `close`: is a runbook known to work, and what is left?"""

import json
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Program

RUNBOOK = """\
# kept
drrun: 1
name: tiny
services: {web: {priority: 1}}
steps:
  a: {run: "sleep 1", verify: {run: "true"}, raises: {web: read-write}}
  b:   # as slow as that
    estimate: 20m  # by hand
    run: "true"
    verify: {run: "true"}
  put-away: {needs: [a, b], tags: [cleanup], modes: [rehearsal], run: "[ ! -e dirt ]",
             verify: {run: "true"}}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    place = Program(tmp_path)
    place.write("runbooks/tiny.yml", RUNBOOK)
    place.write("inventory/i.yml", "vars: {a: 1}\n")
    return place


def executed(program: Program, *words: str) -> int:
    return program("run", "runbooks/tiny.yml", "--yes", "--no-input", *words).exit


def ready(program: Program) -> tuple[int, dict[str, Any]]:
    done = program.here("readiness", "--json")
    (told,) = json.loads(done.out)["runbooks"]
    return done.exit, told


def test_a_runbook_that_was_never_verified_is_not_ready(program: Program) -> None:
    code, told = ready(program)
    assert (code, told["ready"], told["why"]) == (4, False, "it was never verified")


@pytest.mark.parametrize("mode", ["live", "rehearsal"])
def test_a_real_run_verifies(program: Program, mode: str) -> None:
    assert executed(program, "--mode", mode) == 0
    code, told = ready(program)
    assert (code, told["ready"], told["mode"]) == (0, True, mode)


def test_a_dry_run_verifies_nothing(program: Program) -> None:
    assert executed(program, "--mode", "dry-run") == 0
    assert ready(program)[0] == 4


def test_it_lapses_when_the_runbook_changes(program: Program) -> None:
    executed(program)
    program.write("runbooks/tiny.yml", RUNBOOK.replace("# kept", "# kept too"))
    code, told = ready(program)
    assert (code, told["why"]) == (4, "changed since: tiny.yml")


def test_it_lapses_when_its_period_is_over(program: Program) -> None:
    program.write(
        "runbooks/tiny.yml", RUNBOOK.replace("drrun: 1", "drrun: 1\nrehearse_every: 1ms")
    )
    executed(program)
    code, told = ready(program)
    assert (code, "its period was over" in told["why"]) == (4, True)


def test_a_rehearsal_is_over_when_it_has_cleaned_up(program: Program) -> None:
    (program.folder / "runbooks/dirt").touch()
    executed(program, "--mode", "rehearsal")
    done = program("cleanup", "latest")
    assert (done.exit, "put-away is failed" in done.err) == (3, True), done.err
    assert ready(program)[0] == 4
    (program.folder / "runbooks/dirt").unlink()
    assert program("resume", "latest", "--no-input").exit == 0
    assert program("cleanup", "latest").exit == 0
    assert ready(program)[0] == 0


def test_elsewhere_all_that_ever_ran_is_told(program: Program, tmp_path: Path) -> None:
    executed(program)
    (tmp_path / "elsewhere").mkdir()
    found = Program(
        tmp_path / "elsewhere", {"DRRUN_STATE": str(tmp_path / "state/drrun/state.db")}
    )
    told = json.loads(found.here("readiness", "--json").out)["runbooks"]
    assert [(each["runbook"], each["ready"]) for each in told] == [("tiny", True)]


def test_history_says_when_each_runbook_was_rehearsed(program: Program) -> None:
    executed(program)
    assert "tiny: never" in program.here("history").out
    executed(program, "--mode", "rehearsal")
    assert re.search(r"tiny: \d{4}-\d\d-\d\d, succeeded", program.here("history").out)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--mode", "live"], 1),
        (["--mode", "rehearsal"], 1),
        (["--runbook", "ti*"], 2),
        (["--runbook", "other"], 0),
        (["--service", "web"], 2),
        (["--service", "mail"], 0),
        (["--status", "failed"], 0),
        (["--since", "2020-01-01", "--status", "succeeded"], 2),
        (["--until", "2020-01-01"], 0),
    ],
)
def test_history_is_filtered(twice: Program, words: list[str], found: int) -> None:
    assert len(twice.json("history", *words)["runs"]) == found


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Program:
    place = Program(tmp_path_factory.mktemp("twice"))
    place.write("runbooks/tiny.yml", RUNBOOK)
    executed(place)
    executed(place, "--mode", "rehearsal")
    return place


def test_what_was_learnt_is_a_patch_that_keeps_comments_and_order(program: Program) -> None:
    executed(program)
    diff = program.here("learn").out
    subprocess.run(["patch", "-p0"], input=diff, text=True, cwd=program.folder, check=True)
    changed = (program.folder / "runbooks/tiny.yml").read_text()
    assert re.search(r"a: \{estimate: [12]s, run", changed)
    assert re.search(r"estimate: 1s  # by hand", changed)
    assert (changed.count("#"), changed.startswith("# kept")) == (3, True)
    assert program("validate", "--strict", "runbooks/tiny.yml").exit == 0


def test_a_plan_takes_estimates_from_earlier_runs_and_says_so(program: Program) -> None:
    executed(program)
    shown = program("plan", "runbooks/tiny.yml").out
    assert "measured       a (1 run)" in shown


def test_a_simulation_can_take_what_was_measured(program: Program) -> None:
    refused = program("simulate", "runbooks/tiny.yml", "--from-history")
    assert (refused.exit, "no run of tiny" in refused.err) == (2, True)
    executed(program)
    told = program.json("simulate", "runbooks/tiny.yml", "--from-history")
    assert 1 <= told["length"] < 60


def test_an_inventory_to_rehearse_on_is_never_acted_on_live(program: Program) -> None:
    program.write("inventory/i.yml", "rehearsal: true\n")
    done = program("run", "runbooks/tiny.yml", "--yes")
    assert (done.exit, "--mode rehearsal" in done.err) == (2, True), done.err
    assert executed(program, "--mode", "rehearsal") == 0


@pytest.mark.faults(104)
def test_nobody_rehearses_on_hosts_that_are_in_use(program: Program) -> None:
    program.write("inventory/i.yml", "rehearsal: false\n")
    done = program("run", "runbooks/tiny.yml", "--yes", "--mode", "rehearsal")
    assert (done.exit, "its hosts are in use" in done.err) == (2, True), done.err
    assert executed(program) == 0


def test_an_inventory_is_for_rehearsals_or_not(program: Program) -> None:
    program.write("inventory/i.yml", "rehearsal: true\n")
    program.write("inventory/j.yml", "rehearsal: false\n")
    done = program.here("validate", "runbooks/tiny.yml")
    assert done.exit == 2
    assert "j.yml:1:1: key 'rehearsal' is defined differently in inventory/i.yml:1:1" in done.out


def test_what_nobody_rehearsed_for_long_is_a_finding(program: Program) -> None:
    program.write("runbooks/tiny.yml", RUNBOOK.replace("drrun: 1", "drrun: 1\nrehearse_every: 1d"))
    executed(program)
    assert "overdue" not in program("validate", "runbooks/tiny.yml").out
    database = program.folder / "state/drrun/state.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE runs SET started_at = started_at - 200000")
    assert "rehearse it again" in program("validate", "runbooks/tiny.yml").out


def test_a_first_runbook_is_sound_and_keeps_its_promises(tmp_path: Path) -> None:
    place = Program(tmp_path)
    assert place("init", "--name", "move").exit == 0
    assert place("validate", "--strict", "runbooks/move.yml").exit == 0
    assert place("test", "runbooks/tests/move.yml").exit == 0
    again = place("init", "--name", "move")
    assert (again.exit, "nothing was written" in again.err) == (2, True)
