"""At a terminal of 80 columns and 24 lines: the question, the live view, answers at the prompt."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator

import pytest

from tests.acceptance.cli.conftest import PATIENCE, Tool

ASKS = """\
  fence: {title: Fence PHL, manual: "Switch it off.\\nBoth of them.", owner: commander}
  after: {needs: [fence], run: "true", verify: [{run: "true"}]}
"""
HEAD = "title: Move\nroles:\n  commander: {people: [drew]}\n"


class Screen:
    """A process at a terminal."""

    def __init__(self, tool: Tool, *words: str, **more: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            tool.command(*words),
            cwd=tool.folder,
            env={**tool.environment, "DRRUN_LINGER": "", "TERM": "xterm-256color", **more},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        self.seen = ""

    def until(self, words: str) -> str:
        """Read until `words` are on the screen; all that was written since the last call."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.seen:
            assert time.monotonic() < deadline, f"{words!r} never came:\n{self.seen}"
            ready, _, _ = select.select([self._master], [], [], PATIENCE)
            assert ready, f"{words!r} never came:\n{self.seen}"
            self.seen += os.read(self._master, 65536).decode("utf-8", "replace")
        found, _, self.seen = self.seen.partition(words)
        return found + words

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def modes(self) -> list[object]:
        """How the terminal is set."""
        return list(termios.tcgetattr(self._slave))

    def close(self) -> None:
        """Turn it off."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def screen(tool: Tool) -> Iterator[Screen]:
    found = Screen(tool, "run", tool.runbook(ASKS, HEAD))
    yield found
    found.close()


def test_a_plan_is_shown_and_asked_about(screen: Screen) -> None:
    assert "fence" in screen.until("Execute this plan? [y/N]: ")


def test_a_no_begins_nothing(screen: Screen, tool: Tool) -> None:
    screen.until("Execute this plan? [y/N]: ")
    screen.type("n\n")
    screen.until("drrun: nothing was begun")
    assert screen.process.wait(PATIENCE) == 130
    assert "no runs yet" in tool("history").stdout


def test_a_gate_is_answered_at_the_prompt(screen: Screen) -> None:
    screen.until("Execute this plan? [y/N]: ")
    screen.type("y\n")
    screen.until("> fence: (c)onfirm, (r)eject: ")
    screen.type("c\r")
    screen.until("succeeded")
    assert screen.process.wait(PATIENCE) == 0


def test_the_board_shows_who_is_waited_for(screen: Screen) -> None:
    screen.until("Execute this plan? [y/N]: ")
    screen.type("y\n")
    screen.until("needs an answer")
    assert "commander" in screen.until("Switch it off.")


def test_the_terminal_is_given_back_as_it_was(screen: Screen) -> None:
    screen.until("Execute this plan? [y/N]: ")
    screen.type("y\n")
    screen.until("> fence: (c)onfirm, (r)eject: ")
    screen.process.send_signal(signal.SIGINT)
    screen.until("go on:")
    assert screen.process.wait(PATIENCE) == 130
    assert screen.modes() == screen.before


def test_no_color_is_honoured(tool: Tool) -> None:
    colourless = Screen(tool, "run", "--yes", tool.runbook(ASKS, HEAD), NO_COLOR="1")
    told = colourless.until("(c)onfirm, (r)eject: ")
    colourless.close()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", told)


def test_a_dumb_terminal_gets_lines(tool: Tool) -> None:
    dumb = Screen(tool, "run", "--yes", tool.runbook(ASKS, HEAD), TERM="dumb")
    told = dumb.until("fence: (c)onfirm, (r)eject: ")
    dumb.type("c\n")
    told += dumb.until("succeeded")
    dumb.close()
    assert "\x1b" not in told


def test_without_input_nobody_is_asked(tool: Tool) -> None:
    silent = Screen(tool, "run", "--yes", "--no-input", tool.runbook(ASKS, HEAD))
    silent.until("go on:")
    code = silent.process.wait(PATIENCE)
    silent.close()
    assert code == 3


def test_who_may_not_answer_is_told_whom_to_call(tool: Tool) -> None:
    steps = '  cut: {run: "true", verify: {run: "true"}, approval: {role: commander}}\n'
    head = "title: Move\nroles:\n  commander: {people: [drew, simon]}\n"
    other = Screen(tool, "run", "--yes", "--by", "root", tool.runbook(steps, head))
    other.until("cut asks commander (drew, simon); call them, they type:")
    shown = other.until(" cut")
    assert "drrun approve" in shown
    assert "(a)pprove" not in shown
    assert tool("approve", "latest", "cut", "--by", "simon").returncode == 0
    other.until("succeeded")
    other.process.wait(PATIENCE)
    other.close()


FAILS = """\
  fetch: {run: "true", verify: {run: "true"}, undo: {run: "echo gone > fetch.undone"}}
  start:
    needs: [fetch]
    run: "test -e there || { echo no such database >&2; exit 3; }"
    verify: {run: "true"}
  after: {needs: [start], run: "true", verify: {run: "true"}}
