"""Nothing is learnt from runs that were none: stand-ins, dry-runs."""

from pathlib import Path

import pytest

from tests.programs import Program

RUNBOOK = """
drrun: 1
name: learning
steps:
  act: {run: sleep 0.3, verify: {run: "true"}, undo: {none: it only waits}}
"""


def program(folder: Path, inventory: str) -> Program:
    made = Program(folder)
    made.write("runbooks/it.yml", RUNBOOK)
    made.write("inventory/hosts.yml", inventory)
    return made


@pytest.mark.parametrize(
    ("inventory", "mode"),
    [("hosts: {}\nstand_ins: true\n", "live"), ("hosts: {}\n", "dry-run")],
)
def test_nothing_is_learnt_from_stand_ins_or_a_dry_run(
    tmp_path: Path, inventory: str, mode: str
) -> None:
    drrun = program(tmp_path, inventory)
    assert drrun("run", "runbooks/it.yml", "--yes", "--no-input", "--mode", mode).exit in (0, 7)
    learnt = drrun.here("learn", "latest")
    assert (learnt.exit, "tells nothing about how long" in learnt.err) == (2, True), learnt.err
    drrun.write("inventory/hosts.yml", "hosts: {}\n")
    assert drrun.json("plan", "runbooks/it.yml")["without_estimate"] == ["act"]
    assert "never verified" in drrun.here("readiness", "runbooks/it.yml").out


def test_a_real_run_is_learnt_from(tmp_path: Path) -> None:
    drrun = program(tmp_path, "hosts: {}\n")
    assert drrun("run", "runbooks/it.yml", "--yes", "--no-input").exit == 0
    assert "estimate" in drrun.here("learn", "latest").out
    assert "act (1 run)" in drrun.here("plan", "runbooks/it.yml").out
