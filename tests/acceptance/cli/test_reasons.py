"""A failure is named with what the program said of it, wherever it is named."""

import re

import pytest

from tests.acceptance.cli.conftest import Tool

STEPS = """\
  typo: {run: ecko two}
  probed:
    run: "true"
    verify: {name: db is up, run: 'echo starting; echo "FATAL: no shared memory"; exit 1'}
  pointed:
    run: "printf 'LINE 1: selct 1\\n        ^^^^^\\n' >&2; exit 3"
  slow: {run: "echo waiting for a lock >&2; sleep 60", timeout: 1s}
"""
REASONS = {
    "typo": r"exit 127: .*ecko: not found",
    "probed": r"db is up: FATAL: no shared memory \(expected exit 0, saw 1\)",
    "pointed": r"exit 3: LINE 1: selct 1",
    "slow": r"longer than 1s.*; last words: waiting for a lock",
}


@pytest.mark.parametrize("step", REASONS)
def test_the_log_the_end_and_the_status_say_why_a_step_failed(tool: Tool, step: str) -> None:
    done = tool("run", "--yes", "--no-input", "--only", step, tool.runbook(STEPS))
    reason = REASONS[step]
    assert re.search(rf"failed +{step}: {reason}", done.stderr), done.stderr
    assert re.search(rf"^failed: {step}: {reason}", done.stderr, re.MULTILINE)
    assert re.search(rf"^failed: {step}: {reason}", tool("status").stdout, re.MULTILINE)


def test_after_a_failure_the_ways_out_stand_ready_to_paste(tool: Tool) -> None:
    done = tool("run", "--yes", "--no-input", "--only", "typo", tool.runbook(STEPS))
    run = done.stdout.strip()
    for told in (done.stderr, tool("status").stdout):
        assert f"drrun edit {run} typo --reason WHY" in told
        assert f"drrun skip {run} typo --reason WHY" in told
        assert f"drrun mark-done {run} typo --reason WHY" in told
        assert f"drrun rollback {run} --reason WHY" in told
        assert f"drrun resume {run}" in told


def test_no_hash_of_the_journal_stands_between_the_lines_of_a_run(tool: Tool) -> None:
    steps = '  gate: {manual: "Switch it off."}\n'
    done = tool("run", "--yes", "--no-input", tool.runbook(steps))
    lines = [line for line in done.stderr.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert any("gate" in line for line in lines)
    assert not any("journal" in line for line in lines)
