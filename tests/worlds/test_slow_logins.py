"""Log-ins that are slow or talk: they cost time, never a second execution and no step's limit."""

import subprocess
from pathlib import Path

import pytest

from tests.programs import effects
from tests.sshd import until
from tests.worlds.conftest import Enter
from tests.worlds.fleet import Lane, seconds
from tests.worlds.world import ended

#: Seconds of a login; 10 was once taken for the longest that a host needs to begin.
LOGIN = seconds("LOGIN", 11)
#: Seconds of a start-up file; 30 was once the longest that an answer could take.
START_UP = seconds("START_UP", 35)
RETRY = "{attempts: 2, delay: 1s}"


@pytest.mark.parametrize("count", [1, 6], ids=["one host", "six hosts at once"])
@pytest.mark.faults(109)
def test_a_slow_login_executes_once(enter: Enter, count: int) -> None:
    lanes = {f"db{n}": Lane(login=f"sleep {LOGIN:g}") for n in range(1, count + 1)}
    world = enter(lanes)
    done = world.run(world.steps(retry=RETRY))
    found = world.verdicts()
    assert world.lies() == []
    assert [each.never for each in found.values()] == [[]] * count
    assert (done.exit, "succeeded" in done.err) == (0, True), done.err


def test_without_a_retry_a_slow_login_is_no_failure(
    enter: Enter,
) -> None:
    lanes = {"db1": Lane(login=f"sleep {LOGIN:g}")}
    world = enter(lanes)
    done = world.run(world.steps())
    assert (done.exit, world.lies()) == (0, []), done.err


@pytest.mark.faults(109)
def test_the_time_to_connect_belongs_to_no_time_limit(
    enter: Enter,
) -> None:
    lanes = {"db1": Lane(login="sleep 7"), "db2": Lane(login="sleep 7")}
    world = enter(lanes)
    done = world.run(world.steps("sleep 2", timeout="5s"))
    assert (done.exit, world.lies()) == (0, []), done.err


#: What start-up files print without a line end: a title of the terminal, a greeting.
CHATTER = {"title": r"printf '\033]0;db1\007'", "greeting": "printf 'motd> '"}


@pytest.mark.parametrize("bashrc", CHATTER.values(), ids=CHATTER)
@pytest.mark.faults(113)
def test_a_start_up_file_that_prints_without_a_line_end_takes_nothing_away(
    enter: Enter, bashrc: str
) -> None:
    world = enter({"db1": Lane(bashrc=f"{bashrc}\n")})
    hosts = world.fleet
    go = hosts["db1"].home / "go"
    process = world.begin(world.steps(f"while [ ! -e {go} ]; do sleep 0.1; done"))
    assert until(lambda: effects(hosts.effects("db1")) == ["db1"], 60)
    # The command outlives the link here as anywhere else.
    hosts.server.kill_sessions()
    go.touch()
    done = ended(process)
    assert (done.exit, world.lies()) == (0, []), done.err
    assert world.verdicts()["db1"].exits == [0]


def test_a_start_up_file_that_takes_its_time_is_shown_and_waited_for(
    enter: Enter,
) -> None:
    world = enter({"db1": Lane(bashrc=f"sleep {START_UP:g}\n")})
    process = world.begin(world.steps())
    shown = _said_before_the_first_effect(process, world.fleet.effects("db1"))
    done = ended(process, START_UP * 2 + 30)
    assert (done.exit, world.lies()) == (0, []), done.err
    assert "connecting to db1" in shown


def _said_before_the_first_effect(process: "subprocess.Popen[str]", path: Path) -> str:
    """What the screen shows until something is executed, or the run is over."""
    assert process.stderr is not None
    shown = ""
    while not path.exists() and (line := process.stderr.readline()):
        shown += line
        if "connecting to" in line:
            break
    return shown
