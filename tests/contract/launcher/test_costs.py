"""What an attempt costs a host, counted."""

import re
import shutil
from pathlib import Path

import pytest

from drrun.ssh import launcher_answers as a
from tests.contract.launcher.conftest import Open, living
from tests.contract.launcher.launchers import Ground, Launcher

ATTEMPTS = 200


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "gone"


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in found.split()]


def test_a_launcher_collects_no_dead_processes(any_launcher: Launcher) -> None:
    for index in range(ATTEMPTS):
        any_launcher.check("true")
        any_launcher.start(f"n{index}", "echo out")
        any_launcher.hear(a.QuestionEnded, f"n{index},0")
        any_launcher.ask(f"q{index}", "true")
        any_launcher.send(f"forget n{index} q{index}\n".encode())
    any_launcher.ask("q", "true")
    dead = [each for each in children(any_launcher.process.pid) if state_of(each) == "Z"]
    assert len(dead) < 5


def test_an_attempt_leaves_no_process_of_ours(any_launcher: Launcher) -> None:
    home = any_launcher.ground.home
    any_launcher.finish("n", "true")
    before = len(living(home))
    for index in range(10):
        any_launcher.finish(f"n{index}", "true")
    any_launcher.ask("q", "true")
    # The last of them may still be on its way out.
    assert len([each for each in living(home) if state_of(each) != "Z"]) <= before + 2


def test_an_attempt_with_a_check_and_output_costs_eight_processes(
    home: Path, tmp_path: Path, opens: Open
) -> None:
    strace = shutil.which("strace")
    assert strace
    trace = tmp_path / "trace"
    ground = Ground(home, traced=(strace, "-f", "-qq", "-e", "trace=process", "-o", str(trace)))
    launcher = opens(ground)

    def attempts(names: range) -> int:
        before = forks(trace)
        for index in names:
            launcher.check("true")
            launcher.start(f"n{index}", "echo out")
            launcher.hear(a.QuestionEnded, f"n{index},0")
        launcher.quiet()
        return forks(trace) - before

    attempts(range(1))
    assert attempts(range(1, 11)) <= 10 * 8


def forks(trace: Path) -> int:
    if not trace.exists():
        return 0
    found = re.findall(r"\b(?:clone3?|v?fork)\((?!.*CLONE_THREAD).*", trace.read_text())
    return len(found)


def test_a_running_command_keeps_two_processes(any_launcher: Launcher) -> None:
    home = any_launcher.ground.home
    any_launcher.finish("n", "true")
    any_launcher.ask("q", "true")
    before = {each for each in living(home) if state_of(each) != "Z"}
    any_launcher.start("m", "exec sleep 1000")
    any_launcher.hear(a.CommandBegun, "m")

    def more() -> int:
        return len({each for each in living(home) if state_of(each) != "Z"} - before)

    # While a process becomes another one the kernel does not show whose it is.
    any_launcher.eventually(lambda: more() == 2)


@pytest.mark.parametrize("count", [1, 30])
def test_many_at_once_are_all_answered(any_launcher: Launcher, count: int) -> None:
    for index in range(count):
        any_launcher.start(f"n{index}", f"echo {index}; exit {index}")
    for index in range(count):
        ended = any_launcher.hear(a.CommandEnded, f"n{index}")
        assert (ended.code, ended.out.data) == (index, f"{index}\n".encode())