"""
OFFERED = "start: (r)etry (s)kip (m)ark done (e)dit (b)ack (p)ause (q)uit: "


@pytest.fixture
def failed(tool: Tool) -> Iterator[Screen]:
    found = Screen(tool, "run", "--yes", tool.runbook(FAILS, HEAD))
    told = found.until(OFFERED)
    assert "start failed: exit 3: no such database" in told
    yield found
    found.close()


def test_after_a_failure_the_driver_stays_and_tries_again(failed: Screen, tool: Tool) -> None:
    tool.write("there", "")
    failed.type("r\r")
    failed.until("succeeded")
    assert failed.process.wait(PATIENCE) == 0


def test_a_failed_step_is_marked_done_with_a_reason(failed: Screen, tool: Tool) -> None:
    failed.type("m\r")
    failed.until("how do you know that start is done? ")
    failed.type("\r")
    failed.until("say why")
    failed.type("m\rseen with psql\r")
    failed.until(" after (")
    failed.process.wait(PATIENCE)
    assert "seen with psql" in tool("show", "latest", "start").stdout


def test_a_failed_step_is_skipped_with_a_reason(failed: Screen, tool: Tool) -> None:
    failed.type("s\r")
    failed.until("why do you skip start? ")
    failed.type("not needed\r")
    failed.until(" after (")
    failed.process.wait(PATIENCE)
    assert "not needed" in tool("show", "latest", "start").stdout


def test_what_passed_is_undone_only_after_a_yes(failed: Screen, tool: Tool) -> None:
    failed.type("b\r")
    failed.until("undo 1 step (fetch)? type yes: ")
    failed.type("no\r")
    failed.until("nothing is undone")
    failed.type("b\r")
    failed.until("type yes: ")
    failed.type("yes\r")
    failed.until("rolled-back")
    failed.process.wait(PATIENCE)
    assert (tool.folder / "fetch.undone").exists()


def test_a_paused_run_goes_on_from_the_prompt(failed: Screen, tool: Tool) -> None:
    tool.write("there", "")
    failed.type("p\r")
    failed.until("(p) go on (q)uit: ")
    failed.type("r\r")
    failed.until("the run is paused: (g)o on (q)uit: ")
    failed.type("g\r")
    failed.until("succeeded")
    assert failed.process.wait(PATIENCE) == 0


def test_a_failed_step_is_corrected_in_ones_own_editor(tool: Tool) -> None:
    tool.write("editor", "#!/bin/sh\nsed -i 's/test -e there/test ! -e there/' \"$1\"\n")
    (tool.folder / "editor").chmod(0o755)
    editor = str(tool.folder / "editor")
    words = ("run", "--yes", tool.runbook(FAILS, HEAD))
    screen = Screen(tool, *words, EDITOR=editor, VISUAL=editor)
    screen.until(OFFERED)
    screen.type("e\r")
    screen.until("why: ")
    screen.type("it was the wrong way round\r")
    screen.until("succeeded")
    assert screen.process.wait(PATIENCE) == 0
    screen.close()
    assert "the wrong way round" in tool("events", "latest").stdout


def test_whoever_quits_leaves_a_failed_run(failed: Screen, tool: Tool) -> None:
    failed.type("q\r")
    failed.until("go on:")
    assert failed.process.wait(PATIENCE) == 1
    assert "failed" in tool("history").stdout


def test_others_put_right_what_the_driver_is_asked_about(failed: Screen, tool: Tool) -> None:
    status = tool("status").stdout
    assert "waiting: a person must say what to do: start: exit 3: no such database" in status
    run = status.splitlines()[1].split()[0]
    assert f"drrun retry {run} start" in status
    assert tool("skip", "latest", "start", "--reason", "not needed").returncode == 0
    failed.until(" after (")
    failed.process.wait(PATIENCE)


def test_a_run_that_has_failed_ends_once_its_driver_was_waited_for(tool: Tool) -> None:
    alone = Screen(tool, "run", "--yes", tool.runbook(FAILS, HEAD), DRRUN_LINGER="2s")
    alone.until(OFFERED)
    alone.until("go on:")
    assert alone.process.wait(PATIENCE) == 1
    alone.close()


def test_a_run_that_has_failed_ends_by_itself_where_nobody_sits(tool: Tool) -> None:
    assert tool("run", "--yes", tool.runbook(FAILS, HEAD)).returncode == 1
