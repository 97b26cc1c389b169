"""Somebody who was not there reads only the report of a bad night, and knows what happened."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.acceptance.report.chromium import browse, on_phone
from tests.programs import Done, Program
from tests.sshd import until

NIGHT = """
drrun: 1
name: night
title: The forge moves
objectives: {rto: 2h}
roles: {commander: {people: [alice, carol]}, ops: {people: [bob, dave]}}
services:
  db: {title: Database, priority: 1, objectives: {rto: 1s}, stores: []}
  web: {title: Web, priority: 2, stores: []}
steps:
  declare: {manual: Is it lost?, owner: commander}
  replica:
    needs: [declare]
    run: touch replica
    verify: {run: test -e replica}
    undo: {run: rm -f replica}
    raises: {db: read-only}
  shaky:
    needs: [declare]
    run: "if [ ! -e tried ]; then touch tried; exit 3; fi"
    verify: {run: "true"}
    undo: {run: "true", verify: {run: "true"}}
    retry: {attempts: 2, delay: 0s}
  rows: {manual: Are all rows there?, owner: commander, needs: [replica, shaky]}
  open: {run: "true", needs: [rows], verify: {run: "true"}, raises: {db: read-write}}
  after: {run: "true", needs: [open], verify: {run: "true"}, raises: {web: read-write}}
  broken:
    needs: [declare]
    run: "echo 'FATAL: could not map shared memory' >&2; echo '^^^' >&2; exit 4"
    verify: {run: "true"}
"""


def asked(program: Program, key: str) -> bool:
    done = program.here("status", "latest", "--json")
    return done.exit == 0 and key in [each["key"] for each in json.loads(done.out)["asks"]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A failure, a killed driver, another one, a handover, a rejection, and a way back."""
    place = Program(tmp_path_factory.mktemp("night"))
    place.write("night.yml", NIGHT)
    first = place.start("run", "night.yml", "--yes", "--linger", "90s", "--by", "bob")
    assert until(lambda: asked(place, "declare"))
    assert place("confirm", "latest", "declare", "--by", "alice").exit == 0
    assert until(lambda: asked(place, "rows"))
    first.kill()
    Done.of(first)
    second = place.start("resume", "latest", "--linger", "90s", "--by", "carol")
    assert until(lambda: "driven by carol" in place.here("status", "latest").out)
    assert place("handover", "latest", "dave", "rows", "come", "next", "--by", "bob").exit == 0
    assert place("note", "latest", "50000 rows against 49998", "--by", "bob").exit == 0
    why = "two rows are missing"
    assert place("reject", "latest", "rows", "--reason", why, "--by", "alice").exit == 0
    assert Done.of(second).exit == 1
    place("rollback", "latest", "--yes", "--reason", "rows are missing", "--by", "dave")
    assert "rolled-back" in place.here("history").out
    return place


def told(program: Program, *words: str) -> str:
    done = program.here("report", "latest", "-o", "-", *words)
    assert done.exit == 0, done.err
    return done.out


@pytest.fixture(scope="module")
def page(program: Program) -> Path:
    return program.write("night.html", told(program, "--format", "html"))


def test_the_first_paragraph_says_what_failed_why_who_decided_and_how_services_stand(
    program: Program,
) -> None:
    gist = json.loads(told(program, "--format", "json"))["gist"]
    assert gist.startswith("Rolled back after ")
    assert "rows failed at " in gist
    assert "alice rejected rows: two rows are missing." in gist
    assert "dave rolled the run back: rows are missing" in gist
    assert "Services now: Database down (of read-write), Web down (of read-write)." in gist
    assert "What stays changed: declare: it has no undo." in gist
    assert "What is open: 1 change left by the rollback." in gist
    assert re.search(r"Missed: Database by \S+ so far \(RTO 1s\)\. Open: Web \(RTO 2h\)\.", gist)


def test_the_first_paragraph_has_the_last_telling_line_of_what_failed(program: Program) -> None:
    gist = json.loads(told(program, "--format", "json"))["gist"]
    assert re.search(
        r"broken failed at [\d:]+ UTC: [^U]*FATAL: could not map shared memory\.", gist
    )


