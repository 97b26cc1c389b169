"""Faults of drrun's own process and machine, of its inputs, and of what hosts can do."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.knot import ZONE, KnotFactory
from tests.programs import Done, Program, effects
from tests.sshd import Sshd, SshdFactory, until


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    program = Program(tmp_path)
    program.inventory({"db1": sshd})
    return program


def run(program: Program, steps: str, *arguments: str, **environment: str) -> Done:
    program.write("runbooks/it.yml", f"drrun: 1\nname: it\n{steps}")
    return program("run", "runbooks/it.yml", "--yes", "--no-input", *arguments, **environment)


SECRET = """
secrets: {key: {env: THE_KEY}, file: {file: key.txt}}
steps:
  first: {run: echo first >>$HOME/effects, on: db1, verify: {run: "true"}}
  uses:
    run: printf %s {{ secrets.key }} >$HOME/arrived; cat $HOME/arrived
    on: db1
    needs: [first]
    verify: {run: "true"}
  other: {run: "true", env: {KEY: "{{ secrets.file }}"}, verify: {run: "true"}}
"""


@pytest.mark.faults(24)
@pytest.mark.parametrize(("value", "kept"), [("", True), ("x" * 12, False)])
def test_a_secret_that_is_missing_or_empty_is_found_before_the_first_step(
    program: Program, sshd: Sshd, value: str, kept: bool
) -> None:
    if kept:
        program.write("runbooks/key.txt", "long enough").chmod(0o600)
    environment = {"THE_KEY": value} if value else {}
    done = run(program, SECRET, **environment)
    assert (done.exit, effects(sshd.home / "effects")) == (4, []), done.err


@pytest.mark.faults(25)
def test_a_secret_with_quotes_newlines_and_unicode_arrives_and_is_masked(
    program: Program, sshd: Sshd
) -> None:
    secret = 'it\'s "quoted" $HOME\nsecond `line` ünïcode'
    program.write("runbooks/key.txt", "long enough").chmod(0o600)
    done = run(program, SECRET, THE_KEY=secret)
    assert done.exit == 0, done.err
    assert (sshd.home / "arrived").read_text() == secret
    shown = program.here("logs", "latest", "uses").out
    assert "quoted" not in shown
    assert "second" not in shown


@pytest.mark.faults(39)
def test_a_server_that_only_speaks_what_is_too_old_is_named(
    tmp_path: Path, sshd_factory: SshdFactory
) -> None:
    old = sshd_factory.start("KexAlgorithms diffie-hellman-group14-sha1", "Ciphers aes256-cbc")
    program = Program(tmp_path)
    program.inventory({"db1": old})
    done = run(program, "steps: {a: {run: 'true', on: db1, verify: {run: 'true'}}}\n")
    assert (done.exit, "Incompatible" in done.err or "algorithm" in done.err) == (4, True), (
        done.err
    )


@pytest.mark.faults(43)
@pytest.mark.parametrize(("elsewhere", "exit_code"), [(False, 4), (True, 0)])
def test_a_host_whose_home_cannot_be_written_executes_where_it_is_told_to(
    program: Program, sshd: Sshd, tmp_path: Path, *, elsewhere: bool, exit_code: int
) -> None:
    if elsewhere:
        inventory = program.folder / "inventory/hosts.yml"
        text = inventory.read_text()
        inventory.write_text(text.replace('"db1": {', f'"db1": {{"work_dir": "{tmp_path}/work", '))
    command = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(sshd.home)]
    subprocess.run(command, check=True)
    try:
        done = run(program, "steps: {a: {run: echo hello, on: db1, verify: {run: 'true'}}}\n")
    finally:
        subprocess.run(["umount", str(sshd.home)], check=True)
    told = "cannot keep commands" in done.err and "work_dir" in done.err
    assert (done.exit, told) == (exit_code, not elsewhere), done.err


SLOW = """
steps:
  slow:
    on: db1
    run: |
      echo begun >>$HOME/effects
      while [ ! -e $HOME/go ]; do sleep 0.05; done
      echo ended >>$HOME/effects
    verify: {run: grep -q ended $HOME/effects}
