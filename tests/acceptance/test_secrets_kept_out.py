"""Secrets where no mask helps: what is recorded as it is, what other programs are given."""

import json
import os
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import until

SECRET = "correct-horse-battery"
RUNBOOK = """
drrun: 1
name: kept
inputs: {word: {type: string, default: none}}
secrets: {token: {env: DR_TOKEN}}
steps:
  typed: {manual: "what is it?", input: {it: string}}
  after: {needs: [typed], on: local, run: "true", verify: {run: "true"}}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path, {"DR_TOKEN": SECRET})
    program.write("runbooks/kept.yml", RUNBOOK)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    return program


def files_with(value: str, folder: Path) -> list[str]:
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and value.encode() in path.read_bytes()
    ]


def test_an_input_that_holds_a_secret_is_refused_before_anything_is_recorded(
    program: Program,
) -> None:
    run = ("run", "runbooks/kept.yml", "--yes", "--no-input")
    done = program(*run, "-e", f"word=it is {SECRET}")
    assert (done.exit, "{{ secrets.token }}" in done.err) == (2, True), done.err
    assert SECRET not in done.err
    assert files_with(SECRET, program.folder) == []
    assert "no run" in program.here("history").err + program.here("history").out


def test_what_a_person_types_in_for_later_steps_cannot_be_a_secret(program: Program) -> None:
    process = program.start("run", "runbooks/kept.yml", "--yes", "--linger", "1h")
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert until(lambda: "what is it?" in program.here("status", name).out)
    refused = program.here("confirm", name, "typed", "--input", f"it={SECRET}")
    assert (refused.exit, "{{ secrets.NAME }}" in refused.err) == (2, True), refused.err
    noted = program.here("note", name, f"it is {SECRET}")
    taken = program.here("confirm", name, "typed", "--input", "it=nothing")
    done = Done.of(process)
    assert (noted.exit, taken.exit, done.exit) == (0, 0, 0), done.err
    assert "it is ***" in program.here("events", name).out
    assert files_with(SECRET, program.folder) == []


def test_no_program_of_the_settings_is_given_a_secret_of_the_runbook(program: Program) -> None:
    seen = program.folder / "seen"
    program.write("drrun.yaml", json.dumps({"notify": [{"command": f"env >>{seen}"}]}))
    client = program.write("bin/ssh", f'#!/bin/sh\nenv >>{seen}\nexec /usr/bin/ssh "$@"\n')
    client.chmod(0o755)
    program.write("inventory/hosts.yml", "hosts: {db1: {}}\n")
    program.write(
        "runbooks/kept.yml",
        RUNBOOK.partition("  typed")[0] + "  act: {on: db1, run: 'true', verify: {run: 'true'}}\n",
    )
    path = f"{client.parent}:{os.environ['PATH']}"
    run = ("run", "runbooks/kept.yml", "--yes", "--no-input")
    program(*run, PATH=path, OF_ANOTHER="is-passed-on")
    given = seen.read_text()
    assert "DRRUN_KIND=ended" in given
    assert "OF_ANOTHER=is-passed-on" in given
    assert SECRET not in given
