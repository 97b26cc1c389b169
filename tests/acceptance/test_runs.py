"""Runs as their users see them, over real SSH: exit codes, what is shown, who is asked."""

from pathlib import Path

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import SshdFactory, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def program(tmp_path: Path, sshd_factory: SshdFactory) -> Program:
    program = Program(tmp_path)
    server = sshd_factory.start()
    program.inventory({"db1": server})
    program.home = server.home  # type: ignore[attr-defined] # where its files are
    return program


def run(program: Program, steps: str, *arguments: str) -> Done:
    program.write("runbooks/it.yml", f"drrun: 1\nname: it\nsteps:\n{steps}")
    return program("run", "runbooks/it.yml", "--yes", "--no-input", *arguments)


VERIFY_FAILS = """\
  promote:
    run: "true"
    on: db1
    verify: {name: is primary, run: echo f, expect: {equals: t}}
  after: {run: "true", needs: [promote], verify: {run: "true"}}
  beside: {run: "true", on: db1, verify: {run: "true"}}
"""


def test_everything_verified_ends_with_0(program: Program) -> None:
    done = run(program, "  a: {run: echo hello, on: db1, verify: {run: 'true'}}\n")
    assert done.exit == 0, done.err


def test_a_failing_verify_ends_with_1(program: Program) -> None:
    assert run(program, VERIFY_FAILS).exit == 1


def test_what_needs_a_failed_step_is_blocked_and_what_does_not_is_finished(
    program: Program,
) -> None:
    run(program, VERIFY_FAILS)
    steps = {step["id"]: step["status"] for step in program.json("status", "latest")["steps"]}
    assert steps == {"promote": "failed", "after": "blocked", "beside": "passed"}


def test_show_names_the_probe_the_expectation_and_the_value_seen(program: Program) -> None:
    run(program, VERIFY_FAILS)
    shown = program.here("show", "latest", "promote").out
    assert all(words in shown for words in ("is primary", "equals 't'", "saw 'f'")), shown


@pytest.mark.faults(26)
def test_a_host_that_cannot_be_reached_ends_with_4(program: Program) -> None:
    inventory = "hosts: {gone: {routes: [{address: 127.0.0.1, port: 9}], host_key: 'ssh-rsa AA'}}"
    program.write("inventory/gone.yml", inventory)
    done = run(program, "  a: {run: echo hello, on: gone, verify: {run: 'true'}}\n")
    assert (done.exit, "gone" in done.err) == (4, True), done.err


@pytest.mark.faults(30)
def test_an_unknown_host_key_is_refused_before_anything_is_sent(
    program: Program, sshd_factory: SshdFactory
) -> None:
    server = sshd_factory.start()
    program.write(
        "inventory/new.yml",
        f"hosts: {{new: {{identity: {server.identity}, "
        f"routes: [{{address: 127.0.0.1, port: {server.port}}}]}}}}",
    )
    done = run(program, "  a: {run: echo x >>$HOME/effects, on: new, verify: {run: 'true'}}\n")
    assert (done.exit != 0, effects(server.home / "effects")) == (True, [])


def test_a_run_that_waits_for_a_person_ends_with_3_and_is_resumed_after_the_answer(
    program: Program,
) -> None:
    steps = """\
  ask: {manual: please look}
  then: {run: 'true', needs: [ask], on: db1, verify: {run: 'true'}}
"""
    waiting = run(program, steps)
    program.here("confirm", "latest", "ask", "--by", "simon", "--reason", "looked")
    assert (waiting.exit, program("resume", "latest", "--no-input").exit) == (3, 0)


@pytest.mark.faults(91)
def test_a_second_controller_is_refused_with_5_and_told_who_drives(program: Program) -> None:
    program.write(
        "runbooks/it.yml",
        "drrun: 1\nname: it\nsteps:\n  ask: {manual: please look}\n",
    )
    first = program.start("run", "runbooks/it.yml", "--yes", "--linger", "60s")
    assert first.stdout is not None
    name = first.stdout.readline().strip()
    second, by_force = program("resume", name), program("resume", name, "--take-over")
    assert until(lambda: program.here("confirm", name, "ask").exit == 0)
    assert Done.of(first).exit == 0
    assert (second.exit, str(first.pid) in second.err) == (5, True), second.err
    assert (by_force.exit, "it is alive" in by_force.err) == (5, True), by_force.err


def test_an_answer_from_another_terminal_moves_a_running_run(program: Program) -> None:
    program.write(
        "runbooks/it.yml",
        "drrun: 1\nname: it\nsteps:\n  ask: {manual: how many?, input: {count: {type: int}}}\n"
        "  then: {run: 'echo {{ steps.ask.count }} >>$HOME/effects', on: db1, needs: [ask], "
        "verify: {run: 'true'}}\n",
    )
    first = program.start("run", "runbooks/it.yml", "--yes", "--linger", "60s")
    assert first.stdout is not None
    name = first.stdout.readline().strip()
    answered = ("confirm", name, "ask", "--input", "count=3")
    assert until(lambda: program.here(*answered).exit == 0)
    done = Done.of(first)
    home = program.home  # type: ignore[attr-defined] # set by the fixture
    assert (done.exit, effects(home / "effects")) == (0, ["3"]), done.err


@pytest.mark.parametrize("name", ["sourcehut-migration", "datacentre-switchover"])
def test_the_examples_are_clean(tmp_path: Path, name: str) -> None:
    done = Program(tmp_path)("validate", str(ROOT / "runbooks" / f"{name}.yml"), "--strict")
    assert done.exit == 0, done.out + done.err
