"""A plan to look at together: a page and a picture that ask nobody for anything."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.report.chromium import browse
from tests.programs import Program

RUNBOOK = """\
drrun: 1
name: move
title: "Move <script>alert(1)</script> | & \\"all\\""
services: {web: {objectives: {rto: 1h}}}
roles: {lead: {people: [drew]}}
steps:
  agree: {manual: "Shall we?", owner: lead, estimate: 10m}
  copy: {run: rsync, needs: [agree], estimate: 2h, verify: {run: "true"}}
  cut: {run: cut, needs: [copy], irreversible: true, owner: lead, estimate: 1m, \
raises: {web: read-write}, verify: {run: "true"}}
  tell: {run: tell, needs: [agree], verify: {run: "true"}}
  more: {run: more, variants: [quick], verify: {run: "true"}}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("move.yml", RUNBOOK)
    return program


def made(program: Program, form: str) -> str:
    done = program.here("plan", "move.yml", "--format", form)
    assert done.exit == 0, done.err
    return done.out


def test_the_page_opens_offline_with_every_step(program: Program) -> None:
    page = program.write("plan.html", made(program, "html"))
    seen = browse(page)
    assert seen.console == ()
    assert (seen.dom.count('class="bar"'), seen.dom.count('class="node')) == (4, 5)
    assert "<script>alert(1)" not in seen.dom
    assert "does NOT fit" in seen.dom


def test_the_picture_is_sound(program: Program) -> None:
    picture = ET.fromstring(made(program, "svg"))
    shapes = [each.get("class", "") for each in picture.iter("{http://www.w3.org/2000/svg}g")]
    assert sorted(shapes) == [
        "node",
        "node critical",
        "node critical irreversible person",
        "node critical person",
        "node leftout",
    ]
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}path"))) == 3


def test_the_text_for_a_ticket_obeys_nobody(program: Program) -> None:
    text = made(program, "markdown")
    head, _, graph = text.partition("```mermaid\n")
    assert "<script>" not in head
    assert "| 1 | ◆ | agree | a person | +0s | 10m | manual, by lead |  |" in head
    assert "**no way back**: cut" in head
    assert graph.startswith("flowchart LR")
    assert graph.endswith("```\n")
