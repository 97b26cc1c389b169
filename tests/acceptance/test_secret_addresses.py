"""A host whose address is a secret is reached, and its address is found nowhere afterwards."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.relay import relay
from tests.sshd import Sshd, free_port

#: All of this network is this machine.
ADDRESS = "127.77.66.55"
RUNBOOK = """
drrun: 1
name: hidden
secrets: {where: {env: DR_WHERE}}
steps:
  here: {run: "cat /proc/*/cmdline | tr '\\\\0' '\\\\n' > $HOME/processes", verify: {run: "true"}}
  there: {on: db1, run: "true", verify: {run: "true"}}
  far: {needs: [there], on: db2, run: "true", verify: {run: "true"}}
"""
#: Notes what it is asked, and asks OpenSSH.
SSH = '#!/bin/sh\nprintf "%s\\n" "$*" >> "$HOME/asked"\nexec {ssh} "$@"\n'
READING = [
    ("status", "latest"), ("status", "latest", "--json"), ("show", "latest"),
    ("show", "latest", "there"), ("show", "latest", "far"), ("logs", "latest", "there"),
    ("events", "latest", "--json"), ("history",), ("plan", "runbooks/it.yml", "--json"),
    ("report", "latest", "--format", "markdown"), ("report", "latest", "--format", "json"),
    ("report", "latest", "--format", "html"),
]  # fmt: skip


@pytest.fixture
def program(tmp_path: Path) -> Program:
    tool = tmp_path / "bin" / "ssh"
    path = f"{tool.parent}:{os.environ['PATH']}"
    program = Program(tmp_path, {"DR_WHERE": ADDRESS, "PATH": path})
    program.write("bin/ssh", SSH.format(ssh=shutil.which("ssh")))
    tool.chmod(0o755)
    program.write(".ssh/config", "Host db*\n  ServerAliveInterval 7\n  Port 22\n")
    program.write("runbooks/it.yml", RUNBOOK)
    return program


def inventory(program: Program, server: Sshd, *ports: int) -> None:
    """db1 by one such route a port; db2 through db1."""
    common = {"identity": str(server.identity), "host_key": server.host_key, "user": server.user}
    hidden = {"secret": "where"}
    hosts = {
        "db1": {**common, "routes": [{"address": hidden, "port": port} for port in ports]},
        "db2": {**common, "routes": [{"address": hidden, "port": ports[-1], "via": ["db1"]}]},
    }
    program.write("inventory/hosts.yml", json.dumps({"hosts": hosts}))


def nowhere(program: Program, *done: Done) -> None:
    """Fails where the address is in anything that was printed, recorded or asked of others."""
    for each in (*done, *(program.here(*words) for words in READING)):
        assert ADDRESS not in each.out + each.err
    for path in program.folder.rglob("*"):
        if path.is_file():
            assert ADDRESS.encode() not in path.read_bytes(), path


def test_it_is_in_no_record_no_process_list_and_no_call_of_ssh(
    program: Program, sshd: Sshd
) -> None:
    with relay(sshd.port, 0) as port:
        inventory(program, sshd, free_port(), port)
        looked = program("preflight", "runbooks/it.yml")
        done = program("run", "runbooks/it.yml", "--yes", "--no-input")
        assert done.exit == 0, done.err
        nowhere(program, looked, done)
    assert "-G" in (program.folder / "asked").read_text()
    assert (program.folder / "processes").read_text()


def test_a_host_that_is_not_reached_is_told_without_it(program: Program, sshd: Sshd) -> None:
    inventory(program, sshd, free_port())
    looked = program("preflight", "runbooks/it.yml")
    done = program("run", "runbooks/it.yml", "--yes", "--no-input")
    assert done.exit in (1, 4)
    assert "db1 (route where" in program.here("show", "latest", "there").out
    nowhere(program, looked, done)


def test_a_secret_that_the_runbook_does_not_declare_is_named(program: Program, sshd: Sshd) -> None:
    inventory(program, sshd, 22)
    program.write("runbooks/it.yml", RUNBOOK.replace("secrets: {where", "secrets: {other"))
    done = program("plan", "runbooks/it.yml")
    assert done.exit == 2
    assert "the address of host db1 is the secret 'where'" in done.err


def test_a_secret_that_is_no_address_is_refused_before_anything_is_sent(
    program: Program, sshd: Sshd
) -> None:
    inventory(program, sshd, sshd.port)
    done = program("run", "runbooks/it.yml", "--yes", "--no-input", DR_WHERE="-oProxyCommand=x")
    assert done.exit in (1, 4)
    assert "secret where is no name or IP address" in program.here("show", "latest", "there").out
