"""`drrun plan --without`: what cannot be done then, which services stay down."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: move
roles: {boss: {people: [drew], deputies: [simon]}, dba: {people: [simon]}}
services: {db: {}, www: {}}
steps:
  declare: {owner: boss, manual: go?, estimate: 30m}
  copy: {needs: [declare], on: a1, estimate: 2h, run: "true", verify: {run: "true"}}
  check: {needs: [copy], owner: dba, manual: good?, raises: {db: read-only}}
  names: {needs: [declare], tags: [dns], estimate: 10m, on: b1, run: "true",
          verify: {run: "true"}, raises: {www: read-write}}
  open: {needs: [{any_of: [check, names]}], run: "true", verify: {run: "true"}}
"""
INVENTORY = """
sites: {a: {provider: one}, b: {provider: two}}
hosts:
  a1: {site: a, routes: [{address: 192.0.2.1}]}
  b1: {site: b, routes: [{address: 192.0.2.2}]}
dependencies:
  dns: {provider: somebody, alternate: none, accepted_risk: x, expires: 2099-01-01}
  transit: {provider: one, alternate: other}
"""


def without(folder: Path, things: str) -> dict[str, Any]:
    place = Program(folder)
    place.write("move.yml", RUNBOOK)
    place.write("inventory/i.yml", INVENTORY)
    told: dict[str, Any] = json.loads(
        place.here("plan", "move.yml", "--without", things, "--json").out
    )
    return told


def steps(told: dict[str, Any]) -> set[str]:
    return {each["step"] for each in told["cannot_run"]}


def test_without_a_site_its_steps_and_what_needs_them_cannot_be_done(tmp_path: Path) -> None:
    told = without(tmp_path, "site:a")
    assert steps(told) == {"copy", "check"}
    assert told["services"] == [{"service": "db", "level": "down", "instead_of": "read-only"}]
    assert told["length"] < told["usual_length"]


@pytest.mark.parametrize(
    ("things", "lost"),
    [
        ("provider:one", {"copy", "check"}),
        ("host:b1", {"names"}),
        ("person:drew", set()),
        ("person:simon", {"check"}),
        ("dependency:dns", {"names"}),
        ("dependency:transit", set()),
        ("site:a,site:b", {"copy", "check", "names", "open"}),
        ("person:drew,person:simon", {"declare", "copy", "check", "names", "open"}),
    ],
)
def test_what_is_lost_with_it(tmp_path: Path, things: str, lost: set[str]) -> None:
    assert steps(without(tmp_path, things)) == lost


def test_an_alternate_that_takes_its_place_is_named(tmp_path: Path) -> None:
    assert "other takes its place" in without(tmp_path, "dependency:transit")["notes"][0]


@pytest.mark.parametrize("thing", ["site:x", "moon:full", "dependency:x", "person:nobody"])
def test_what_is_not_there_cannot_be_lost(tmp_path: Path, thing: str) -> None:
    place = Program(tmp_path)
    place.write("move.yml", RUNBOOK)
    place.write("inventory/i.yml", INVENTORY)
    done = place.here("plan", "move.yml", "--without", thing)
    assert (done.exit, f"--without {thing}" in done.err) == (2, True), done.err
