"""A finding about a thing that a runbook names stands at the line that names it."""

import re
from datetime import date

import pytest

from drrun.core.model.errors import Finding, InputError
from drrun.files.runbook.inputs import bind_inputs
from drrun.files.validation import validate
from drrun.lint import lint
from drrun.lint.subject import Subject

RUNBOOK = """\
drrun: 1
name: poor
inputs:
  used: {type: int}
  unused: {type: int}
services:
  web: {stores: [pages, posts]}
  mail: {stores: [letters]}
steps:
  first:
    on: db1
    run: echo {{ inputs.used }}
    restores: [letters]
  second:
    needs: [first]
    on: db1
    irreversible: true
    run: "true"
    raises: {web: read-write}
    verify: {run: "true"}
"""
INVENTORY = b"""\
hosts: {db1: {address: 192.0.2.1}}
stores: {pages: {on: db1}, posts: {on: db1}, letters: {on: db1}}
"""
LINES = RUNBOOK.splitlines()


def findings() -> list[Finding]:
    valid = validate(RUNBOOK, "r.yml", [("i.yml", INVENTORY)])
    assert valid.runbook is not None, valid.findings
    subject = Subject(valid.runbook, valid.inventory, date(2027, 1, 1))
    return [*valid.findings, *lint(subject)]


def test_a_finding_about_a_step_an_input_or_a_service_stands_at_its_line() -> None:
    codes = set()
    for found in findings():
        about = re.match(r"(?:steps|inputs|services)\.([a-z]+):", found.message)
        if about:
            codes.add(found.code)
            assert LINES[found.place.line - 1].startswith(f"  {about[1]}:"), str(found)
    assert codes >= {
        "missing-verify", "missing-owner", "missing-undo", "missing-estimate", "unused-input",
        "unrestored-store", "unraised-service", "ungated-irreversible", "single-point",
    }  # fmt: skip


def test_a_value_that_is_missing_or_wrong_stands_at_the_line_of_its_input() -> None:
    runbook = validate(RUNBOOK, "r.yml").runbook
    assert runbook is not None
    with pytest.raises(InputError) as refused:
        bind_inputs(runbook, {"unused": "many"})
    lines = {found.code: LINES[found.place.line - 1] for found in refused.value.findings}
    assert lines == {"missing-input": LINES[3], "wrong-input": LINES[4]}