"""


def begin(program: Program, sshd: Sshd) -> "subprocess.Popen[str]":
    program.write("runbooks/it.yml", f"drrun: 1\nname: it\n{SLOW}")
    process = program.start("run", "runbooks/it.yml", "--yes", "--no-input")
    assert until(lambda: "begun" in effects(sshd.home / "effects"))
    return process


@pytest.mark.faults(51)
def test_a_controller_that_was_frozen_goes_on_where_it_was(program: Program, sshd: Sshd) -> None:
    process = begin(program, sshd)
    process.send_signal(signal.SIGSTOP)
    sshd.kill_sessions()
    (sshd.home / "go").touch()
    assert until(lambda: "ended" in effects(sshd.home / "effects"))
    process.send_signal(signal.SIGCONT)
    done = Done.of(process)
    assert (done.exit, effects(sshd.home / "effects")) == (0, ["begun", "ended"]), done.err


@pytest.mark.faults(49)
def test_a_closed_terminal_leaves_the_command_alone_and_the_run_resumable(
    program: Program, sshd: Sshd
) -> None:
    process = begin(program, sshd)
    process.send_signal(signal.SIGHUP)
    left = Done.of(process)
    (sshd.home / "go").touch()
    assert program("resume", "latest", "--no-input").exit == 0
    assert (left.exit, effects(sshd.home / "effects")) == (3, ["begun", "ended"]), left.err


@pytest.mark.faults(68, 69)
def test_a_line_without_an_end_and_a_long_silence_are_neither_death_nor_a_flood(
    program: Program,
) -> None:
    big = (
        "steps: {a: {run: 'sleep 2; head -c 60000000 /dev/zero', on: db1, verify: {run: 'true'}}}"
    )
    done = run(program, f"{big}\n")
    assert done.exit == 0, done.err
    found = program.json("show", "latest", "a")["targets"][0]["attempts"][0]["output"]["stdout"]
    assert found["bytes"] == 60_000_000


FLAPS = """
steps:
  a:
    run: echo 0 >$HOME/count
    on: db1
    verify:
      run: n=$(cat $HOME/count); echo $((n + 1)) >$HOME/count; [ $((n % 2)) = 1 ] || [ $n -gt 6 ]
      within: 20s
      every: 100ms
      stable_for: 300ms
"""


@pytest.mark.faults(76)
def test_a_probe_that_flaps_has_to_keep_holding(program: Program, sshd: Sshd) -> None:
    done = run(program, FLAPS)
    assert done.exit == 0, done.err
    assert int((sshd.home / "count").read_text()) > 8


@pytest.mark.faults(78)
def test_a_verify_whose_command_is_missing_could_not_tell(program: Program) -> None:
    done = run(program, "steps: {a: {run: 'true', on: db1, verify: {run: no-such-program}}}\n")
    steps = program.json("status", "latest")["steps"]
    assert (done.exit, steps[0]["status"]) == (3, "unknown"), done.err


@pytest.mark.faults(79)
def test_what_was_done_already_is_not_done_again_and_the_record_says_so(
    program: Program, sshd: Sshd
) -> None:
    steps = "{run: echo no >>$HOME/effects, on: db1, done_when: {run: 'true'}}"
    run(program, f"steps: {{a: {steps}}}\n")
    found = program.json("show", "latest", "a")["targets"][0]
    assert (effects(sshd.home / "effects"), found["already"]) == ([], True)


@pytest.mark.faults(81)
def test_one_stale_name_server_keeps_the_step_from_passing(
    program: Program, knot_factory: KnotFactory
) -> None:
    fresh = knot_factory.start("www 300 A 192.0.2.2")
    stale = knot_factory.start("www 300 A 192.0.2.1")
    done = run(
        program,
        f"""
steps:
  cut-over:
    run: "true"
    verify:
      dns: {{name: www.{ZONE}, type: A, servers: ["{fresh.address}", "{stale.address}"]}}
      expect: {{equals: 192.0.2.2}}
""",
    )
    shown = program.here("show", "latest", "cut-over").out
    assert (done.exit, stale.address in shown) == (1, True), shown


@pytest.mark.faults(82)
def test_a_guard_on_a_host_that_cannot_be_reached_stays_shut(program: Program, sshd: Sshd) -> None:
    guarded = """
steps:
  open-writes:
    run: echo open >>$HOME/effects
    guard: {name: old primary is fenced, on: db1, run: "true"}
    verify: {run: "true"}
