"""Runs from the outside: exit codes, what is printed where, answers of people, signals."""

import json
import signal
import sqlite3
import subprocess
from datetime import datetime

import pytest

from tests.acceptance.cli.conftest import PATIENCE, Tool, until

GOOD = '  a: {run: "echo hello; echo oops >&2", verify: [{name: sane, run: "true"}]}\n'
BAD = """\
  a: {run: "echo no >&2; exit 3", verify: [{run: "true"}]}
  b: {needs: [a], run: "true", verify: [{run: "true"}]}
"""
ASKS = """\
  fence: {manual: "Switch it off.", input: {serial: int}}
  after: {needs: [fence], run: "echo after >> effects", verify: [{run: "grep -c after effects", \
expect: {equals: "1"}}]}
"""
#: `first` waits for the file `go`, and leaves one line in `effects` each time it is executed.
SLOW = """\
  first:
    run: |
      echo first >> effects
      while [ ! -e go ]; do sleep 0.1; done
    verify: [{run: "test -e go"}]
  second: {needs: [first], run: "echo second >> effects", verify: [{run: "true"}]}
"""


def here(tool: Tool, steps: str) -> str:
    """A runbook whose commands run in the tool's folder."""
    return tool.runbook(steps, f"defaults: {{chdir: {tool.folder}}}\n")


def test_a_run_that_is_done_and_verified_ends_with_0(tool: Tool) -> None:
    assert tool("run", "--yes", tool.runbook(GOOD)).returncode == 0


def test_standard_output_is_the_id_of_the_run_and_nothing_else(tool: Tool) -> None:
    found = tool("run", "--yes", tool.runbook(GOOD))
    run = json.loads(tool("history", "--json").stdout)["runs"][0]["run"]
    assert found.stdout == f"{run}\n"


def test_each_change_is_told_in_one_line(tool: Tool) -> None:
    told = [line[9:] for line in tool("run", "--yes", tool.runbook(GOOD)).stderr.splitlines()]
    assert "running   a" in told
    assert "ended     succeeded" in told


def test_a_failed_step_ends_with_1_and_says_what_to_type(tool: Tool) -> None:
    found = tool("run", "--yes", tool.runbook(BAD))
    assert found.returncode == 1
    run = found.stdout.strip()
    assert f"drrun logs {run} a" in found.stderr
    assert f"drrun resume {run}" in found.stderr


def test_without_a_terminal_the_plan_needs_yes(tool: Tool) -> None:
    found = tool("run", tool.runbook(GOOD))
    assert (found.returncode, found.stdout) == (2, "")
    assert "--yes" in found.stderr
    assert "no runs yet" in tool("history").stdout


def test_a_gate_ends_with_3_and_is_answered_from_elsewhere(tool: Tool) -> None:
    assert tool("run", "--yes", here(tool, ASKS)).returncode == 3
    assert "asks anybody" in tool("status").stdout
    assert tool("confirm", "latest", "fence").returncode == 2  # no answer given
    assert tool("confirm", "latest", "fence", "--input", "serial=77").returncode == 0
    assert tool("resume", "latest").returncode == 0


def test_yes_answers_no_gate(tool: Tool) -> None:
    name = tool.runbook('  a: {run: "true", irreversible: true, verify: [{run: "true"}]}\n')
    assert tool("run", "--yes", name).returncode == 3
    assert tool("run", "--yes", "--allow-irreversible", "a", name).returncode == 0


def test_a_rejection_fails_the_step(tool: Tool) -> None:
    tool("run", "--yes", here(tool, ASKS))
    assert tool("reject", "latest", "fence", "--reason", "it burns").returncode == 0
    assert tool("resume", "latest", "--yes").returncode == 1
    assert not (tool.folder / "effects").exists()


def test_an_override_wants_a_reason(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(BAD))
    found = tool("skip", "latest", "a")
    assert found.returncode == 2
    assert "--reason" in found.stderr


@pytest.mark.parametrize("words", [("status",), ("history",), ("show", "latest", "a")])
def test_every_view_is_one_json_document(words: tuple[str, ...], tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(BAD))
    assert json.loads(tool(*words, "--json").stdout)["format"] == 1


