"""`drrun cleanup` finds what a crash left on hosts, and removes only what nobody needs."""

import json
import re
from pathlib import Path

import pytest

from tests.programs import Done, Program, effects
from tests.sshd import Sshd, until

RUNBOOK = """
drrun: 1
name: left
defaults: {chdir: "{{ host.vars.home }}"}
steps:
  quick: {run: echo quick >>effects, on: db1, verify: {run: "true"}}
  slow:
    on: db1
    run: |
      echo begun >>effects
      while [ ! -e go ]; do sleep 0.05; done
    verify: {run: "true"}
    needs: [quick]
"""


@pytest.fixture
def program(tmp_path: Path, sshd: Sshd) -> Program:
    program = Program(tmp_path)
    program.inventory({"db1": sshd})
    program.write("runbooks/left.yml", RUNBOOK)
    return program


def killed(program: Program, sshd: Sshd) -> str:
    """A run whose controller was killed while a step was in flight; its id."""
    process = program.start("run", "runbooks/left.yml", "--yes", "--no-input")
    assert until(lambda: "begun" in effects(sshd.home / "effects"))
    process.kill()
    return Done.of(process).out.strip()


def jobs(sshd: Sshd) -> list[str]:
    """Attempts whose outputs are still there."""
    return [path.stem for path in (sshd.home / ".drrun").glob("*/*.o")]


def leave_behind(sshd: Sshd, run: str, job: str) -> None:
    """What a crash left of a job that has ended."""
    folder = sshd.home / ".drrun" / run
    folder.mkdir(parents=True, exist_ok=True)
    for path in (sshd.home / ".drrun", folder):
        path.chmod(0o700)
    (folder / f"{job}.d").write_text("begun 1 1 - 1 1.1 1 1\n")
    (folder / f"{job}.x").write_text("0 end\n")
    (folder / f"{job}.o").write_text("printed\n")


def test_a_job_that_still_runs_is_kept_and_named(program: Program, sshd: Sshd) -> None:
    killed(program, sshd)
    done = program("cleanup", "latest")
    assert (done.exit, "slow@db1.1" in done.out, "resume" in done.out) == (3, True, True)


def test_a_job_whose_outcome_nobody_knows_is_kept_for_resume(program: Program, sshd: Sshd) -> None:
    killed(program, sshd)
    (sshd.home / "go").touch()
    assert program("cleanup", "latest").exit == 3
    assert program("resume", "latest", "--no-input").exit == 0
    assert jobs(sshd) == []


def test_what_nobody_needs_is_removed(program: Program, sshd: Sshd) -> None:
    (sshd.home / "go").touch()
    run = program("run", "runbooks/left.yml", "--yes").out.strip()
    leave_behind(sshd, run, "quick@db1.1")
    done = program("cleanup", "latest")
    assert (done.exit, "removed" in done.out, jobs(sshd)) == (0, True, [])


def test_jobs_of_another_run_are_shown_and_left_alone(program: Program, sshd: Sshd) -> None:
    (sshd.home / "go").touch()
    program("run", "runbooks/left.yml", "--yes")
    leave_behind(sshd, "another", "x@db1.1")
    done = program("cleanup", "latest")
    assert (done.exit, "foreign" in done.out, jobs(sshd)) == (0, True, ["x@db1.1"])
    assert "db1: 1 foreign folder (another) of runs that are not known here; left" in done.out


def test_folders_of_many_other_runs_are_counted_and_not_listed(
    program: Program, sshd: Sshd
) -> None:
    (sshd.home / "go").touch()
    program("run", "runbooks/left.yml", "--yes")
    for number in range(30):
        leave_behind(sshd, f"another-{number}", "x@db1.1")
    done = program("cleanup", "latest")
    assert "db1: 30 foreign folders of runs that are not known here; left alone\n" in done.out
    assert "another-" not in done.out
    told = json.loads(program("cleanup", "latest", "--json").out)["jobs"]
    assert sum(each["what"] == "foreign" and each["job"] is not None for each in told) == 30


def test_each_run_that_is_touched_is_named_with_its_state_and_age(
    program: Program, sshd: Sshd
) -> None:
    run = killed(program, sshd)
    done = program("cleanup", "latest")
    assert re.search(rf"^{run}: \S+, begun \S+ ago$", done.out, re.MULTILINE), done.out
    (sshd.home / "go").touch()
    program("resume", "latest", "--no-input")


def test_a_succeeded_run_leaves_what_tells_an_older_copy_and_nothing_it_printed(
    program: Program, sshd: Sshd
) -> None:
    (sshd.home / "go").touch()
    run = program("run", "runbooks/left.yml", "--yes").out.strip()
    left = sorted(path.name for path in (sshd.home / ".drrun" / run).iterdir())
    decided = [f"{step}@db1.1.{kind}" for step in ("quick", "slow") for kind in "dx"]
    assert left == ["head", *decided[:2], "room", *decided[2:]]
    assert sum(path.stat().st_size for path in (sshd.home / ".drrun" / run).iterdir()) < 1000


def test_a_run_is_remembered_until_it_was_closed_and_a_time_is_over(
    program: Program, sshd: Sshd
) -> None:
    (sshd.home / "go").touch()
    run = program("run", "runbooks/left.yml", "--yes").out.strip()
    open_ = program("cleanup", "latest", "--after", "0s")
    assert (open_.exit, "not closed: drrun close" in open_.out) == (0, True), open_.out
    program("close", "latest")
    soon = program("cleanup", "latest")
    assert (soon.exit, "another 29d23h" in soon.out, "succeeded" in soon.out) == (0, True, True)
    assert (sshd.home / ".drrun" / run / "head").exists()
    over = program("cleanup", "latest", "--after", "0s")
    assert (over.exit, "removed" in over.out) == (0, True)
    assert not (sshd.home / ".drrun").exists()
    assert program("clean-up", "latest").out == "nothing is left on any host\n"


def test_other_runs_are_named_with_their_state_and_what_to_do(
    program: Program, sshd: Sshd
) -> None:
    (sshd.home / "go").touch()
    first = program("run", "runbooks/left.yml", "--yes").out.strip()
    program("run", "runbooks/left.yml", "--yes")
    done = program("cleanup", "latest")
    assert f"drrun close {first}" in " ".join(done.out.split()), done.out


def test_a_host_that_cannot_be_asked_ends_with_4(program: Program, sshd: Sshd) -> None:
    killed(program, sshd)
    sshd.stop()
    done = program("cleanup", "latest")
    assert (done.exit, "unreachable" in done.out) == (4, True), done.out


def test_a_run_that_is_being_driven_is_refused(program: Program, sshd: Sshd) -> None:
    process = program.start("run", "runbooks/left.yml", "--yes", "--no-input")
    assert until(lambda: "begun" in effects(sshd.home / "effects"))
    done = program("cleanup", "latest")
    (sshd.home / "go").touch()
    Done.of(process)
    assert (done.exit, "cleans up behind itself" in done.err) == (2, True), done.err
