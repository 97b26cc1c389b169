"""`drrun demo`: the whole migration on this machine, and its report in a real browser."""

import re
from pathlib import Path

import pytest

from tests.acceptance.report.chromium import browse
from tests.programs import Done, Program

#: Of runbooks/sourcehut-migration.yml.
STEPS = 62
SERVICES = ("meta", "paste", "hub", "git", "hg", "todo", "lists", "pages", "builds", "chat")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return Program(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def done(program: Program) -> Done:
    return program("demo", "--plain")


@pytest.fixture(scope="module")
def page(program: Program, done: Done) -> Path:
    assert done.exit == 0, done.err
    assert program.here("report", "latest", "-o", "report.html").exit == 0
    return program.folder / "report.html"


def test_every_service_comes_back(program: Program, done: Done) -> None:
    assert done.exit == 0, done.err
    told = program.json("status", "latest")
    assert told["status"] == "succeeded"
    services = {service["name"]: service["level"] for service in told["services"]}
    assert services == dict.fromkeys(SERVICES, "read-write")


def test_its_record_never_passes_for_a_migration(program: Program, done: Done) -> None:
    assert done.exit == 0, done.err
    assert program.json("status", "latest")["mode"] == "rehearsal"


def test_the_reports_timeline_and_graph_are_whole(page: Path) -> None:
    seen = browse(page, then="document.body.dataset.asked ="
                  " performance.getEntriesByType('resource').length;")  # fmt: skip
    assert seen.console == ()
    assert 'data-asked="0"' in seen.dom
    assert len(re.findall(r'class="node ', seen.dom)) == STEPS
    # One step takes part in a variant only, and never begins.
    assert len(re.findall(r'<a class="name"', seen.dom)) == STEPS - 1
    assert len(re.findall(r'class="bar ', seen.dom)) >= STEPS - 1


def test_the_output_of_a_step_opens_and_steps_are_found(page: Path) -> None:
    click = "document.querySelector('#step-restore-git .output summary').click();"
    opened = browse(page, then=click, fragment="step-restore-git").dom
    assert re.search(r'<details class="output" open=""', opened)
    search = "q.value = 'restore-git'; q.dispatchEvent(new Event('input'));"
    assert re.search(rf"\d+ of {STEPS} steps", browse(page, then=search).dom)