def test_a_step_shows_command_exit_output_and_probes(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(GOOD))
    text = tool("show", "latest", "a").stdout
    for part in ("exit 0", "echo hello", "out | hello", "err | oops", "verify   sane: holds"):
        assert part in text


def test_a_blocked_step_says_why(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(BAD))
    assert "a is failed: exit 3" in tool("show", "latest", "b").stdout


@pytest.mark.faults(71, 73)
def test_output_is_marked_and_harmless(tool: Tool) -> None:  # F71, F73
    script = "printf '\\033[2Jdrrun: all done\\n'"
    tool(
        "run",
        "--yes",
        tool.runbook(f'  a:\n    run: |\n      {script}\n    verify: [{{run: "true"}}]\n'),
    )
    found = tool("logs", "latest", "a", "--stdout").stdout
    assert found == "out| \\x1b[2Jdrrun: all done\n"


def test_output_can_be_had_byte_by_byte(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(GOOD))
    assert tool("logs", "latest", "a", "--raw", "--stderr").stdout == "oops\n"


def test_events_are_one_json_object_a_line(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(GOOD))
    entries = [json.loads(line) for line in tool("events", "latest", "--json").stdout.splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[-1]["kind"] == "RunEnded"


def test_a_damaged_journal_ends_with_6(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(GOOD))
    assert tool("verify-journal", "latest").returncode == 0
    database = tool.folder.parent / "state" / "drrun" / "state.db"
    with sqlite3.connect(database) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='table'")
        table = next(name for name, sql in tables if "body" in sql and "hash" in sql)
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')
        connection.execute(f"UPDATE {table} SET actor = 'eve' WHERE seq = 2")
    connection.close()
    found = tool("verify-journal", "latest")
    assert found.returncode == 6
    assert "entry 2" in found.stderr


@pytest.mark.faults(26)
def test_a_host_that_cannot_be_reached_ends_with_4(tool: Tool) -> None:
    tool.write(
        "hosts.yml",
        "hosts:\n  db1:\n    user: nobody\n    routes: [{address: 127.0.0.1, port: 1}]\n",
    )
    name = tool.runbook('  a: {on: db1, run: "true", verify: [{run: "true"}]}\n')
    assert tool("run", "--yes", "-i", "hosts.yml", name).returncode == 4


# --- while a run is driven ----------------------------------------------------------------------


@pytest.mark.faults(91)
def test_a_run_that_is_held_ends_with_5_and_names_the_holder(tool: Tool) -> None:
    process = tool.begin("run", "--yes", here(tool, SLOW))
    until(process, "running   first")
    found = tool("resume", "latest")
    assert found.returncode == 5
    assert str(process.pid) in found.stderr


def test_a_person_answers_a_driven_run(tool: Tool) -> None:
    process = tool.begin("run", "--yes", "--linger", "1h", here(tool, ASKS))
    until(process, "waiting   fence")
    found = tool("confirm", "latest", "fence", "--input", "serial=77", "--by", "simon")
    assert (found.returncode, found.stderr) == (0, "confirmed fence\n")
    assert process.wait(PATIENCE) == 0


@pytest.mark.faults(48)
@pytest.mark.parametrize(
    ("signals", "code"),
    [([signal.SIGINT, signal.SIGINT], 130), ([signal.SIGTERM], 3), ([signal.SIGHUP], 3)],
)
def test_leaving_at_once_leaves_the_command_running(
    signals: list[signal.Signals], code: int, tool: Tool
) -> None:
    process = tool.begin("run", "--yes", here(tool, SLOW))
    until(process, "running   first")
    until_exists(tool, "effects")
    for number in signals:
        process.send_signal(number)
        until(process, "leaving")  # two at once would be one
    assert process.wait(PATIENCE) == code
    (tool.folder / "go").touch()
    assert tool("resume", "latest").returncode == 0
    assert (tool.folder / "effects").read_text() == "first\nsecond\n"


@pytest.mark.faults(48)
def test_ctrl_c_once_lets_running_steps_finish(tool: Tool) -> None:
    process = tool.begin("run", "--yes", here(tool, SLOW))
    until(process, "running   first")
    process.send_signal(signal.SIGINT)
    until(process, "leaving when")
    (tool.folder / "go").touch()
    told = until(process, "go on:")
    assert process.wait(PATIENCE) == 130
    assert "passed    first" in told
    assert "second\n" not in (tool.folder / "effects").read_text()


@pytest.mark.faults(50)
def test_a_reader_that_goes_away_does_not_harm_a_run(tool: Tool) -> None:  # F50
    process = subprocess.Popen(
        tool.command("run", "--yes", here(tool, SLOW)),
        cwd=tool.folder,
        env=tool.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    process.stderr.close()
    (tool.folder / "go").touch()
    assert process.wait(PATIENCE) == 0


def test_events_are_followed_to_the_end_of_the_run(tool: Tool) -> None:
    process = tool.begin("run", "--yes", here(tool, SLOW))
    until(process, "running   first")
    follower = tool.begin("events", "latest", "--json", "--follow")
    until(follower, "AttemptIntended")
    (tool.folder / "go").touch()
    until(follower, "RunEnded")
    assert follower.wait(PATIENCE) == 0


def test_output_is_followed_to_the_end_of_the_attempt(tool: Tool) -> None:
    loud = SLOW.replace("      while", "      echo begun\n      while")
    process = tool.begin("run", "--yes", here(tool, loud))
    until(process, "running   first")
    until_exists(tool, "effects")
    follower = tool.begin("logs", "latest", "first", "--follow")
    until(follower, "out| begun\n")
    (tool.folder / "go").touch()
    assert follower.wait(PATIENCE) == 0


def test_lines_of_both_streams_are_told_in_the_order_in_which_they_came(tool: Tool) -> None:
    script = "echo one; sleep 0.4; echo two >&2; sleep 0.4; echo three"
    tool("run", "--yes", tool.runbook(f"  a: {{run: '{script}', verify: {{run: 'true'}}}}\n"))
    lines = tool("logs", "latest", "a", "--timestamps").stdout.splitlines()
    assert [line[20:] for line in lines] == ["out| one", "err| two", "out| three"]
    stamps = [datetime.fromisoformat(line[:19]) for line in lines]
    assert stamps == sorted(stamps)
    found = json.loads(tool("logs", "latest", "a", "--timestamps", "--json").stdout)
    assert [line["text"] for line in found["attempts"][0]["lines"]] == ["one", "two", "three"]


def test_what_failed_steps_printed_is_one_command_away(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(BAD))
    assert tool("logs", "latest", "--failed").stdout == "err| no\n"
    assert "--failed" in tool("logs", "latest").stderr


def until_exists(tool: Tool, name: str) -> None:
    """Wait for a file that a step writes."""
    script = 'while [ ! -s "$0" ]; do sleep 0.05; done'
    subprocess.run(["sh", "-c", script, name], cwd=tool.folder, timeout=PATIENCE, check=True)


def test_every_item_is_followed_also_those_that_begin_later(tool: Tool) -> None:
    steps = (
        "  all: {for_each: [one, two], batch: 1, run: 'while [ ! -e go ]; do sleep 0.05; done; "
        "echo {{ item }}', verify: {run: 'true'}}\n"
    )
    process = tool.begin("run", "--yes", here(tool, steps))
    until(process, "running   all@one")
    follower = tool.begin("logs", "latest", "all", "--follow")
    (tool.folder / "go").touch()
    until(follower, "all@two attempt 1:")
    until(follower, "out| two\n")
    assert follower.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    "words",
    [("--raw", "--follow"), ("--raw", "--grep", "x"), ("--json", "-f"), ("--raw", "--json")],
)
def test_what_does_not_go_together_is_refused(tool: Tool, words: tuple[str, ...]) -> None:
    tool("run", "--yes", tool.runbook(GOOD))
    found = tool("logs", "latest", "a", *words)
    assert (found.returncode, "cannot be used together" in found.stderr) == (2, True)


def test_both_streams_may_be_named(tool: Tool) -> None:
    tool("run", "--yes", tool.runbook(GOOD))
    found = tool("logs", "latest", "a", "--stdout", "--stderr").stdout
    assert found == "out| hello\nerr| oops\n"


@pytest.mark.parametrize("words", [("--mode", "nope"), ("--status", "SUCCEEDED!")])
def test_a_filter_that_knows_nothing_is_refused(tool: Tool, words: tuple[str, ...]) -> None:
    found = tool("history", *words)
    assert (found.returncode, "is not one of" in found.stderr) == (2, True)
