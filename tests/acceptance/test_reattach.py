"""Steps in flight when the link, the server or the laptop is lost. Cases C7 to C16."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, until

#: Waits for the file `go`, so that a test decides how long it is in flight.
SLOW = """
drrun: 1
name: slow
defaults: {chdir: "{{ host.vars.home }}"}
steps:
  slow:
    on: db1
    run: |
      echo begun >>effects
      echo before the cut
      while [ ! -e go ]; do sleep 0.05; done
      echo after the cut
      echo ended >>effects
      exit 0
    verify: {run: grep -q ended $HOME/effects}
"""


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    program = Program(tmp_path)
    program.inventory({"db1": sshd})
    program.write("runbooks/slow.yml", SLOW)
    return program


def begin(program: Program, sshd: Sshd) -> "tuple[str, subprocess.Popen[str]]":
    """A run whose step is in flight."""
    process = program.start("run", "runbooks/slow.yml", "--yes", "--no-input")
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert until(lambda: effects(sshd.home / "effects") == ["begun"])
    return name, process


def boot_differently(sshd: Sshd) -> None:
    """As if it had been booted since: the command began under another boot id."""
    (decided,) = sshd.home.glob(".drrun/*/*@db1.1.d")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    decided.write_text(decided.read_text().replace(boot, "another-boot"))


def go(sshd: Sshd) -> None:
    (sshd.home / "go").touch()


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has collected yet does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] not in "ZX"


EXPECTED = ["begun", "ended"]


@pytest.mark.faults(54)
def test_a_killed_session_does_not_end_the_command_and_its_end_is_found(
    program: Program, sshd: Sshd
) -> None:  # F54
    _, process = begin(program, sshd)
    sshd.kill_sessions()
    go(sshd)
    done = Done.of(process)
    assert (done.exit, effects(sshd.home / "effects")) == (0, EXPECTED), done.err


@pytest.mark.faults(37)
def test_a_restarted_server_does_not_end_the_command(program: Program, sshd: Sshd) -> None:
    _, process = begin(program, sshd)
    sshd.stop()
    go(sshd)
    sshd.start()
    done = Done.of(process)
    assert (done.exit, effects(sshd.home / "effects")) == (0, EXPECTED), done.err


def test_a_killed_controller_does_not_end_the_command_and_resume_goes_on_with_it(
    program: Program, sshd: Sshd
) -> None:  # F45, case 7
    name, process = begin(program, sshd)
    os.kill(process.pid, signal.SIGKILL)
    Done.of(process)
    resumed = program.start("resume", name, "--no-input")
    go(sshd)
    done = Done.of(resumed)
    assert (done.exit, effects(sshd.home / "effects")) == (0, EXPECTED), done.err


def test_what_ended_while_nobody_looked_is_collected_with_its_output(
    program: Program, sshd: Sshd
) -> None:  # case 13
    name, process = begin(program, sshd)
    os.kill(process.pid, signal.SIGKILL)
    Done.of(process)
    go(sshd)
    assert until(lambda: effects(sshd.home / "effects") == EXPECTED)
    done = program("resume", name, "--no-input")
    said = program.here("logs", name, "slow").out
    assert (done.exit, "before the cut" in said, "after the cut" in said) == (0, True, True)


@pytest.mark.faults(65)
def test_a_command_whose_folder_was_deleted_is_not_known_and_not_run_again(
    program: Program, sshd: Sshd
) -> None:  # F65
    name, process = begin(program, sshd)
    assert until(lambda: "AttemptStarted" in program.here("events", name).out)
    os.kill(process.pid, signal.SIGKILL)
    Done.of(process)
    for path in sorted((sshd.home / ".drrun").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    done = program("resume", name, "--no-input")
    go(sshd)
    assert (done.exit, effects(sshd.home / "effects").count("begun")) == (3, 1), done.err


@pytest.mark.faults(56)
def test_a_host_that_has_rebooted_is_asked_by_verify_and_then_a_person(
    program: Program, sshd: Sshd
) -> None:  # F56
    name, process = begin(program, sshd)
    os.kill(process.pid, signal.SIGKILL)
    Done.of(process)
    boot_differently(sshd)
    done = program("resume", name, "--no-input")
    go(sshd)
    assert (done.exit, effects(sshd.home / "effects").count("begun")) == (3, 1), done.err


@pytest.mark.faults(47, 49)
def test_a_controller_that_was_told_to_leave_leaves_the_command_alone(
    program: Program, sshd: Sshd
) -> None:  # F47
    name, process = begin(program, sshd)
    os.kill(process.pid, signal.SIGTERM)
    left = Done.of(process)
    go(sshd)
    done = program("resume", name, "--no-input")
    assert (left.exit != 0, done.exit, effects(sshd.home / "effects")) == (True, 0, EXPECTED)


@pytest.mark.faults(61)
def test_a_written_time_limit_ends_everything_that_the_command_started(
    program: Program, sshd: Sshd
) -> None:  # F61
    program.write(
        "runbooks/slow.yml",
        SLOW.replace("    on: db1\n", "    on: db1\n    timeout: 1s\n").replace(
            "echo begun", "sleep 300 & echo $! >child; echo begun"
        ),
    )
    process = program.start("run", "runbooks/slow.yml", "--yes", "--no-input")
    done = Done.of(process)
    child = int((sshd.home / "child").read_text())
    assert (done.exit, alive(child)) == (1, False), done.err


@pytest.mark.faults(74)
def test_a_secret_is_in_no_file_and_no_argument(
    program: Program, sshd: Sshd, tmp_path: Path
) -> None:  # fault F74; contract guarantee 8
    program.write(
        "runbooks/slow.yml",
        SLOW.replace("steps:", "secrets: {key: {env: DR_KEY}}\nsteps:")
        .replace("    run: |", "    env: {KEY: '{{ secrets.key }}'}\n    run: |")
        .replace("echo before the cut", "echo $KEY {{ secrets.key }}"),
    )
    secret = "correct-horse-battery"
    process = program.start("run", "runbooks/slow.yml", "--yes", "--no-input", DR_KEY=secret)
    assert until(lambda: effects(sshd.home / "effects") == ["begun"])
    arguments = b"\n".join(
        path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()
    )
    go(sshd)
    done = Done.of(process)
    kept = [
        path
        for folder in (tmp_path, sshd.home)
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
    said = done.out + done.err + program.here("logs", "latest", "slow").out
    assert (done.exit, kept, secret.encode() in arguments, secret in said) == (
        0,
        [],
        False,
        False,
    ), done.err
