"""`run --mode dry-run` reads, shows what a live run would do, and changes nothing anywhere."""

import hashlib
from pathlib import Path

import pytest

from tests.programs import Program
from tests.sshd import Sshd, SshdFactory

RUNBOOK = """
drrun: 1
name: dry
secrets: {token: {env: DRY_TOKEN}}
steps:
  make:
    run: "cd; mkdir made; echo {{ secrets.token }}"
    on: db1
    verify: {run: test -d $HOME/made}
  put: {uses: copy, with: {content: x, to: "{{ host.vars.home }}/put"}, on: db1}
  there: {run: touch $HOME/no, on: db1, done_when: {file: "{{ host.vars.home }}"}}
  needs-made:
    run: touch $HOME/made/file
    on: db1
    needs: [make]
    guard: {run: "test -d {{ host.vars.home }}/made"}
  asked: {manual: go on?, needs: [needs-made]}
  looks: {run: touch $HOME/no, on: db1, dry_run: {run: echo would copy 7 files}, needs: [asked]}
  here: {run: "touch {{ inputs.folder }}/no"}
  point-of-no-return: {run: touch $HOME/no, on: db1, irreversible: true, needs: [looks]}
inputs: {folder: {type: string}}
"""


@pytest.fixture
def server(sshd_factory: SshdFactory) -> Sshd:
    return sshd_factory.start()


@pytest.fixture
def program(tmp_path: Path, server: Sshd) -> Program:
    program = Program(tmp_path, {"DRY_TOKEN": "quiet-harbour-77"})
    program.inventory({"db1": server})
    program.write("runbooks/dry.yml", RUNBOOK)
    return program


def tree(folder: Path) -> str:
    """One hash of all names, contents, modes and times below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest.update(f"{path} {status.st_mode} {status.st_mtime_ns} {status.st_size}".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def dry(program: Program) -> str:
    where = f"folder={program.folder}"
    done = program("run", "runbooks/dry.yml", "--mode", "dry-run", "--yes", "-e", where)
    assert done.exit == 7, done.err  # the guard of needs-made cannot hold yet
    return done.out


@pytest.mark.faults(105)
def test_the_host_is_bit_identical_afterwards(program: Program, server: Sshd) -> None:
    before = tree(server.home)
    dry(program)
    assert tree(server.home) == before


def test_the_controller_is_left_alone_too(program: Program) -> None:
    dry(program)
    assert not (program.folder / "no").exists()


def test_the_exact_commands_are_shown_with_secrets_masked(program: Program) -> None:
    shown = dry(program)
    assert "mkdir made; echo ***" in shown
    assert "quiet-harbour-77" not in shown


def test_a_check_of_a_change_that_was_not_made_is_tolerated_and_named(program: Program) -> None:
    shown = dry(program)
    assert "tolerated: guard, before any change was made" in shown


def test_what_is_done_already_is_told(program: Program) -> None:
    assert "done already   there@db1" in dry(program)


def test_the_action_written_for_dry_runs_is_executed(program: Program) -> None:
    dry(program)
    assert "would copy 7 files" in program.here("logs", "latest", "looks").out


def test_nobody_is_asked(program: Program) -> None:
    assert program.json("history")["runs"] == []
    dry(program)
    assert {step["status"] for step in program.json("status", "latest")["steps"]} == {
        "passed",
        "skipped",
    }


def test_a_guard_that_no_step_would_change_fails_the_dry_run(program: Program) -> None:
    program.write(
        "runbooks/bad.yml",
        "drrun: 1\nname: bad\nsteps:\n  a: {run: 'true', on: db1, guard: {run: 'false'}}\n",
    )
    done = program("run", "runbooks/bad.yml", "--mode", "dry-run", "--yes")
    assert done.exit == 1, done.err


def test_the_record_says_for_ever_that_it_was_a_dry_run(program: Program) -> None:
    dry(program)
    assert program.json("history")["runs"][0]["mode"] == "dry-run"
