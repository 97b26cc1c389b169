"""What every place promises about a script, on a host as on the controller."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from drrun.core.model.outcomes import Ended, NeverStarted, OutcomeUnknown, TimedOut
from drrun.ports.places import Remote
from tests.contract.ssh.places import Counted, begin, lives, run

_MUCH = 100 * 2**20


@pytest.mark.faults(63)
@pytest.mark.parametrize("code", [0, 3, 255])
def test_an_exit_status_is_the_commands_own(place: Remote, code: int) -> None:
    """F63: also 255, which other tools take for a lost connection."""
    assert run(place, f"exit {code}").outcome == Ended(code)


@pytest.mark.faults(64)
def test_a_command_killed_by_a_signal_is_told_by_its_signal(place: Remote) -> None:
    """F64."""
    assert run(place, "kill -USR1 $$").outcome == Ended(None, "USR1")


def test_the_two_streams_are_told_apart(place: Remote) -> None:
    done = run(place, "echo to-out; echo to-err >&2")
    assert (done.out, done.err) == ("to-out\n", "to-err\n")


@pytest.mark.faults(75)
def test_a_hundred_megabytes_on_both_streams_at_once_arrive(place: Remote) -> None:
    """F75."""
    counted = Counted()
    text = f"head -c {_MUCH} /dev/zero >&2 & head -c {_MUCH} /dev/zero; wait"
    done = run(place, text, output=counted)
    assert (done.outcome, counted.sizes) == (Ended(0), {"stdout": _MUCH, "stderr": _MUCH})


@pytest.mark.faults(70)
def test_bytes_arrive_as_they_are(place: Remote) -> None:
    """F70: no decoding, no line ends changed."""
    blob = bytes(range(256)) * 4096
    done = run(place, "cat", stdin=blob)
    assert done.output.bytes() == blob


def test_a_script_of_a_megabyte_is_executed(place: Remote) -> None:
    text = "\n".join([": " + "x" * 1000] * 1024 + ["echo the end"])
    assert run(place, text).out == "the end\n"


def test_megabytes_of_input_arrive_behind_a_long_script(place: Remote) -> None:
    blob = os.urandom(3 * 2**20)
    done = run(place, "#" + "x" * 50000 + "\nsha256sum", stdin=blob)
    assert done.out.split()[:1] == [hashlib.sha256(blob).hexdigest()]


def test_a_written_input_comes_before_the_bytes(place: Remote) -> None:
    assert run(place, "cat", stdin=b" second", stdin_text="first").out == "first second"


def test_without_input_a_command_reads_nothing_and_does_not_hang(place: Remote) -> None:
    assert run(place, "cat; echo done").out == "done\n"


def test_a_command_need_not_read_its_input(place: Remote) -> None:
    assert run(place, "exit 4", stdin=b"x" * 2**22).outcome == Ended(4)


@pytest.mark.parametrize(
    "value",
    [
        "a b",
        "it's",
        'say "hi"',
        "two\nlines",
        "a; echo INJECTED",
        "$(id) `id` $HOME",
        "-n",
        "\\n",
        "é€\U0001f600",
        "",
    ],
)
def test_an_environment_value_arrives_as_it_is_written(place: Remote, value: str) -> None:
    """F21: Fabric's own `env` ran what stood behind the semicolon."""
    done = run(place, 'printf %s "$VALUE"', env={"VALUE": value})
    assert done.output.bytes() == value.encode()


@pytest.mark.parametrize("name", ["A B", "1A", "A;id", "", "A-B"])
def test_a_wrong_name_of_a_variable_is_refused_before_anything_is_sent(
    place: Remote, name: str
) -> None:
    outcome = run(place, "true", env={name: "x"}).outcome
    assert isinstance(outcome, NeverStarted)
    assert outcome.final


def test_a_command_with_a_nul_is_refused(place: Remote) -> None:
    assert "NUL" in run(place, "echo a\0b").why


