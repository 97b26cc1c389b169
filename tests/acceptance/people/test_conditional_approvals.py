"""An approval that is asked because of a condition is taken back when the condition goes away."""

import subprocess
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: approvals
roles:
  commander: {people: [drew, simon]}
services: {db: {title: The database}}
steps:
  early-fence: {run: "test -e $HOME/fenced", verify: {run: "true"}, superseded_by: late-fence}
  late-fence: {manual: Switch it off by hand., verify: {run: "true"}}
  promote:
    needs: [{any_of: [early-fence, ask]}]
    run: echo promoted
    approval:
      role: commander
      count: 2
      when: steps.early-fence.state == 'failed'
    verify: {run: "true"}
    raises: {db: read-write}
  ask: {manual: Go on?, owner: commander}
"""


def program(folder: Path) -> Program:
    made = Program(folder)
    made.write("runbooks/it.yml", RUNBOOK)
    made.write("inventory/hosts.yml", "hosts: {}\n")
    return made


def begin(drrun: Program) -> "subprocess.Popen[str]":
    return drrun.start("run", "runbooks/it.yml", "--yes", "--linger", "1h", "--by", "ada")


def status(drrun: Program, step: str) -> str:
    done = drrun.here("status", "latest", "--json")
    if done.exit != 0:
        return ""
    steps = {each["id"]: each for each in drrun.json("status", "latest")["steps"]}
    return str(steps[step]["status"])


@pytest.mark.parametrize("restarted", [False, True])
def test_nobody_is_asked_any_more_and_the_run_succeeds(tmp_path: Path, restarted: bool) -> None:
    drrun = program(tmp_path)
    running = begin(drrun)
    assert until(lambda: status(drrun, "ask") == "waiting")
    drrun.here("confirm", "latest", "ask", "--by", "drew")
    assert until(lambda: '"step": "promote"' in drrun.here("status", "latest", "--json").out)
    if restarted:
        running.kill()
        running.communicate()
        running = drrun.start("resume", "latest", "--linger", "1h", "--by", "ada")
        assert until(lambda: status(drrun, "late-fence") == "waiting")
    drrun.here("confirm", "latest", "late-fence", "--by", "drew")
    done = Done.of(running)
    assert (done.exit, status(drrun, "promote"), status(drrun, "early-fence")) == (
        0, "passed", "skipped",
    ), done.err  # fmt: skip
    story = drrun.here("show", "latest", "promote").out
    assert "is not needed: steps.early-fence.state == 'failed' is false" in story


def test_nobody_is_asked_where_the_condition_does_not_hold(tmp_path: Path) -> None:
    drrun = program(tmp_path)
    drrun.write("fenced", "")
    running = begin(drrun)
    assert until(lambda: status(drrun, "promote") == "passed")
    for step in ("ask", "late-fence"):
        drrun.here("confirm", "latest", step, "--by", "drew")
    assert Done.of(running).exit == 0