def test_everything_that_happened_is_in_one_list(program: Program) -> None:
    happened = json.loads(told(program, "--format", "json"))["chronology"]
    assert [each["at"] for each in happened] == sorted(each["at"] for each in happened)
    lines = [f"{each['what']} {each['about']} {each['by']}: {each['text']}" for each in happened]
    wanted = [
        "started None bob: mode live",
        "driver None bob@.*: drives the run from ",
        "confirmed declare alice:",
        "service Database None: read-only: replica passed",
        "driver None bob@.*: last sign of life",
        "driver None carol@.*; nobody drove for ",
        "handover None bob: to dave: rows come next",
        "note None bob: 50000 rows against 49998",
        "rejected rows alice: two rows are missing",
        "ended None None: failed",
        "driver None dave@.*: drives the run from ",
        "rollback None dave: rows are missing",
        "service Database None: down: replica is being undone",
        "ended None None: rolled-back",
    ]
    places = []
    for each in wanted:
        at = [number for number, line in enumerate(lines) if re.match(each, line)]
        assert at, (each, lines)
        places.append(at[-1])
    assert places == sorted(places), lines
    assert any(line.startswith("retry shaky") for line in lines)
    assert any(line.startswith("blocked open, after None: needs rows") for line in lines)


def test_an_answer_that_is_not_signed_is_said_to_be_unsigned(program: Program) -> None:
    happened = json.loads(told(program, "--format", "json"))["chronology"]
    answers = {each["what"]: each["signed"] for each in happened if each["signed"] is not None}
    assert answers == {"confirmed": False, "rejected": False}
    assert "two rows are missing (unsigned)" in told(program, "--format", "html")


def test_a_step_that_was_undone_keeps_its_own_length(program: Program) -> None:
    rows = {
        row["step"]: row for row in csv.DictReader(io.StringIO(told(program, "--format", "csv")))
    }
    report = json.loads(told(program, "--format", "json"))
    [step] = [each for each in report["run"]["steps"] if each["id"] == "replica"]
    [story] = [each for each in report["steps"] if each["id"] == "replica"]
    action, undo = story["targets"][0]["attempts"]
    assert (rows["replica"]["status"], action["undo"], undo["undo"]) == (
        "rolled-back", False, True,
    )  # fmt: skip
    assert action["ended_at"] <= step["ended_at"] < undo["began_at"] <= step["undone_at"]
    assert float(rows["replica"]["seconds"]) == step["seconds"]
    assert "replica" in report["critical_path"] or "shaky" in report["critical_path"]
    assert report["critical_path"][-1] == "rows"


def test_each_attempt_and_each_undo_has_a_bar_of_its_own(page: Path) -> None:
    dom = browse(page).dom
    assert len(re.findall(r'class="bar s-[^"]*"[^>]*title="shaky: ', dom)) == 3
    assert len(re.findall(r'class="bar s-rolled-back undo"', dom)) == 2


def test_levels_over_time_survive_the_way_back(program: Program, page: Path) -> None:
    levels = json.loads(told(program, "--format", "json"))["levels"]
    assert [(each["service"], each["level"], each["step"]) for each in levels] == [
        ("db", "read-only", "replica"),
        ("db", None, "replica"),
    ]
    text = page.read_text("utf-8")
    assert re.search(r'class="l-read-only" style="left:[\d.]+%;width:[\d.]+%"', text)


def test_a_run_that_was_rolled_back_still_says_what_failed(program: Program) -> None:
    out = program.here("status", "latest").out
    assert re.search(
        "^rolled-back: failed: rows: .*two rows are missing; broken: ", out, re.MULTILINE
    )


def test_the_list_names_the_day_once_and_again_when_another_begins(page: Path) -> None:
    text = page.read_text("utf-8")
    days = re.findall(r'<li class="day">([\d-]+)</li>', text)
    moments = re.findall(r'<time datetime="([\d-]+)T', text)
    assert days == sorted(set(moments))


def test_steps_that_failed_are_open_and_the_others_are_not(page: Path) -> None:
    opened = re.findall(r'id="step-(\w+)" data-status="\S+" open=""', browse(page).dom)
    assert opened == ["rows", "broken"]


def test_the_first_paragraph_for_the_public_has_neither_names_nor_reasons(
    program: Program,
) -> None:
    gist = json.loads(told(program, "--format", "json", "--redact", "public"))["gist"]
    assert "rows failed at " in gist
    for secret in ("alice", "bob", "carol", "dave", "missing", "FATAL", "exit 4"):
        assert secret not in gist


@pytest.mark.parametrize("width", [390, 1280])
def test_the_graph_shows_what_failed_and_no_screen_cuts_the_page(page: Path, width: int) -> None:
    seen = on_phone(page, width)
    assert (seen.cut, seen.over, seen.failed_in_view) == ([], 0, True)


@pytest.mark.parametrize("words", [("plan",), ("simulate", "--trials", "20")])
def test_no_phone_cuts_a_page_about_what_is_to_come(
    program: Program, words: tuple[str, ...]
) -> None:
    done = program.here(*words, "night.yml", "--format", "html")
    seen = on_phone(program.write(f"{words[0]}.html", done.out))
    assert (seen.cut, seen.over) == ([], 0)