"""
    sshd.stop()
    done = run(program, guarded)
    assert (done.exit, (program.folder / "effects").exists()) == (1, False), done.err
    assert "old primary is fenced" in program.here("show", "latest", "open-writes").out


@pytest.mark.faults(96)
def test_a_changed_runbook_is_shown_and_not_taken_silently(program: Program, sshd: Sshd) -> None:
    run(program, "steps: {a: {run: 'exit 1', on: db1, verify: {run: 'true'}}}\n")
    program.write("runbooks/it.yml", "drrun: 1\nname: it\nsteps: {a: {run: 'true'}}\n")
    refused = program("resume", "latest", "--no-input")
    assert (refused.exit, "+ " in refused.err, "--pinned" in refused.err) == (2, True, True)
    assert program("resume", "latest", "--no-input", "--pinned").exit == 1


@pytest.mark.faults(98)
def test_few_file_descriptors_are_enough_or_said(tmp_path: Path, sshd: Sshd) -> None:
    program = Program(tmp_path, prefix=("prlimit", "--nofile=96"))
    program.inventory({"db1": sshd})
    many = "".join(
        f"  s{n}: {{run: 'true', on: db1, verify: {{run: 'true'}}}}\n" for n in range(30)
    )
    done = run(program, f"steps:\n{many}")
    assert (done.exit, "Traceback" in done.err) == (0, False), done.err[-2000:]


@pytest.mark.faults(36)
def test_sixty_four_hosts_behind_one_server_meet_no_banner_error(
    tmp_path: Path, sshd_factory: SshdFactory
) -> None:
    sshd = sshd_factory.start("MaxStartups 10:30:100")
    program = Program(tmp_path)
    program.inventory({f"h{n}": sshd for n in range(64)})
    done = run(program, "steps: {a: {run: 'true', on: 'h*', verify: {run: 'true'}}}\n")
    assert done.exit == 0, done.err[-3000:]


# libfaketime 0.9.10 hands clock_nanosleep, which Python's sleep calls, now and then a moment that
# the kernel refuses with EINVAL; it leaves select alone.
SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""


@pytest.mark.faults(94)
def test_a_clock_that_jumps_back_an_hour_loses_nothing(tmp_path: Path, sshd: Sshd) -> None:
    jumps = Program(tmp_path)
    jumps.inventory({"db1": sshd})
    fails = "steps: {a: {run: test -e $HOME/go, on: db1, verify: {run: 'true'}}}\n"
    assert run(jumps, fails).exit == 1
    (sshd.home / "go").touch()
    # Only the wall clock: durations are counted on the other one, which no machine sets back.
    jumps.write("python/sitecustomize.py", SLEEP)
    shifted = {"DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": str(tmp_path / "python")}
    back = Program(tmp_path, shifted, ("faketime", "-f", "-1h"))
    done = back("resume", "latest", "--no-input")
    assert (done.exit, back("verify-journal", "latest").exit) == (0, 0), done.err


REBOOTS = """
steps:
  reboot:
    run: echo asked >>$HOME/effects
    on: db1
    reboots: true
    timeout: %s
    verify: {run: "true"}
"""


@pytest.mark.faults(58)
def test_a_reboot_step_is_not_done_while_the_old_boot_goes_on(program: Program) -> None:
    done = run(program, REBOOTS % "1s")
    assert (done.exit, "did not reboot within 1s" in done.err) == (1, True), done.err


@pytest.mark.faults(58)
def test_a_reboot_step_is_done_once_the_boot_is_another(program: Program, sshd: Sshd) -> None:
    # A machine cannot be booted in a test: its server is, and sees another boot id from then on.
    boot = sshd.folder / "boot_id"
    boot.write_text("first-boot\n")
    bind = f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"'
    sshd.prefix = ("unshare", "--mount", "sh", "-c", bind, "sh")
    sshd.restart()
    program.write("runbooks/it.yml", f"drrun: 1\nname: it\n{REBOOTS % '60s'}")
    process = program.start("run", "runbooks/it.yml", "--yes", "--no-input")
    assert until(lambda: effects(sshd.home / "effects") == ["asked"])
    sshd.stop()
    boot.write_text("second-boot\n")
    sshd.start()
    done = Done.of(process)
    said = program.here("events", "latest").out
    assert (done.exit, "is back with a new boot id" in said) == (0, True), done.err
