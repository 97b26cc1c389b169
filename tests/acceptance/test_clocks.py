"""Wrong clocks, of a host and of the laptop, as somebody in the night sees them."""

import json
from pathlib import Path

import pytest

from tests.programs import Program
from tests.sshd import Sshd, SshdFactory

RUNBOOK = """
drrun: 1
name: clocks
steps:
  a: {run: "true", on: db1, verify: {run: "true"}}
  ask: {manual: go on?, needs: [a]}
  b: {run: "true", on: db1, needs: [ask], verify: {run: "true"}}
"""
#: libfaketime hands clock_nanosleep now and then a moment that the kernel refuses.
SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""


def program_of(folder: Path, server: Sshd) -> Program:
    program = Program(folder)
    program.inventory({"db1": server})
    program.write("runbooks/clocks.yml", RUNBOOK)
    return program


@pytest.fixture
def an_hour_ahead(tmp_path: Path, sshd_factory: SshdFactory) -> Program:
    """A host whose clock goes an hour ahead."""
    programs, home = tmp_path / "host/bin", tmp_path / "host/home"
    for each in (programs, home):
        each.mkdir(parents=True)
    date = programs / "date"
    date.write_text("#!/bin/sh\nexec /bin/date -d '+1 hour' \"$@\"\n")
    date.chmod(0o755)
    path = f"PATH={programs}:/usr/local/bin:/usr/bin:/bin"
    return program_of(tmp_path, sshd_factory.start(f"SetEnv HOME={home} {path}"))


def test_a_host_whose_clock_is_wrong_is_named_with_the_way_out(an_hour_ahead: Program) -> None:
    program = an_hour_ahead
    ran = program("run", "runbooks/clocks.yml", "--yes", "--no-input")
    warning = "clocks: that of db1 is 1h ahead of the clock of the controller's machine"
    report = program("report", "latest", "--format", "markdown", "-o", "-").out
    assert "db1: 1h ahead" in ran.err
    for shown in (program("status", "latest").out, report):
        assert warning in shown.replace("\n", " ")
        assert "chronyc makestep" in shown
    (clock,) = json.loads(program("status", "latest", "--json").out)["clocks"]
    assert (clock["host"], abs(clock["ahead"] - 3600) <= clock["error"] + 0.1) == ("db1", True)


@pytest.mark.faults(94)
@pytest.mark.parametrize("shift", ["-1h", "+1h"])
def test_a_clock_that_was_set_before_a_resume_makes_no_duration_absurd(
    tmp_path: Path, sshd_factory: SshdFactory, shift: str
) -> None:
    program = program_of(tmp_path, sshd_factory.start())
    program("run", "runbooks/clocks.yml", "--yes", "--no-input")
    program.write("python/sitecustomize.py", SLEEP)
    shifted = {"DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": str(tmp_path / "python")}
    later = Program(tmp_path, shifted, ("faketime", "-f", shift))
    later("confirm", "latest", "ask")
    done = later("resume", "latest", "--no-input")
    assert done.exit == 0, done.err
    told = json.loads(program("status", "latest", "--json").out)
    took = [told["elapsed"], *(step["seconds"] for step in told["steps"])]
    assert max(took) < 300, took
    assert told["elapsed_exact"], told
    assert any("since it began that was set" in each for each in told["warnings"])
