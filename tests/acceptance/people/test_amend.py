"""Steps are added and changed while a run goes on; never what was done."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: amended
steps:
  first: {run: echo first >>$HOME/effects, verify: {run: "true"}}
  hold: {manual: wait, needs: [first]}
  last: {run: echo last >>$HOME/effects, needs: [hold], verify: {run: "true"}}
"""


class Amended:
    def __init__(self, folder: Path) -> None:
        self.program = Program(folder)
        self.program.write("runbooks/it.yml", RUNBOOK)
        self.program.write("inventory/hosts.yml", "hosts: {}\n")
        self.process: subprocess.Popen[str] = self.program.start(
            "run", "runbooks/it.yml", "--yes", "--linger", "1h"
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline()
        assert until(lambda: "hold asks" in self.program.here("status", "latest").out)

    def effects(self) -> list[str]:
        path = self.program.folder / "effects"
        return path.read_text().split() if path.exists() else []

    def amend(self, text: str, *arguments: str) -> Done:
        self.program.write("more.yml", text)
        return self.program.here(
            "amend", "latest", "more.yml", "--reason", "found out", *arguments
        )

    def finish(self) -> Done:
        self.program.here("confirm", "latest", "hold")
        return Done.of(self.process)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Amended]:
    found = Amended(tmp_path)
    yield found
    if found.process.poll() is None:
        found.process.kill()
        Done.of(found.process)


MORE = """
steps:
  between: {run: echo between >>$HOME/effects, needs: [hold], verify: {run: "true"}}
  last: {run: echo changed >>$HOME/effects, needs: [between], verify: {run: "true"}}
"""


def test_steps_are_added_and_changed_before_they_begin(run: Amended) -> None:
    done = run.amend(MORE)
    assert "added between; changed last" in done.err, done.err
    assert (run.finish().exit, run.effects()) == (0, ["first", "between", "changed"])


def test_a_step_that_has_begun_is_not_rewritten(run: Amended) -> None:
    done = run.amend("steps: {first: {run: 'false', verify: {run: 'true'}}}\n")
    assert (done.exit, "first has passed" in done.err) == (2, True), done.err


def test_the_whole_graph_is_judged_first(run: Amended) -> None:
    done = run.amend("steps: {a: {run: x, needs: [b]}, b: {run: x, needs: [a, nope], wat: 1}}\n")
    assert done.exit == 2
    assert all(word in done.err for word in ("more.yml:1", "nope", "wat")), done.err
    assert run.finish().exit == 0


def test_an_amended_run_is_resumed_with_its_amendments(run: Amended) -> None:
    run.amend(MORE)
    run.process.kill()
    Done.of(run.process)
    run.program.here("confirm", "latest", "hold")
    done = run.program("resume", "latest", "--no-input")
    assert (done.exit, run.effects()) == (0, ["first", "between", "changed"]), done.err


def test_without_a_reason_nothing_is_amended(run: Amended) -> None:
    run.program.write("more.yml", MORE)
    done = run.program.here("amend", "latest", "more.yml")
    assert (done.exit, "--reason" in done.err) == (2, True)


def test_the_record_says_who_amended_what_and_why(run: Amended) -> None:
    run.amend(MORE, "--by", "simon")
    run.finish()
    events = run.program.here("events", "latest").out
    assert all(word in events for word in ("PlanAmended", "simon", "found out", "between"))


TYPO = """
drrun: 1
name: typo
steps:
  one: {run: echo one >>$HOME/effects, verify: {run: "true"}}
  two: {run: ecko two >>$HOME/effects, needs: [one], verify: {run: "true"}}
  three: {run: echo three >>$HOME/effects, needs: [two], verify: {run: "true"}}
"""
FIX = """
steps:
  two: {run: echo two >>$HOME/effects, needs: [one], verify: {run: "true"}}
"""


def typo(folder: Path) -> Program:
    program = Program(folder)
    program.write("runbooks/it.yml", TYPO)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    program.write("fix.yml", FIX)
    assert program("run", "runbooks/it.yml", "--yes", "--no-input").exit == 1
    return program


@pytest.mark.faults(138)
def test_a_typo_in_a_failed_step_is_corrected_and_the_run_goes_on(tmp_path: Path) -> None:
    """The night's point A."""
    program = typo(tmp_path)
    done = program.here("amend", "latest", "fix.yml", "--reason", "typo")
    assert done.exit == 0, done.err
    assert "changed two; open again: three; continue with: drrun resume" in done.err
    done = program("resume", "latest", "--no-input")
    assert done.exit == 0, done.err
    assert (tmp_path / "effects").read_text().split() == ["one", "two", "three"]
    record = program.here("show", "latest", "two").out
    assert "ecko two" in record, record
    assert "echo two" in record


def test_corrections_are_judged_one_after_the_other_while_nobody_drives(tmp_path: Path) -> None:
    program = typo(tmp_path)
    program.here("amend", "latest", "fix.yml", "--reason", "typo")
    done = program.here("amend", "latest", "fix.yml", "--reason", "again")
    assert "it changes nothing" in done.err


def test_the_report_of_a_corrected_run_is_made_whatever_became_of_its_targets(
    tmp_path: Path,
) -> None:
    program = typo(tmp_path)
    items = FIX.replace("two: {run:", "two: {for_each: [p, q], run:")
    program.write("fix.yml", items)
    assert program.here("amend", "latest", "fix.yml", "--reason", "two places").exit == 0
    assert program("resume", "latest", "--no-input").exit == 0
    for command in ("report", "events", "status", "show"):
        done = program.here(command, "latest", *(["two"] if command == "show" else []))
        assert (done.exit, "Traceback" in done.err) == (0, False), (command, done.err)
