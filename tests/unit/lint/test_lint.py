"""Every rule finds what it is for, says nothing where all is well, and can be waived."""

from datetime import date

import pytest

from drrun.core.model.errors import Finding, Severity
from drrun.files.runbook.references import LINT
from drrun.files.validation import validate
from drrun.lint import RULES, lint
from drrun.lint.subject import Subject

TODAY = date(2026, 11, 21)
RUNBOOK = """
drrun: 1
name: r
roles: {admin: {people: [drew]}}
services: {git: {stores: [repos]}}
defaults: {owner: admin}
steps:
  ask: {manual: Go on?, owner: admin}
  restore:
    needs: [ask]
    run: cp -r /backup /srv
    verify: {run: test -d /srv}
    estimate: 1h
    irreversible: true
    undo: {none: users write here}
    restores: [repos]
    raises: {git: read-write}
"""
INVENTORY = """
sites: {phl: {provider: colo}, fre: {provider: he}}
hosts:
  git1: {site: phl, routes: [{address: 192.0.2.1}]}
  bk1: {site: fre, routes: [{address: 192.0.2.2}]}
stores: {repos: {on: git1, backups: [{to: bk1, domain: fre}]}}
contacts:
  colo: {channels: [{kind: phone}, {kind: mail}], verified: 2026-11-01, verify_every: 30d}
dependencies: {dns: {provider: a, alternate: b}}
"""


def findings(
    runbook: str = RUNBOOK, inventory: str = INVENTORY, rehearsed: str | None = None
) -> list[Finding]:
    valid = validate(runbook, "r.yml", [("i.yml", inventory.encode())])
    assert valid.runbook is not None, valid.findings
    return lint(Subject(valid.runbook, valid.inventory, TODAY, rehearsed))


def test_where_all_is_well_nothing_is_said() -> None:
    assert findings() == []


IN_THE_INVENTORY = [
    ("uncovered-store", "backups: [{to: bk1, domain: fre}]", "backups: []"),
    ("shared-domain", "{to: bk1, domain: fre}", "{to: bk1, domain: phl}"),
    ("shared-domain", "{to: bk1, domain: fre}", "{to: git1}"),
    ("shared-domain", "fre: {provider: he}", "fre: {provider: colo}"),
    ("single-channel", "[{kind: phone}, {kind: mail}]", "[{kind: phone}]"),
    ("overdue-contact", "verified: 2026-11-01", "verified: 2026-10-01"),
    ("no-alternate", "alternate: b", "alternate: none"),
    (
        "no-alternate",
        "alternate: b",
        "alternate: none, accepted_risk: rare, expires: 2026-11-20",
    ),
    (
        "expired-waiver",
        "backups: [{to: bk1, domain: fre}]",
        "backups: [], waiver: {reason: small, expires: 2026-11-20}",
    ),
]
IN_THE_RUNBOOK = [
    ("unrestored-store", "stores: [repos]}", "stores: [repos, more]}"),
    ("unraised-service", "{git: {stores", "{hg: {}, git: {stores"),
    ("ungated-irreversible", "needs: [ask]", "needs: []"),
    ("missing-owner", "defaults: {owner: admin}", "defaults: {}"),
    ("missing-undo", "    undo: {none: users write here}\n", ""),
    ("missing-estimate", "    estimate: 1h\n", ""),
    ("manual-share", "steps:\n", "steps:\n  b: {manual: b?}\n  c: {manual: c?}\n"),
    ("single-point", "    needs: [ask]\n", "    needs: [ask]\n    on: git1\n"),
    (
        "expired-waiver",
        "steps:\n",
        "waivers: [{rule: missing-undo, reason: r, expires: 2026-11-20}]\nsteps:\n",
    ),
]


@pytest.mark.parametrize(("code", "good", "bad"), IN_THE_INVENTORY)
def test_what_the_inventory_lacks_is_found(code: str, good: str, bad: str) -> None:
    assert good in INVENTORY
    assert code in [each.code for each in findings(inventory=INVENTORY.replace(good, bad))]


@pytest.mark.parametrize(("code", "good", "bad"), IN_THE_RUNBOOK)
def test_what_the_runbook_lacks_is_found(code: str, good: str, bad: str) -> None:
    assert good in RUNBOOK
    more = INVENTORY.replace(
        "stores: {repos:", "stores: {more: {on: bk1, backups: [{to: git1}]}, repos:"
    )
    assert code in [each.code for each in findings(RUNBOOK.replace(good, bad), more)]


@pytest.mark.parametrize(
    ("count", "people", "severity"),
    [(1, "drew", Severity.NOTE), (2, "drew", Severity.WARNING), (1, "drew, simon", None)],
)
def test_an_approval_by_as_many_as_there_are_is_found(
    count: int, people: str, severity: Severity | None
) -> None:
    written = RUNBOOK.replace("people: [drew]", f"people: [{people}]").replace(
        "    irreversible: true\n",
        f"    irreversible: true\n    approval: {{role: admin, count: {count}}}\n",
    )
    found = [each.severity for each in findings(written) if each.code == "few-approvers"]
    assert found == ([severity] if severity else [])


def test_every_rule_has_a_case_and_the_runbooks_reader_knows_its_code() -> None:
    tried = {code for code, *_ in IN_THE_INVENTORY + IN_THE_RUNBOOK} | {
        "overdue-rehearsal",
        "few-approvers",
    }
    assert tried == set(RULES) == set(LINT)


def test_what_nobody_has_tried_for_longer_than_promised_is_found() -> None:
    assert findings(rehearsed="2026-01-01") == []
    assert [each.code for each in findings(rehearsed="2025-11-20")] == ["overdue-rehearsal"]
    often = RUNBOOK.replace("name: r", "name: r\nrehearse_every: 30d")
    assert [each.code for each in findings(often, rehearsed="2026-10-01")] == ["overdue-rehearsal"]


def test_a_step_that_may_be_left_out_is_no_single_point() -> None:
    may = RUNBOOK.replace(
        "    needs: [ask]\n", "    needs: [ask]\n    on: git1\n    when: 'true'\n"
    )
    assert findings(may) == []


def test_a_finding_names_its_place() -> None:
    bad = INVENTORY.replace("backups: [{to: bk1, domain: fre}]", "backups: []")
    found = next(each for each in findings(inventory=bad) if each.code == "uncovered-store")
    assert (found.place.file, found.place.line, found.severity) == ("i.yml", 6, Severity.WARNING)
    assert "repos" in found.message


def test_what_somebody_accepted_is_still_told_but_forbids_nothing() -> None:
    bad = INVENTORY.replace(
        "backups: [{to: bk1, domain: fre}]",
        "backups: [], waiver: {reason: small, owner: conrad, expires: 2030-01-01}",
    )
    [found] = findings(inventory=bad)
    assert (found.severity, "repos" in found.message) == (Severity.NOTE, True)
    assert "accepted by conrad, until 2030-01-01: small" in found.message


def test_a_waiver_of_the_runbook_silences_its_rule() -> None:
    bad = RUNBOOK.replace("    estimate: 1h\n", "").replace(
        "steps:\n", "waivers: [{rule: missing-estimate, reason: first time}]\nsteps:\n"
    )
    assert findings(bad) == []
