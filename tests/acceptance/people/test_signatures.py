"""Approvals that are signed with a person's SSH key, and those that only look like it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import make_key, until

RUNBOOK = """
drrun: 1
name: signed
people: {simon: %s}
roles: {admins: {people: [drew, simon, conrad]}}
steps:
  cut:
    run: "true"
    verify: {run: "true"}
    approval: {role: admins, signed: true}
"""


class Signed:
    def __init__(self, folder: Path) -> None:
        self.program = Program(folder)
        self.key, self.other = make_key(folder / "simon"), make_key(folder / "mallory")
        public = self.key.with_suffix(".pub").read_text().strip()
        self.program.write("runbooks/it.yml", RUNBOOK % json.dumps(public))
        self.program.write("inventory/hosts.yml", "hosts: {}\n")
        self.process: subprocess.Popen[str] = self.program.start(
            "run", "runbooks/it.yml", "--yes", "--linger", "1h", "--by", "drew"
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline()
        assert until(lambda: "May cut begin" in self.program.here("status", "latest").out)

    def approve(self, by: str, key: Path | None) -> Done:
        signs = ("--sign", str(key)) if key else ()
        return self.program.here("approve", "latest", "cut", "--by", by, *signs)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Signed]:
    found = Signed(tmp_path)
    yield found
    found.process.kill()
    Done.of(found.process)


def test_an_approval_with_the_persons_key_counts_and_is_kept(run: Signed) -> None:
    done = run.approve("simon", run.key)
    assert done.exit == 0, done.err
    assert until(lambda: run.process.poll() == 0)
    assert "BEGIN SSH SIGNATURE" in run.program.here("events", "latest", "--json").out


def test_an_approval_without_a_signature_is_refused(run: Signed) -> None:
    done = run.approve("simon", None)
    assert (done.exit, "--sign" in done.err) == (2, True), done.err


def test_somebody_elses_key_does_not_count(run: Signed) -> None:
    done = run.approve("simon", run.other)
    assert (done.exit, "is not good" in done.err) == (2, True), done.err


def test_a_person_without_a_known_key_cannot_sign(run: Signed) -> None:
    done = run.approve("conrad", run.other)
    assert (done.exit, "is not good" in done.err) == (2, True), done.err


def test_a_key_that_is_not_there_is_told(run: Signed) -> None:
    done = run.approve("simon", Path("/nonexistent"))
    assert (done.exit, "could not be signed" in done.err) == (4, True), done.err
