"""How a launcher comes to run, whatever the login shell is."""

import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from drrun.ssh.boot import Boot, launcher_text
from drrun.ssh.launcher_answers import ClockRead, LauncherReady, Pong, parse
from drrun.ssh.proof import Proof

LOGIN = {
    "sh": ["sh"],
    "dash": ["dash"],
    "bash": ["bash"],
    "zsh": ["zsh"],
    "busybox": ["busybox", "ash"],
    "fish": ["fish"],
    "tcsh": ["tcsh"],
}


def talk(argv: list[str], home: Path, sent: bytes) -> "subprocess.CompletedProcess[bytes]":
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        argv, input=sent, capture_output=True, env=env, cwd=home, timeout=60, check=False
    )


@pytest.mark.parametrize("shell", LOGIN)
def test_every_login_shell_becomes_the_launcher(shell: str, tmp_path: Path) -> None:
    boot = Boot("", 1000)
    sent = boot.proof.question + boot.program + b"hello run new\nping word\n"
    done = talk([*LOGIN[shell], "-c", boot.line], tmp_path, sent)
    lines = [each.partition(" ")[2] for each in done.stdout.decode().splitlines()]
    assert boot.proof.given_by(lines[0])
    clock, ready, pong = (parse(each) for each in lines[1:])
    assert isinstance(clock, ClockRead)
    assert clock.says == pytest.approx(time.time(), abs=60)
    assert isinstance(ready, LauncherReady)
    assert (ready.folder, pong) == (f"{tmp_path}/.drrun/run", Pong("word"))


@pytest.mark.parametrize("shell", LOGIN)
def test_a_shell_in_our_place_says_its_name_and_does_nothing_else(
    shell: str, tmp_path: Path
) -> None:
    """Its start-up file replaced the login shell: it reads our channel."""
    boot = Boot("", 1000)
    done = talk(LOGIN[shell], tmp_path, boot.proof.question + b"echo executed\n")
    said = [
        line.partition(f"{boot.proof.nonce} ")[2]
        for line in done.stdout.decode().splitlines()
        if boot.proof.nonce in line
    ]
    assert [boot.proof.replaced_by(each) for each in said] == [LOGIN[shell][0]]
    assert b"executed" not in done.stdout
    assert not (tmp_path / ".drrun").exists()


def test_the_starter_executes_nothing_of_a_text_that_is_cut(tmp_path: Path) -> None:
    boot = Boot("", 1000)
    effect = tmp_path / "effect"
    program = boot.proof.begin + f"echo 1 >{effect}\n".encode()
    done = talk(list(boot.argv), tmp_path, program)
    assert (effect.exists(), done.returncode) == (False, 0)
    talk(list(boot.argv), tmp_path, program + f"end {boot.proof.nonce}\n".encode())
    assert effect.exists()


def test_the_line_is_short_and_holds_nothing_that_shells_disagree_about() -> None:
    line = Boot("/srv/drrun", 1 << 30).line
    assert len(line) < 1000
    assert not set(line) & set("!\n")
    assert shlex.split(line) == ["exec", *Boot("/srv/drrun", 1 << 30, _proof_of(line)).argv]


def _proof_of(line: str) -> Proof:
    nonce, first, second = shlex.split(line)[5:8]
    return Proof(nonce, int(first), int(second))


def test_an_echo_of_all_that_we_send_is_no_proof() -> None:
    boot = Boot("", 1000)
    everything = boot.line + boot.proof.question.decode() + boot.program.decode()
    for line in everything.splitlines():
        for behind in line.split(boot.proof.nonce)[1:]:
            assert not boot.proof.given_by(behind)
            assert not boot.proof.replaced_by(behind.lstrip())


def test_a_product_with_an_echo_behind_it_is_none() -> None:
    proof = Proof("n", 1000, 2000)
    assert proof.given_by("2000000")
    assert not proof.given_by("2000000 *")
    assert not proof.given_by("1000 2000")


def test_the_text_that_is_sent_is_the_launcher_without_its_comments() -> None:
    text = launcher_text()
    assert not [line for line in text.splitlines() if line.startswith("#") or not line]
    assert re.search(r"^while read -r verb", text, re.MULTILINE)
