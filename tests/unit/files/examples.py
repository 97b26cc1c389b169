"""Texts and shortcuts for the tests of this folder."""

from drrun.core.model.errors import Finding, Severity
from drrun.core.model.runbook import Runbook, Step
from drrun.files.runbook.runbook_yaml import read_runbook
from drrun.files.validation import Validated, validate

INVENTORY = b"""\
sites:
  phl: {title: Philadelphia}
  ams: {title: Amsterdam}
hosts:
  db1.phl: {site: phl, groups: [database], address: 10.1.0.5}
  db2.ams: {site: ams, groups: [database]}
  web1.ams: {site: ams, vars: {color: red}}
groups:
  database: {vars: {pgdata: /srv/pg}}
  spare: {}
stores:
  repos: {on: db1.phl}
"""
HEAD = "drrun: 1\nname: example\n"


def runbook_of(text: str) -> Runbook:
    """The runbook; fails if anything is wrong with it."""
    runbook, findings = read_runbook(HEAD + text, "r.yaml")
    assert not findings, findings
    assert runbook is not None
    return runbook


def step_of(body: str, head: str = "") -> Step:
    """The one step called `a`."""
    return next(iter(runbook_of(f"{head}steps:\n  a: {body}\n").steps.values()))


def read_errors(text: str) -> list[str]:
    """What is wrong with the text alone."""
    _, findings = read_runbook(HEAD + text, "r.yaml")
    return [str(finding) for finding in findings]


def validated(text: str, *, with_inventory: bool = True) -> Validated:
    """The whole validation."""
    inventory = [("i.yaml", INVENTORY)] if with_inventory else None
    return validate(HEAD + text, "r.yaml", inventory)


def errors(text: str) -> list[str]:
    """Errors of the whole validation."""
    return [str(finding) for finding in validated(text).errors]


def warnings(text: str) -> list[Finding]:
    """Warnings of the whole validation."""
    found = validated(text).findings
    return [finding for finding in found if finding.severity is Severity.WARNING]
