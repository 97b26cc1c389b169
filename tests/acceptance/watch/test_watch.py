"""`drrun watch` on a real terminal (tmux), at 80x24 and smaller, with keys that act."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import Done, Program
from tests.sshd import until

RUNBOOK = """
drrun: 1
name: migration
title: Emergency migration
roles: {commander: {people: [drew, simon]}}
services: {git: {}}
steps:
  restore:
    run: |
      printf 'table 1 of 2\\n\\033]0;owned\\007\\033[31mred\\n'
      while [ ! -e go ]; do sleep 0.05; done
    verify: {run: "true"}
    raises: {git: read-only}
  how: {decision: Fail over?, authority: commander, options: {failover: {}, wait: {}}}
  cut: {run: "true", verify: {run: "true"}, needs: [how], approval: {role: commander}}
  bad: {run: exit 3, verify: {run: "true"}}
"""


class Screen:
    """A terminal in tmux."""

    def __init__(self, program: Program, *words: str, width: int = 80, height: int = 24) -> None:
        if not shutil.which("tmux"):
            pytest.fail("tmux is missing")
        self._socket = f"drrun-{uuid.uuid4().hex[:8]}"
        own = {"XDG_STATE_HOME": str(program.folder / "state"), "HOME": str(program.folder)}
        given = [f"-e{name}={value}" for name, value in own.items()]
        path = f"-ePYTHONPATH={os.environ.get('PYTHONPATH', '')}"
        command = [sys.executable, "-m", "drrun", *words]
        size = ["-x", str(width), "-y", str(height)]
        folder = ["-c", str(program.folder)]
        self._tmux("new-session", "-d", *size, *folder, *given, path, *command)
        self._tmux("set-option", "-g", "remain-on-exit", "on")

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-L", self._socket, "-f", "/dev/null", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    @property
    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    @property
    def title(self) -> str:
        return self._tmux("display-message", "-p", "#{pane_title}")

    @property
    def pid(self) -> int:
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def shows(self, *words: str) -> None:
        assert until(lambda: all(word in self.text for word in words)), self.text

    def keys(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def close(self) -> None:
        self._tmux("kill-server")


class Watched:
    def __init__(self, folder: Path) -> None:
        self.program = Program(folder)
        self.program.write("runbooks/it.yml", RUNBOOK)
        self.program.write("inventory/hosts.yml", "hosts: {}\n")
        self.process = self.program.start(
            "run", "runbooks/it.yml", "--yes", "--linger", "1h", "--by", "drew"
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline()
        assert until(lambda: "Fail over?" in self.program.here("status", "latest").out)
        self.screen = Screen(self.program, "watch", "latest", "--by", "simon")
        self.screen.shows("Emergency migration", "restore", "asks you")

    def close(self) -> None:
        self.screen.close()
        (self.program.folder / "go").touch()
        self.process.kill()
        Done.of(self.process)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path)
    yield found
    found.close()


def test_steps_services_and_who_is_waited_for_are_seen_at_80x24(watched: Watched) -> None:
    watched.screen.shows("services git down", "failed", "exit 3", "Fail over?", "q")
    lines = watched.screen.text.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 24


def test_a_decision_and_an_approval_are_given_with_keys(watched: Watched) -> None:
    screen = watched.screen
    screen.keys("g", "n", "d")
    screen.shows("how: failover, wait:")
    screen.keys("failover", "Enter")
    screen.shows("why?")
    screen.keys("it will not come back", "Enter")
    screen.shows("decided how")
    screen.shows("May cut begin?")
    screen.keys("n", "n", "a", "Enter")
    screen.shows("approved cut")
    shown = watched.program.here("show", "latest", "how").out
    assert "simon" in shown
    assert "it will not come back" in shown


def test_what_cannot_be_done_is_said_on_the_screen(watched: Watched) -> None:
    watched.screen.keys("g", "c")
    watched.screen.shows("bad does not ask for an answer")
    watched.screen.keys("n", "a")
    watched.screen.shows("how asks for another answer: d decide, x reject")
    watched.screen.keys("g", "s", "Enter")
    watched.screen.shows("say why")


def test_the_output_of_the_selected_step_is_seen_and_obeyed_by_no_terminal(
    watched: Watched,
) -> None:
    watched.screen.keys("/", "restore", "Enter")
    watched.screen.shows("table 1 of 2", r"\x1b[31mred")
    assert "owned" not in watched.screen.title


def test_it_fits_after_a_resize(watched: Watched) -> None:
    watched.screen.resize(60, 14)
    watched.screen.shows("Emergency migration", "q leave")
    assert max(len(line) for line in watched.screen.text.splitlines()) <= 60


def test_killing_it_harms_nothing(watched: Watched) -> None:
    os.kill(watched.screen.pid, 9)
    (watched.program.folder / "go").touch()
    assert until(lambda: "git" in watched.program.here("status", "latest").out)
    found = watched.program.json("status", "latest")
    assert found["status"] in ("running", "waiting")
    assert watched.program.here("verify-journal", "latest").exit == 0


def test_leaving_gives_the_terminal_back(watched: Watched) -> None:
    watched.screen.keys("q")
    assert until(lambda: "asks you" not in watched.screen.text)


def test_without_a_terminal_the_way_out_is_told(watched: Watched) -> None:
    done = watched.program("watch", "latest")
    assert (done.exit, "--follow" in done.err) == (2, True), done.err


def test_the_first_line_says_what_needs_the_person_who_looks(watched: Watched) -> None:
    assert watched.screen.text.splitlines()[0].startswith("1 asks you  FAILED 1: bad: exit 3")


def test_what_went_wrong_and_what_asks_is_listed_first_and_jumped_to(watched: Watched) -> None:
    screen = watched.screen
    screen.shows("> bad")
    assert screen.text.index("bad ") < screen.text.index("how ") < screen.text.index("restore ")
    screen.keys("n")
    screen.shows("> how")
    screen.keys("N")
    screen.shows("> bad")


def test_it_says_within_two_seconds_that_nobody_drives_the_run(watched: Watched) -> None:
    watched.process.kill()
    watched.process.wait()
    watched.screen.shows("NOBODY DRIVES: drrun resume", "interrupted", "was in flight when")
    assert watched.screen.text.splitlines()[0].startswith("NOBODY DRIVES")
    assert " left, to" not in watched.screen.text


def test_everything_about_a_step_is_opened_with_enter_and_left_with_escape(
    watched: Watched,
) -> None:
    watched.screen.keys("g", "Enter")
    watched.screen.shows("exit 3", "attempt 1", "Esc back")
    assert "Fail over?" not in watched.screen.text
    watched.screen.keys("Escape")
    watched.screen.shows("Fail over?")


def test_a_filter_lists_only_steps_with_these_words(watched: Watched) -> None:
    watched.screen.keys("/", "ow")
    watched.screen.shows("steps with 'ow': 1 of 4", "> how")
    assert "restore" not in watched.screen.text
    watched.screen.keys("Escape")
    watched.screen.shows("restore")


def test_only_keys_that_do_something_now_are_shown(watched: Watched) -> None:
    watched.screen.shows("> bad", "r retry")
    assert "d decide" not in watched.screen.text
    watched.screen.keys("n")
    watched.screen.shows("> how", "d decide")
    assert "r retry" not in watched.screen.text


def test_an_answer_goes_once_what_it_answered_is_gone(watched: Watched) -> None:
    screen = watched.screen
    screen.keys("n", "d", "nonsense", "Enter", "x", "Enter")
    screen.shows("refused: 'nonsense' is not an option of how")
    assert watched.program.here("decide", "latest", "how", "wait", "--by", "drew").exit == 0
    assert until(lambda: "refused" not in screen.text), screen.text


def test_the_rows_below_a_run_stand_there_once_after_a_resize(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.write("runbooks/it.yml", RUNBOOK)
    program.write("inventory/hosts.yml", "hosts: {}\n")
    words = ("run", "runbooks/it.yml", "--yes", "--by", "drew")
    screen = Screen(program, *words, width=120, height=30)
    try:
        screen.shows("FAILED 1: bad", "how: failover, wait")
        for width, height in ((70, 24), (110, 40), (80, 24)):
            screen.resize(width, height)
            once = lambda: (  # noqa: E731 - read anew each time
                screen.text.count("FAILED 1: bad") == screen.text.count("> how: ") == 1
            )
            assert until(once), screen.text
    finally:
        screen.close()
        (tmp_path / "go").touch()
