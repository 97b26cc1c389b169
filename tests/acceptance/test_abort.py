"""`abort` ends what runs, with all its processes, and says what it could not end. Case C25."""

import subprocess
from pathlib import Path

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, until

RUNBOOK = """
drrun: 1
name: stop
defaults: {chdir: "{{ host.vars.home }}"}
steps:
  slow:
    on: db1
    run: |
      echo $$ >>pids
      sh -c "sleep 300 & sleep 300" & echo $! >>pids
      sleep 300 & echo $! >>pids
      trap 'echo stubborn >>effects' TERM
      echo begun >>effects
      wait; wait; wait
    verify: {run: "true"}
  later: {run: echo later >>effects, on: db1, needs: [slow], verify: {run: "true"}}
  asked: {manual: are you there?}
  checked:
    run: echo acted >>effects
    on: db1
    verify: {run: "false", within: 10m, every: 100ms}
"""


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    program = Program(tmp_path)
    program.inventory({"db1": sshd})
    program.write("runbooks/stop.yml", RUNBOOK)
    return program


def begin(program: Program, sshd: Sshd) -> "subprocess.Popen[str]":
    process = program.start("run", "runbooks/stop.yml", "--yes", "--linger", "1h")
    assert until(lambda: set(effects(sshd.home / "effects")) == {"begun", "acted"})
    # Its verification has begun.
    assert until(lambda: "does not hold" in program.here("show", "latest", "checked").out)
    return process


def alive(pid: str) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] not in "ZX"


def abort(program: Program) -> Done:
    return program("abort", "latest", "--reason", "wrong site")


def test_abort_ends_the_whole_session_of_what_runs(program: Program, sshd: Sshd) -> None:
    process = begin(program, sshd)
    abort(program)
    done = Done.of(process)
    pids = effects(sshd.home / "pids")
    assert (done.exit, len(pids), [pid for pid in pids if alive(pid)]) == (1, 3, []), done.err


def test_after_abort_the_record_says_what_was_ended_and_what_never_began(
    program: Program, sshd: Sshd
) -> None:
    process = begin(program, sshd)
    abort(program)
    Done.of(process)
    found = program.json("status", "latest")
    steps = {step["id"]: step["status"] for step in found["steps"]}
    expected = {
        "slow": "cancelled",
        "later": "cancelled",
        "asked": "cancelled",
        "checked": "unknown",
    }
    assert (found["status"], steps) == ("aborted", expected)
    assert "its whole session was ended" in program.here("show", "latest", "slow").out


def test_what_cannot_be_reached_to_be_ended_is_unknown_not_failed(
    program: Program, sshd: Sshd
) -> None:
    process = begin(program, sshd)
    sshd.stop()
    abort(program)
    done = Done.of(process)
    steps = {step["id"]: step["status"] for step in program.json("status", "latest")["steps"]}
    assert (done.exit, steps["slow"]) == (1, "unknown"), done.err


def is_driven(program: Program) -> bool:
    """Whether a controller is there again, and has found the command."""
    told = program.json("status", "latest")
    steps = {step["id"]: step["status"] for step in told["steps"]}
    return told["controller"] is not None and steps["slow"] == "running"


def test_resume_after_an_abort_that_ended_nothing_finds_the_command_again(
    program: Program, sshd: Sshd
) -> None:
    process = begin(program, sshd)
    sshd.stop()
    abort(program)
    Done.of(process)
    sshd.start()
    resumed = program.start("resume", "latest", "--linger", "1h")
    assert until(lambda: is_driven(program))
    assert abort(program).exit == 0
    Done.of(resumed)
    assert effects(sshd.home / "effects").count("begun") == 1
    assert "its whole session was ended" in program.here("show", "latest", "slow").out


def test_an_abort_of_a_killed_controller_is_carried_out_by_resume(
    program: Program, sshd: Sshd
) -> None:
    process = begin(program, sshd)
    process.kill()
    Done.of(process)
    assert "nobody drives this run" in abort(program).err
    Done.of(program.start("resume", "latest", "--no-input", "--yes"))
    assert [pid for pid in effects(sshd.home / "pids") if alive(pid)] == []
