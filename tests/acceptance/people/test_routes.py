"""Which way a host is reached: chosen by a step, or by a person while the run goes on."""

import json
from pathlib import Path

import pytest

from tests.programs import Program
from tests.sshd import Sshd, SshdFactory


@pytest.fixture
def server(sshd_factory: SshdFactory) -> Sshd:
    return sshd_factory.start("ListenAddress 127.0.0.2")


@pytest.fixture
def program(tmp_path: Path, server: Sshd) -> Program:
    program = Program(tmp_path)
    host = {
        "user": server.user,
        "identity": str(server.identity),
        "host_key": server.host_key,
        "routes": [
            {"name": "direct", "address": "127.0.0.1", "port": server.port},
            {"name": "oob", "address": "127.0.0.2", "port": server.port},
        ],
    }
    program.write("inventory/hosts.yml", json.dumps({"hosts": {"db1": host}}))
    return program


def routes(program: Program) -> list[str]:
    shown = [program.json("show", "latest", step) for step in ("before", "after")]
    return [each["targets"][0]["attempts"][0]["route"] for each in shown]


RUNBOOK = """
drrun: 1
name: routes
steps:
  before: {run: "true", on: db1, verify: {run: "true"}}
  turn: {uses: set_route, with: {route: %s}, on: db1, needs: [before]}
  after: {run: "true", on: db1, needs: [turn], verify: {run: "true"}}
"""


def test_a_step_chooses_the_route(program: Program) -> None:
    program.write("runbooks/routes.yml", RUNBOOK % "oob")
    done = program("run", "runbooks/routes.yml", "--yes", "--no-input")
    assert (done.exit, routes(program)) == (0, ["direct", "oob"]), done.err


def test_a_route_that_is_not_there_fails_the_step_and_names_those_that_are(
    program: Program,
) -> None:
    program.write("runbooks/routes.yml", RUNBOOK % "carrier-pigeon")
    done = program("run", "runbooks/routes.yml", "--yes", "--no-input")
    assert (done.exit, "direct, oob, or auto" in done.err) == (4, True), done.err
