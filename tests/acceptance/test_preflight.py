"""`drrun preflight`: what a run will need, measured on real hosts; nothing is changed there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Program
from tests.sshd import Sshd, SshdFactory

RUNBOOK = """
drrun: 1
name: ready
services: {git: {stores: [repos], objectives: {rpo: 1h}}}
secrets: {key: {env: DR_TEST_KEY}}
steps:
  a:
    on: db1
    run: |
      git --version
      pg_rewind --version && nginx -v
    verify: {run: "true"}
    env: {KEY: "{{ secrets.key }}"}
"""


class Place:
    """A runbook with one real host, and what preflight says of it."""

    def __init__(self, folder: Path, server: Sshd) -> None:
        self.program = Program(folder)
        self.program.write("ready.yml", RUNBOOK)
        self.program.inventory({"db1": server})
        self.inventory = json.loads((folder / "inventory/hosts.yml").read_text())
        self.backup("echo 60")

    def backup(self, run: str) -> None:
        backups = [{"to": "db1", "max_age": "2h", "age": {"on": "db1", "run": run}}]
        self.inventory["stores"] = {"repos": {"on": "db1", "backups": backups}}
        self.save()

    def save(self) -> None:
        self.program.write("inventory/hosts.yml", json.dumps(self.inventory))

    def __call__(self, **environment: str) -> tuple[int, list[dict[str, Any]]]:
        given = {"DR_TEST_KEY": "x"} | environment
        done = self.program("preflight", "ready.yml", "--json", **given)
        assert done.out, done.err
        return done.exit, json.loads(done.out)["checks"]


@pytest.fixture
def place(tmp_path: Path, sshd: Sshd) -> Place:
    return Place(tmp_path, sshd)


def short(checks: list[dict[str, Any]]) -> list[str]:
    return [check["what"] for check in checks if not check["good"] and check["what"] != "tool"]


def test_a_host_that_is_there_is_measured_and_left_as_it_was(place: Place, sshd: Sshd) -> None:
    before = sorted(str(each) for each in sshd.home.rglob("*"))
    _, checks = place()
    assert short(checks) == []
    told = {check["what"]: check["value"] for check in checks}
    assert {"reached", "clock", "disk", "backup", "secret"} <= set(told)
    assert (told["clock"], told["backup"]) == ("right", "1m old")
    assert sorted(str(each) for each in sshd.home.rglob("*")) == before


def test_every_route_is_tried_and_the_dead_one_is_named(place: Place) -> None:
    routes = place.inventory["hosts"]["db1"]["routes"]
    routes.append({"name": "oob", "address": "127.0.0.1", "port": 9})
    place.save()
    code, checks = place()
    reached = {check["where"]: check["good"] for check in checks if check["what"] == "reached"}
    assert code == 4
    assert [good for where, good in reached.items() if "oob" in where] == [False]
    assert list(reached.values()).count(True) == 1


def test_a_backup_that_is_older_than_the_objective_falls_short(place: Place) -> None:
    place.backup("echo 3700")
    code, checks = place()
    [found] = [check for check in checks if check["what"] == "backup"]
    assert (code, found["good"], found["wanted"]) == (4, False, "at most 1h")


def test_an_age_that_is_no_number_is_no_good_backup(place: Place) -> None:
    place.backup("echo soon")
    assert short(place()[1]) == ["backup"]


def test_a_secret_that_is_missing_is_named_and_never_shown(place: Place) -> None:
    code, checks = place(DR_TEST_KEY="")
    assert code == 4
    assert short(checks) == ["secret"]


def test_a_wrong_host_key_is_told_with_the_way_out(
    place: Place, sshd_factory: SshdFactory
) -> None:
    other = sshd_factory.start()
    place.inventory["hosts"]["db1"]["host_key"] = other.host_key
    place.save()
    code, checks = place()
    [found] = [check for check in checks if check["what"] == "reached"]
    assert (code, found["good"], "key" in found["value"]) == (4, False, True)


def test_the_table_begins_with_what_falls_short(place: Place) -> None:
    place.backup("echo 99999")
    done = place.program("preflight", "ready.yml", DR_TEST_KEY="x")
    assert done.out.splitlines()[0].startswith("FAIL")
    assert "shortfall" in done.err
