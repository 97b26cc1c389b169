"""rsync between two hosts of the inventory goes the way that the inventory says."""

import json
from pathlib import Path

import pytest

from tests.programs import Program
from tests.sshd import Sshd, SshdFactory

RUNBOOK = """
drrun: 1
name: carry
steps:
  carry-over:
    on: db1
    uses: rsync
    with: {source: "backup1:FROM/", to: TO/}
    verify: {run: test -e TO/a}
"""


@pytest.fixture
def servers(sshd_factory: SshdFactory) -> dict[str, Sshd]:
    return {"db1": sshd_factory.start(), "backup1": sshd_factory.start()}


@pytest.fixture
def program(tmp_path: Path, servers: dict[str, Sshd]) -> Program:
    """Two hosts; the second has a file, a port and a host key of its own."""
    program = Program(tmp_path)
    program.inventory(servers)
    source, to = servers["backup1"].home / "from", servers["db1"].home / "to"
    source.mkdir()
    (source / "a").write_text("one")
    text = RUNBOOK.replace("FROM", str(source)).replace("TO", str(to))
    program.write("runbooks/carry.yml", text)
    return program


def checked(program: Program) -> list[dict[str, object]]:
    done = program("preflight", "runbooks/carry.yml", "--json")
    return [each for each in json.loads(done.out)["checks"] if each["what"] == "rsync"]


def with_another_key(program: Program, servers: dict[str, Sshd]) -> None:
    """The inventory knows another key of the second host than the one that it has."""
    path = program.folder / "inventory/hosts.yml"
    known = json.loads(path.read_text())
    known["hosts"]["backup1"]["host_key"] = servers["db1"].host_key
    path.write_text(json.dumps(known))


def test_a_name_of_the_inventory_is_reached_by_its_address_port_user_and_keys(
    program: Program, servers: dict[str, Sshd]
) -> None:
    assert [(each["where"], each["good"]) for each in checked(program)] == [
        ("db1: carry-over", True)
    ]
    dry = program("run", "runbooks/carry.yml", "--yes", "--no-input", "--mode", "dry-run")
    assert not (servers["db1"].home / "to").exists(), dry.err
    done = program("run", "runbooks/carry.yml", "--yes", "--no-input")
    assert done.exit == 0, done.err
    assert (servers["db1"].home / "to/a").read_text() == "one"


def test_a_host_with_another_key_than_the_inventory_says_is_refused(
    program: Program, servers: dict[str, Sshd]
) -> None:
    with_another_key(program, servers)
    (check,) = checked(program)
    assert not check["good"]
    assert "verification failed" in str(check["value"])
    done = program("run", "runbooks/carry.yml", "--yes", "--no-input")
    assert done.exit == 1, done.err
    assert not (servers["db1"].home / "to").exists()
