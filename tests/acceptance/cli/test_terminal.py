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
    screen.until("nothing more was begun")
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
