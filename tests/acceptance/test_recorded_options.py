"""What a run was started with holds for whoever goes on with it: resume, rollback, cleanup."""

from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import Sshd

RUNBOOK = """
drrun: 1
name: box
steps:
  a: {on: box, run: touch $HOME/a, verify: {run: test -e $HOME/a}, undo: {run: rm $HOME/a}}
  b: {on: box, needs: [a], run: "true", verify: {run: test -e $HOME/b}, undo: none}
"""


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    """A run that failed, begun with an SSH configuration that alone knows where the host is."""
    program = Program(tmp_path)
    program.write("runbooks/box.yml", RUNBOOK)
    program.write("inventory/hosts.yml", "hosts: {box: {}}\n")
    known = program.write("known", f"{sshd.known_hosts_line}\n")
    program.write(
        "dr.config",
        f"Host box\n  HostName {sshd.address}\n  Port {sshd.port}\n  User {sshd.user}\n"
        f"  IdentityFile {sshd.identity}\n  UserKnownHostsFile {known}\n",
    )
    done = program(
        "run", "runbooks/box.yml", "--yes", "--no-input", "--ssh-config", "dr.config",
        "--max-parallel", "1",
    )  # fmt: skip
    assert done.exit == 1, done.err
    assert (sshd.home / "a").exists()
    return program


def from_elsewhere(program: Program, *words: str) -> Done:
    """A drrun in another folder, told nothing of SSH."""
    (program.folder / "elsewhere").mkdir(exist_ok=True)
    there = Program(program.folder / "elsewhere", program.own)
    return there(*words)


def test_resume_rollback_and_cleanup_reach_hosts_as_the_run_did(
    program: Program, sshd: Sshd
) -> None:
    (sshd.home / "b").touch()
    resumed = from_elsewhere(program, "resume", "latest", "--no-input")
    assert resumed.exit == 0, resumed.err
    back = from_elsewhere(program, "rollback", "latest", "--yes", "--no-input", "--plain")
    assert not (sshd.home / "a").exists(), back.err
    assert from_elsewhere(program, "cleanup", "latest").exit == 0


def test_a_configuration_that_is_not_here_is_named_with_the_way_out(program: Program) -> None:
    (program.folder / "dr.config").rename(program.folder / "moved.config")
    for words in (("resume", "latest", "--no-input"), ("cleanup", "latest")):
        done = program(*words)
        assert done.exit == 2
        assert f"--ssh-config {program.folder}/dr.config" in done.err
        assert "Give the one to use: --ssh-config FILE" in done.err
    given = program("cleanup", "latest", "--ssh-config", "moved.config")
    assert given.exit == 0, given.err
