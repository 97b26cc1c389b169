"""A condition that leaves a step out says what it saw; what is no text is never taken for one."""

from pathlib import Path

from tests.programs import Program

RUNBOOK = r"""
drrun: 1
name: conditions
steps:
  probe:
    run: printf 'v=3 count=010 lag=7m\n'
    capture:
      v: {regex: 'v=(\d+)'}
      count: {regex: 'count=(\d+)', as: int}
      lag: {regex: 'lag=(\S+)', as: duration}
    verify: {run: "true"}
  more: {run: "true", needs: [probe], when: steps.probe.count > 9, verify: {run: "true"}}
  late: {run: "true", needs: [probe], when: steps.probe.lag > '5m', verify: {run: "true"}}
  other: {run: "true", needs: [probe], when: steps.probe.v == 4, verify: {run: "true"}}
"""


def program(folder: Path, runbook: str) -> Program:
    made = Program(folder)
    made.write("runbooks/it.yml", runbook)
    made.write("inventory/hosts.yml", "hosts: {}\n")
    return made


def test_a_step_that_is_left_out_says_which_values_its_condition_saw(tmp_path: Path) -> None:
    drrun = program(tmp_path, RUNBOOK)
    assert drrun("run", "runbooks/it.yml", "--yes", "--no-input").exit == 0
    steps = {each["id"]: each for each in drrun.json("status", "latest")["steps"]}
    assert [steps[name]["status"] for name in ("more", "late", "other")] == [
        "passed",
        "passed",
        "skipped",
    ]
    assert steps["other"]["note"] == "when: steps.probe.v == 4 is false; steps.probe.v is 3"


def test_a_condition_between_a_text_and_a_number_is_refused_with_its_place(tmp_path: Path) -> None:
    drrun = program(tmp_path, RUNBOOK.replace("steps.probe.v == 4", "\"steps.probe.v == '4'\""))
    done = drrun("run", "runbooks/it.yml", "--yes", "--no-input")
    assert (done.exit, "write 4 without quotes" in done.err) == (2, True), done.err
    assert "runbooks/it.yml:14:" in done.err


def test_what_is_no_utf8_fails_the_step_and_names_the_way_out(tmp_path: Path) -> None:
    drrun = program(tmp_path, RUNBOOK.replace("lag=7m", "lag=7m\\377"))
    assert drrun("run", "runbooks/it.yml", "--yes", "--no-input").exit == 1
    shown = drrun.here("show", "latest", "probe").out
    assert "capture lag: stdout holds bytes that are no UTF-8" in shown
