"""`drrun report`: every format says what happened, and obeys nothing that a host has printed."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.acceptance.report.chromium import browse
from tests.programs import Done, Program

HOSTILE = r"""
drrun: 1
name: after
title: "After <script>alert(1)</script> & co"
objectives: {rto: 1h}
roles: {admin: {people: [drew]}}
services: {git: {title: git.example, objectives: {rto: 30m}, stores: []}}
steps:
  ask: {manual: "Shall we *go*?", owner: admin, estimate: 1m}
  print:
    title: Prints what it should not
    needs: [ask]
    run: |
      echo '<script>document.title="stolen"</script><img src=http://192.0.2.1/x onerror=alert(1)>'
      printf '\033]0;stolen\007\033[31mred\033[0m \342\200\256gnp.exe\n\377\376 no text\n'
      head -c 10000000 /dev/zero | tr '\0' x; echo
      echo '=HYPERLINK("http://192.0.2.1")'
    verify: {run: echo '<b>seen</b>', expect: {contains: seen}}
    capture: {title: {regex: '(<script>.*?=)'}}
    workaround: {reason: it <i>prints</i>, expires: 30d, owner: drew}
    follow_up: Stop it from printing.
    raises: {git: read-write}
  broken:
    needs: [ask]
    run: "false"
    verify: {run: "true"}
  after-it: {needs: [broken], run: "true", verify: {run: "true"}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A run with hostile output, a failure, an answer and a note."""
    place = Program(tmp_path_factory.mktemp("report"))
    place.write("after.yml", HOSTILE)
    running = place.start("run", "after.yml", "--yes", "--linger", "60s", "--by", "maria")
    while place("confirm", "latest", "ask", "--by", "drew", "--reason", "it <u>is</u> time").exit:
        assert running.poll() is None, Done.of(running)
    assert Done.of(running).exit == 1
    place("note", "latest", "The pager <b>did not</b> ring.", "--by", "simon")
    place("finding", "latest", "Nobody <u>knew</u> the number", "--severity", "high")
    place("clocks", "latest", "--disrupted", "2020-01-01T00:00Z", "--reason", "as drew saw it")
    return place


def made(program: Program, form: str, *words: str) -> str:
    done = program.here("report", "latest", "--format", form, "-o", f"out.{form}", *words)
    assert done.exit == 0, done.err
    return (program.folder / f"out.{form}").read_text("utf-8")


@pytest.fixture(scope="module")
def page(program: Program) -> Path:
    made(program, "html")
    return program.folder / "out.html"


def test_the_page_opens_offline_without_a_complaint_and_asks_nobody_for_anything(
    page: Path,
) -> None:
    asked = "document.body.dataset.asked = performance.getEntriesByType('resource').length;"
    seen = browse(page, then=asked)
    assert seen.console == ()
    assert 'data-asked="0"' in seen.dom
    assert "<title>After &lt;script&gt;" in seen.dom


@pytest.mark.faults(72)
def test_what_hosts_print_is_shown_and_never_obeyed(page: Path) -> None:
    seen = browse(page, then="document.body.dataset.scripts = document.scripts.length;")
    assert 'data-scripts="2"' in seen.dom  # ours, and this test's
    assert "stolen&lt;" in seen.dom or 'stolen"&lt;' in seen.dom
    assert "onerror=alert(1)&gt;" in seen.dom
    raw = page.read_bytes()
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]|\xe2\x80\xae", raw)
    assert len(raw) < 1_000_000


def test_the_timeline_has_a_bar_for_every_step_that_began_and_the_graph_a_node_for_each(
    page: Path,
) -> None:
    dom = browse(page).dom
    assert len(re.findall(r'class="bar ', dom)) == 3
    assert len(re.findall(r'class="node ', dom)) == 4


def test_an_output_opens_on_a_click(page: Path) -> None:
    click = "document.querySelector('#step-print .output summary').click();"
    opened = browse(page, then=click, fragment="step-print").dom
    assert re.search(r'<details class="output" open=""', opened)
    assert re.search(r'id="step-print" data-status="passed" open=""', opened)


def test_steps_are_searched_and_filtered(page: Path) -> None:
    search = "q.value = 'prints what'; q.dispatchEvent(new Event('input'));"
    assert "1 of 4 steps" in browse(page, then=search).dom
    choose = "s.value = 'failed'; s.dispatchEvent(new Event('change'));"
    dom = browse(page, then=choose).dom
    assert "1 of 4 steps" in dom
    assert re.search(r'id="step-print"[^>]* hidden=""', dom)


def test_markdown_takes_nothing_from_hosts_or_people_for_its_own(program: Program) -> None:
    text = made(program, "markdown")
    assert "<script>" not in text
    assert "<b>" not in text
    assert "| broken | failed |" in text
    assert "| print | title | &lt;script&gt;document.title= |" in text
    assert "- [ ] **print**: Stop it from printing." in text
    assert r"it &lt;u&gt;is&lt;/u&gt; time" in text


def test_json_has_causes_that_add_up_to_the_wall_clock(program: Program) -> None:
    told = json.loads(made(program, "json"))
    assert told["kind"] == "report"
    assert sum(told["causes"].values()) == pytest.approx(told["run"]["elapsed"], abs=0.05)
    assert told["causes"]["person"] > 0
    assert told["workarounds"][0]["owner"] == "drew"


def test_what_was_found_afterwards_takes_no_time_of_the_run(program: Program) -> None:
    told = json.loads(made(program, "json"))
    assert [each["text"] for each in told["findings"]] == ["Nobody <u>knew</u> the number"]
    names = [each["name"] for each in told["clocks"]]
    assert names == ["disrupted", "run started", "services back", "run ended"]
    [git] = told["away"]
    assert (git["service"], git["met"]) == ("git", False)
    assert git["from_disruption"] > 365 * 86400 > git["from_declaration"]
    assert max(spell["until"] for spell in told["spells"]) <= told["run"]["ended_at"]


def test_the_page_says_what_the_run_was_pinned_to(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "after.yml" in text
    assert re.search(r"<code>[0-9a-f]{64}</code>", text)


def test_csv_has_a_line_for_every_step_and_no_formula(program: Program) -> None:
    rows = list(csv.DictReader(io.StringIO(made(program, "csv"))))
    assert [row["status"] for row in rows] == ["passed", "passed", "failed", "blocked"]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=@" and cell]


@pytest.mark.parametrize("form", ["html", "markdown", "json", "csv"])
def test_a_public_report_names_nobody_and_shows_no_command_or_output(
    program: Program, form: str
) -> None:
    text = made(program, form, "--redact", "public")
    for secret in ("drew", "simon", "onerror", "HYPERLINK", "pager", "head -c", "maria"):
        assert secret not in text, secret
    assert "git" in text or form == "csv"


def test_an_internal_report_keeps_commands_and_leaves_out_what_was_printed(
    program: Program,
) -> None:
    text = made(program, "html", "--redact", "internal")
    assert "head -c" in text
    assert "gnp.exe" not in text.replace("\\342\\200\\256gnp.exe", "")


def test_a_dry_run_never_passes_for_a_test_or_an_incident(program: Program) -> None:
    program("run", "after.yml", "--yes", "--mode", "dry-run")
    for form in ("html", "markdown"):
        assert "was a dry-run, not a real incident" in made(program, form)


def test_a_file_that_cannot_be_written_is_named(program: Program) -> None:
    done = program.here("report", "latest", "-o", "/no/such/folder/r.html")
    assert (done.exit, "/no/such/folder/r.html" in done.err) == (2, True)