def test_a_command_begins_in_the_folder_that_was_named(place: Remote, tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    assert run(place, "pwd", chdir=str(folder)).out == f"{folder}\n"


def test_in_a_folder_that_is_not_there_nothing_is_executed(place: Remote, tmp_path: Path) -> None:
    effect = tmp_path / "effect"
    done = run(place, f"touch {effect}", chdir="/no/such folder")
    assert (done.outcome, effect.exists()) == (Ended(1), False)
    assert "was not executed" in done.err


@pytest.mark.parametrize("shell", ["sh", "bash", "/bin/dash"])
def test_a_command_is_executed_by_the_shell_that_was_named(place: Remote, shell: str) -> None:
    want = {"sh": "", "/bin/dash": ""}.get(shell, "bash")
    assert run(place, 'echo "${BASH_VERSION:+bash}"', shell=shell).out.strip() == want


def test_a_shell_that_is_not_there_is_named_and_nothing_is_executed(place: Remote) -> None:
    done = run(place, "true", shell="/no/such/shell")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final
    assert "/no/such/shell" in done.why


@pytest.mark.parametrize("shell", ["sh; id", "-c", "sh\nid", "it's"])
def test_a_shell_is_a_name_or_a_path_and_nothing_else(place: Remote, shell: str) -> None:
    assert isinstance(run(place, "true", shell=shell).outcome, NeverStarted)


@pytest.mark.parametrize("user", ["postgres", "nobody"])
def test_a_command_becomes_another_user(place: Remote, user: str) -> None:
    assert run(place, "id -un", become=user).out == f"{user}\n"


@pytest.mark.parametrize("user", ["-u", "a b", "x;id", "#0"])
def test_a_user_to_become_is_a_name_and_nothing_else(place: Remote, user: str) -> None:
    assert isinstance(run(place, "true", become=user).outcome, NeverStarted)


def test_a_user_that_does_not_exist_is_named_and_nothing_is_executed(place: Remote) -> None:
    """F42: sudo says no at once."""
    done = run(place, "true", become="nobody-of-that-name")
    assert isinstance(done.outcome, NeverStarted)
    assert "nobody-of-that-name" in done.why


def test_a_command_does_not_see_how_it_was_started(place: Remote) -> None:
    assert run(place, 'echo "$#:$m$n$k$s$l$c$p:${LC_ALL-unset}"', env={}).out.startswith("0::")


@pytest.mark.faults(60)
def test_a_background_child_that_keeps_the_output_does_not_keep_the_step(place: Remote) -> None:
    """F60."""
    done = run(place, "sleep 30 & echo $!; exit 7")
    os.kill(int(done.out), 9)
    assert isinstance(done.outcome, Ended)
    assert (done.outcome.exit, "left behind" in done.outcome.note) == (7, True)


def test_a_command_may_close_its_output_and_go_on(place: Remote, tmp_path: Path) -> None:
    """F69: silence is not death, not even without streams."""
    effect = tmp_path / "effect"
    done = run(place, f"exec >&- 2>&-; sleep 7; touch {effect}; exit 5")
    assert (done.outcome, effect.exists()) == (Ended(5), True)


@pytest.mark.faults(61)
def test_a_time_limit_ends_everything_that_was_started_and_proves_it(
    place: Remote, tmp_path: Path
) -> None:
    """F61: children too, also those that ignore TERM."""
    effect = tmp_path / "effect"
    text = f"""
        (trap '' TERM; sleep 30; sleep 30; echo late >{effect}) &
        echo $!; bash -c 'set -m; sleep 99 & echo $!; wait' & wait"""
    done = run(place, text, timeout=1.0)
    left = [pid for pid in done.out.split() if lives(pid)]
    assert isinstance(done.outcome, TimedOut)
    assert (done.outcome.gone, left, effect.exists()) == (True, [], False)


def test_a_time_limit_holds_below_sudo_too(place: Remote) -> None:
    """F61."""
    done = run(place, "echo $$; sleep 99", become="postgres", timeout=1.0)
    assert isinstance(done.outcome, TimedOut)
    assert (done.outcome.gone, lives(done.out.strip())) == (True, False)


def test_output_before_the_time_limit_is_kept(place: Remote) -> None:
    assert run(place, "echo before; sleep 99", timeout=1.0).out == "before\n"


def test_a_command_within_its_limit_is_left_alone(place: Remote) -> None:
    assert run(place, "echo ok", timeout=60).outcome == Ended(0)


def test_detaching_kills_nothing(place: Remote, tmp_path: Path) -> None:
    """Contract guarantee 3."""
    fifo, cancel = tmp_path / "go", threading.Event()
    os.mkfifo(fifo)
    going = begin(
        place,
        f"echo began; read -r line <{fifo}; echo $line >{tmp_path}/effect; echo end >{fifo}",
        cancel=cancel,
    )
    cancel.set()
    outcome = going.end().outcome
    fifo.write_text("went on\n", "utf-8")
    assert isinstance(outcome, OutcomeUnknown)
    assert fifo.read_text("utf-8") == "end\n"
    assert (tmp_path / "effect").read_text("utf-8") == "went on\n"


def test_nothing_is_started_once_told_to_stop(place: Remote, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    outcome = run(place, f"touch {tmp_path}/effect", cancel=cancel).outcome
    assert isinstance(outcome, NeverStarted | OutcomeUnknown)
    assert not (tmp_path / "effect").exists()
