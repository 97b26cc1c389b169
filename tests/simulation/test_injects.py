"""What goes wrong in a simulation: files of injects, players at a table, the page."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: move
roles: {boss: {people: [drew]}}
services: {db: {priority: 1, objectives: {rto: 4h}}}
steps:
  declare: {owner: boss, manual: go?, estimate: 30m}
  copy:
    needs: [declare]
    on: a1
    estimate: {p50: 2h, p90: 4h}
    run: "true"
    verify: {run: "true"}
  open: {needs: [copy], estimate: 1h, run: "true", verify: {run: "true"}, raises: {db: read-write}}
"""
INVENTORY = "sites: {a: {}}\nhosts: {a1: {site: a, routes: [{address: 192.0.2.1}]}}\n"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    place = Program(tmp_path)
    place.write("move.yml", RUNBOOK)
    place.write("inventory/i.yml", INVENTORY)
    return place


def simulated(program: Program, injects: str, *words: str) -> dict[str, Any]:
    program.write("injects.yml", f"injects:\n{injects}")
    done = program.here("simulate", "move.yml", "--json", "--inject", "injects.yml", *words)
    assert done.exit == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def ends(told: dict[str, Any]) -> dict[str, float]:
    return {each["id"]: each["ends"] / 3600 for each in told["steps"]}


def test_what_is_slow_takes_longer(program: Program) -> None:
    assert ends(simulated(program, "  - {slow: copy, by: 3}"))["open"] == 7.5


def test_a_site_that_is_lost_and_found_again_is_used_again(program: Program) -> None:
    lost = simulated(program, "  - {lose: site:a, at: 10m}")
    assert lost["services"]["db"] is None
    back = "  - {lose: site:a, at: 10m}\n  - {find: site:a, at: 20m}"
    assert ends(simulated(program, back))["open"] == 3.5


def test_a_relapse_has_the_step_done_again(program: Program) -> None:
    assert ends(simulated(program, "  - {relapse: copy, at: 3h}"))["copy"] == 5


def test_a_random_moment_is_another_in_every_trial(program: Program) -> None:
    told = simulated(
        program, "  - {lose: site:a, at: {between: [0s, 5h]}}", "--trials", "200", "--seed", "3"
    )
    share = told["services"]["db"]["share_recovered"]
    assert 0.2 < share < 0.8


def test_what_may_happen_happens_as_often_as_written(program: Program) -> None:
    told = simulated(program, "  - {fail: copy, chance: 0.3}", "--trials", "300", "--seed", "5")
    assert 0.6 < told["succeeded"] / told["trials"] < 0.8


@pytest.mark.parametrize(
    ("inject", "what"),
    [
        ("{lose: site:nowhere, at: 1h}", "no site 'nowhere'"),
        ("{lose: site:a}", "when?"),
        ("{fail: cpoy}", "did you mean 'copy'"),
        ("{fail: copy, slow: copy}", "exactly one of"),
        ("{slow: copy}", "by how much"),
        ("{lose: site:a, at: {between: [3h, 1h]}}", "the earliest, then the latest"),
        ("{fail: copy, chance: 2}", "from 0 to 1"),
    ],
)
def test_an_inject_that_cannot_be_is_named_with_its_place(
    program: Program, inject: str, what: str
) -> None:
    program.write("injects.yml", f"injects:\n  - {inject}\n")
    done = program.here("simulate", "move.yml", "--inject", "injects.yml")
    assert (done.exit, what in done.err, "injects.yml:2" in done.err) == (2, True, True), done.err


def play(program: Program, typed: str, *words: str) -> tuple[str, dict[str, Any]]:
    """Play at a terminal; what was shown, and the record."""
    process = subprocess.run(
        [sys.executable, "-m", "drrun", "simulate", "move.yml", "--interactive",
         "-o", "record.json", *words],
        cwd=program.folder, input=typed, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return process.stderr, json.loads((program.folder / "record.json").read_text())


def test_players_answer_and_everything_is_kept(program: Program) -> None:
    program.write("injects.yml", "injects:\n  - {say: The provider calls., at: 0s}\n")
    typed = "finding nobody has the number\nwhat?\nconfirm drew: it is time\n"
    shown, record = play(program, typed, "--inject", "injects.yml", "--player", "drew")
    assert "INJECT The provider calls." in shown
    assert (record["mode"], record["counts_as_test"], record["status"]) == (
        "tabletop", False, "succeeded",
    )  # fmt: skip
    assert record["findings"] == ["nobody has the number"]
    answers = [each for each in record["record"] if each["kind"] == "answer"]
    assert [(each["by"], each["text"]) for each in answers] == [("drew", "confirm: it is time")]
    assert record["players"] == ["drew"]


def test_what_the_players_choose_has_its_consequences(program: Program) -> None:
    assert play(program, "reject drew: not yet\n")[1]["status"] == "failed"
    assert play(program, "nobody\n")[1]["status"] == "waiting"
    assert play(program, "lose site:a\nconfirm\n")[1]["status"] == "failed"


def test_an_exercise_that_is_broken_off_keeps_its_record(program: Program) -> None:
    record = play(program, "note we stop here\n")[1]
    assert record["status"] == "ended before its end"
    assert record["record"][-1]["text"] == "we stop here"


def test_the_page_is_one_file_that_says_what_it_is(program: Program) -> None:
    done = program.here(
        "simulate", "move.yml", "--trials", "50", "--format", "html", "-o", "page.html"
    )
    assert done.exit == 0, done.err
    page = (program.folder / "page.html").read_text()
    assert "nothing was tested" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
