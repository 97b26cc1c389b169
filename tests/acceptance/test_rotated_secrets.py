"""A secret that changes between a kill and a resume: its former value is masked, or sealed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, until

OLD, NEW = "correct-horse-battery", "staple-of-another-day"

#: Prints the value before and behind the cut; waits for the file `go` between.
SLOW = """
drrun: 1
name: slow
secrets: {token: {env: DR_TOKEN}, other: {env: DR_OTHER}}
steps:
  slow:
    on: db1
    chdir: "{{ host.vars.home }}"
    env: {TOKEN: "{{ secrets.token }}", OTHER: "{{ secrets.other }}"}
    run: |
      echo begun >>effects
      printf '%s' "$TOKEN" >kept
      echo "before $TOKEN $OTHER"
      while [ ! -e go ]; do sleep 0.05; done
      echo "after $TOKEN"
      echo "after $TOKEN" >&2
      echo ended >>effects
CAPTURE
    verify: {run: cat $HOME/kept, expect: {contains: WANTED}}
  next: {needs: [slow], on: local, run: "echo got {{ steps.slow.got | default('nothing') }}",
         verify: {run: "true"}}
"""


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    program = Program(tmp_path, {"DR_OTHER": "another-secret-of-ours"})
    program.inventory({"db1": sshd})
    write(program)
    return program


def write(program: Program, capture: str = "", wanted: str = "horse") -> None:
    text = SLOW.replace("CAPTURE\n", capture).replace("WANTED", wanted)
    program.write("runbooks/slow.yml", text)


def killed_in_flight(program: Program, sshd: Sshd) -> str:
    """A run whose step goes on although its controller was killed."""
    run = ("run", "runbooks/slow.yml", "--yes", "--no-input")
    process = program.start(*run, DR_TOKEN=OLD)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    begun = until(lambda: effects(sshd.home / "effects") == ["begun"])
    os.kill(process.pid, signal.SIGKILL)
    assert begun, Done.of(process).err
    Done.of(process)
    (sshd.home / "go").touch()
    return name


def files_with(value: str, *folders: Path) -> Iterator[str]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and value.encode() in path.read_bytes():
                yield path.name


def said(program: Program, name: str) -> str:
    done = [
        program.here(*words, name, *more)
        for words, more in (
            (("logs",), ("slow",)),
            (("events",), ()),
            (("show",), ("slow",)),
            (("status",), ()),
        )
    ]
    return "".join(each.out + each.err for each in done)


@pytest.mark.faults(121)
def test_what_is_collected_under_a_rotated_secret_is_sealed_until_its_old_value_is_given(
    program: Program, sshd: Sshd
) -> None:
    name = killed_in_flight(program, sshd)
    done = program("resume", name, "--no-input", DR_TOKEN=NEW)
    assert (done.exit, effects(sshd.home / "effects")) == (0, ["begun", "ended"]), done.err
    told = done.out + done.err + said(program, name)
    assert "sealed: it may show a former value of token" in told
    assert "not shown: it may hold a former value of token" in told
    assert list(files_with(OLD, program.folder)) == []
    assert OLD not in told

    opened = program("unseal", name, "--old-secret", "token=env:BEFORE", BEFORE=OLD)
    assert (opened.exit, "2 outputs" in opened.err) == (0, True), opened.err
    read = program.here("logs", name, "slow").out
    assert read.count("after ***") == 2
    assert "before *** ***" in read
    assert list(files_with(OLD, program.folder)) == []
    assert list(program.folder.rglob("*.sealed")) == []
    assert program.here("verify-journal", name).exit == 0


@pytest.mark.faults(121)
def test_with_the_old_value_everything_is_masked_at_once(program: Program, sshd: Sshd) -> None:
    name = killed_in_flight(program, sshd)
    resume = ("resume", name, "--no-input", "--old-secret", "token=env:BEFORE")
    done = program(*resume, DR_TOKEN=NEW, BEFORE=OLD)
    told = done.out + done.err + said(program, name)
    assert (done.exit, "sealed" in told) == (0, False), told
    assert program.here("logs", name, "slow").out.count("after ***") == 2
    assert list(files_with(OLD, program.folder)) == []
    assert OLD not in told


def test_a_value_that_was_never_used_is_refused_and_changes_nothing(
    program: Program, sshd: Sshd
) -> None:
    name = killed_in_flight(program, sshd)
    resume = ("resume", name, "--no-input", "--old-secret", "token=env:BEFORE")
    refused = program(*resume, DR_TOKEN=NEW, BEFORE="a-guess")
    assert refused.exit == 2
    assert "this run never used that value" in refused.err
    done = program("resume", name, "--no-input", DR_TOKEN=NEW)
    assert done.exit == 0
    wrong = program("unseal", name, "--old-secret", "token=env:BEFORE", BEFORE="a-guess")
    assert (wrong.exit, "not the value" in wrong.err) == (2, True)
    assert len(list(program.folder.rglob("*.sealed"))) == 2


def test_a_value_itself_is_never_taken_from_the_command_line(program: Program) -> None:
    refused = program.here("resume", "latest", "--old-secret", f"token={OLD}")
    assert refused.exit == 2
    assert OLD not in refused.err
    assert "token=env:" in refused.err


def test_what_later_steps_need_of_a_sealed_output_waits_for_the_old_value(
    program: Program, sshd: Sshd
) -> None:
    write(program, "    capture: {got: {regex: 'after (.*)'}}\n")
    name = killed_in_flight(program, sshd)
    refused = program("resume", name, "--no-input", DR_TOKEN=NEW)
    assert (refused.exit, "--old-secret token" in refused.err) == (4, True), refused.err
    resume = ("resume", name, "--no-input", "--old-secret", "token=env:BEFORE")
    done = program(*resume, DR_TOKEN=NEW, BEFORE=OLD)
    assert (done.exit, effects(sshd.home / "effects")) == (0, ["begun", "ended"]), done.err
    assert "got ***" in program.here("logs", name, "next").out
    assert list(files_with(OLD, program.folder)) == []


def test_without_the_old_value_a_step_passes_only_by_its_verify_and_its_values_are_lost(
    program: Program, sshd: Sshd
) -> None:
    write(program, "    capture: {got: {regex: 'after (.*)'}}\n")
    name = killed_in_flight(program, sshd)
    done = program("resume", name, "--no-input", "--seal", DR_TOKEN=NEW)
    assert (done.exit, effects(sshd.home / "effects")) == (0, ["begun", "ended"]), done.err
    assert "got nothing" in program.here("logs", name, "next").out
    assert "--old-secret" in program.here("show", name, "slow").out


def test_a_secret_that_did_not_change_seals_nothing(program: Program, sshd: Sshd) -> None:
    name = killed_in_flight(program, sshd)
    done = program("resume", name, "--no-input", DR_TOKEN=OLD)
    told = said(program, name)
    assert (done.exit, "after ***" in told, "sealed" in told) == (0, True, False), told


def test_whoever_has_an_export_cannot_even_try_values(program: Program, sshd: Sshd) -> None:
    name = killed_in_flight(program, sshd)
    assert program("resume", name, "--no-input", DR_TOKEN=NEW).exit == 0
    assert program("export", name, "-o", "run.tar.gz").exit == 0
    elsewhere = Program(program.folder / "elsewhere", {"DR_OTHER": "another-secret-of-ours"})
    elsewhere.folder.mkdir()
    assert elsewhere("import", str(program.folder / "run.tar.gz")).exit == 0
    tried = elsewhere("unseal", name, "--old-secret", "token=env:BEFORE", BEFORE=OLD)
    assert (tried.exit, "not the value" in tried.err) == (2, True)
