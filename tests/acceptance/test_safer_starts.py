"""A start that may hurt asks first; one that cannot be says everything that is wrong with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import Program

ON_A_HOST = """
drrun: 1
name: move
steps:
  a: {on: db1, when: "false", run: touch /x, verify: {run: "true"}}
"""
OUTER = """
drrun: 1
name: outer
steps:
  database:
    uses: runbook
    with: {file: parts/none.yml}
  web:
    uses: runbook
    with: {file: parts/inner.yml}
  open: {run: "true", needs: [datbase], verify: {run: "true"}}
"""
INNER = """
drrun: 1
name: inner
steps:
  copy: {run: "true", timeout: soon, verify: {run: "true"}}
  far: {uses: runbook, with: {file: ../../etc/far.yml}}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("runbooks/move.yml", ON_A_HOST)
    program.write("runbooks/outer.yml", OUTER)
    program.write("runbooks/parts/inner.yml", INNER)
    program.write("inventory/hosts.yml", "hosts: {db1: {address: 192.0.2.1}}\n")
    return program


REHEARSE = ("run", "runbooks/move.yml", "--mode", "rehearsal", "--yes", "--no-input")


@pytest.mark.parametrize("words", [(), ("--type", "mvoe")])
def test_a_rehearsal_on_hosts_that_nobody_marked_for_it_begins_nothing(
    program: Program, words: tuple[str, ...]
) -> None:
    done = program(*REHEARSE, *words)
    assert (done.exit, done.out) == (2, "")
    assert "in use: db1" in done.err
    assert "Nothing was begun" in done.err
    assert "--type move" in done.err
    assert "there is no run yet" in program.here("status", "latest").err


def test_the_typed_name_rehearses_on_them(program: Program) -> None:
    assert program(*REHEARSE, "--type", "move").exit in (0, 7)
    assert program.json("status", "latest")["mode"] == "rehearsal"


def test_the_first_inventory_says_that_its_hosts_are_in_use(program: Program) -> None:
    program.here("init", "first")
    done = program(
        "run", "first/runbooks/failover.yml", "--mode", "rehearsal", "--yes", "--no-input"
    )
    assert (done.exit, "its hosts are in use" in done.err) == (2, True), done.err


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_missing_runbook_hides_no_other_error_and_has_a_place(
    program: Program, command: str
) -> None:
    done = program.here(command, "runbooks/outer.yml")
    told = done.out + done.err
    assert done.exit == 2
    for line in (
        "runbooks/outer.yml:7:5: step database: runbooks/parts/none.yml: no such file",
        "runbooks/outer.yml:11:23: steps.open.needs: unknown step 'datbase'; did you mean 'data",
        "runbooks/parts/inner.yml:5:32: steps.copy.timeout: 'soon' is not a duration",
        "runbooks/parts/inner.yml:6:24: step far: ../../etc/far.yml must be below",
    ):
        assert line in told


def test_a_missing_inventory_hides_no_error_of_the_runbook(program: Program) -> None:
    program.write("runbooks/move.yml", ON_A_HOST.replace("when:", "wehn:"))
    told = program.here("validate", "runbooks/move.yml", "-i", "none.yml")
    assert told.exit == 2
    assert "none.yml: no such file" in told.out
    assert "unknown key 'wehn'; did you mean 'when'?" in told.out
    assert "db1" not in told.out


MANY_WRONG = """
drrun: 1
name: many
inputs: {a: {type: int}, b: {type: int}, c: {type: int}}
services: {web: {}, mail: {}, git: {}}
locks: [one]
steps:
  x: {run: "echo {{ d }} {{ e }}", on: [h1, h2, h3], needs: [y, z, w], locks: [two, three]}
  y: {run: "true", needs: [x], raises: {wb: down, gti: down}, modes: [lvie]}
  z: {manual: look, remind_after: 5, wehn: "true", titel: x}
  v: {uses: coppy, with: {tp: x}}
"""
SOUND = """
drrun: 1
name: sound
services: {web: {}, mail: {}, git: {}}
steps:
  x: {run: "true", on: [db1, db2, db3], raises: {git: down}}
  y: {run: "true", needs: [x], on: site:ams}
  z: {run: "true", needs: [x], on: "db*"}
"""
HOSTS = """
sites: {ams: {}, fre: {}}
hosts: {db1: {site: ams}, db2: {site: ams}, db3: {site: fre}}
stores: {one: {on: db1}, two: {on: db2}, three: {on: db3}}
"""


@pytest.mark.parametrize("words", [("validate", "many"), ("validate", "sound"), ("plan", "sound")])
def test_what_is_said_of_a_runbook_stands_in_the_same_order_every_time(
    program: Program, words: tuple[str, str]
) -> None:
    program.write("runbooks/many.yml", MANY_WRONG)
    program.write("runbooks/sound.yml", SOUND)
    program.write("inventory/hosts.yml", HOSTS)
    command, name = words
    said = set()
    for seed in range(5):
        done = subprocess.run(
            [sys.executable, "-m", "drrun", command, f"runbooks/{name}.yml"],
            cwd=program.folder,
            env={**os.environ, "HOME": str(program.folder), "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=False,
        )
        said.add((done.returncode, done.stdout, done.stderr))
    (told,) = said
    assert told[1].count("\n") > 5
