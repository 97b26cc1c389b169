"""Who logs in, with which key, and what stands behind the login."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drrun.core.model.outcomes import Ended, NeverStarted
from drrun.ssh.options import SshOptions
from tests.contract.ssh.conftest import Reach
from tests.contract.ssh.places import run
from tests.sshd import Sshd, SshdFactory, make_key


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A running agent without keys."""
    socket = tmp_path / "agent"
    # Without -D it answers from the moment on at which the command returns.
    said = subprocess.run(["ssh-agent", "-s", "-a", str(socket)], check=True, capture_output=True)
    found = re.search(rb"SSH_AGENT_PID=(\d+)", said.stdout)
    assert found, said.stdout
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield socket
    os.kill(int(found[1]), signal.SIGTERM)


def _bare(tmp_path: Path, *lines: str) -> SshOptions:
    """A configuration that names no key but these."""
    config = tmp_path / "config"
    config.write_text("\n".join(lines or ("IdentityFile none",)) + "\n", "utf-8")
    return SshOptions(config=config)


def _encrypted(sshd: Sshd, tmp_path: Path) -> Path:
    """A key with a passphrase that may log in."""
    key = make_key(tmp_path / "locked", "ed25519", "-N", "passphrase")
    with (sshd.folder / "authorized_keys").open("a", encoding="utf-8") as keys:
        keys.write(key.with_suffix(".pub").read_text("utf-8"))
    return key


def _add(key: Path, tmp_path: Path) -> None:
    """What `ssh-add` does when a person types the passphrase."""
    answer = tmp_path / "askpass"
    answer.write_text("#!/bin/sh\necho passphrase\n", "utf-8")
    answer.chmod(0o700)
    env = {**os.environ, "SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", str(key)], env=env, check=True, capture_output=True)


@pytest.mark.faults(29)
def test_a_key_that_is_not_accepted_is_final_and_named(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    """F29."""
    key = make_key(tmp_path / "stranger")
    done = run(reach(sshd.host("db1", identity=str(key))), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final
    assert str(key) in done.why


@pytest.mark.faults(29)
def test_a_refused_login_is_tried_once(sshd: Sshd, reach: Reach, tmp_path: Path) -> None:
    """F29: no lockout by repeated tries."""
    key = make_key(tmp_path / "stranger")
    run(reach(sshd.host("db1", identity=str(key))), "true")
    assert sshd.log.count("Failed publickey") == 1


def test_a_key_file_that_is_not_there_is_named(sshd: Sshd, reach: Reach) -> None:
    done = run(reach(sshd.host("db1", identity="/no/such/key")), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final
    assert "/no/such/key" in done.why


@pytest.mark.faults(29, 146)
def test_an_encrypted_key_without_an_agent_is_named_with_the_way_out(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    """F29."""
    key = _encrypted(sshd, tmp_path)
    options = SshOptions(agent=False)
    done = run(reach(sshd.host("db1", identity=str(key)), options=options), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final
    assert "ssh-add" in done.why


def test_an_encrypted_key_is_used_through_the_agent(
    sshd: Sshd, reach: Reach, tmp_path: Path, agent: Path
) -> None:
    key = _encrypted(sshd, tmp_path)
    _add(key, tmp_path)
    assert run(reach(sshd.host("db1", identity=str(key))), "true").outcome == Ended(0)


def test_without_a_named_key_the_agent_is_asked(
    sshd: Sshd, reach: Reach, tmp_path: Path, agent: Path
) -> None:
    subprocess.run(["ssh-add", str(sshd.identity)], check=True, capture_output=True)
    place = reach(sshd.host("db1", identity=None), options=_bare(tmp_path))
    assert run(place, "true").outcome == Ended(0)


def test_without_a_named_key_those_of_the_configuration_are_tried(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    options = _bare(tmp_path, f"IdentityFile {tmp_path}/none", f"IdentityFile {sshd.identity}")
    assert run(reach(sshd.host("db1", identity=None), options=options), "true").outcome == Ended(0)


def test_a_named_key_is_the_only_one_that_is_tried(
    sshd: Sshd, reach: Reach, tmp_path: Path, agent: Path
) -> None:
    subprocess.run(["ssh-add", str(sshd.identity)], check=True, capture_output=True)
    place = reach(sshd.host("db1", identity=str(make_key(tmp_path / "stranger"))))
    assert isinstance(run(place, "true").outcome, NeverStarted)


def test_without_any_key_the_way_out_is_told(sshd: Sshd, reach: Reach, tmp_path: Path) -> None:
    options = SshOptions(config=_bare(tmp_path).config, agent=False)
    done = run(reach(sshd.host("db1", identity=None), options=options), "true")
    assert "identity" in done.why


def test_a_server_that_cuts_off_after_some_keys_is_told(
    sshd_factory: SshdFactory, reach: Reach, tmp_path: Path
) -> None:
    """Fact L19: MaxAuthTries."""
    sshd = sshd_factory.start("MaxAuthTries 2")
    keys = [make_key(tmp_path / f"key{n}") for n in range(4)]
    options = _bare(tmp_path, *(f"IdentityFile {key}" for key in [*keys, sshd.identity]))
    done = run(reach(sshd.host("db1", identity=None), options=options), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert "identity" in done.why


@pytest.mark.faults(29, 146)
def test_a_user_certificate_beside_the_key_is_used(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    authority, key = make_key(tmp_path / "ca"), make_key(tmp_path / "key")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "test", "-n", sshd.user]
    subprocess.run([*sign, str(key) + ".pub"], check=True, capture_output=True)
    with sshd.config.open("a", encoding="utf-8") as config:
        config.write(f"TrustedUserCAKeys {authority}.pub\n")
    sshd.restart()
    assert run(reach(sshd.host("db1", identity=str(key))), "true").outcome == Ended(0)


@pytest.mark.faults(41)
def test_a_login_shell_that_takes_no_commands_is_told_in_its_own_words(
    sshd: Sshd, reach: Reach
) -> None:
    """F41."""
    done = run(reach(sshd.host("db1", user="nobody")), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final
    assert "not available" in done.why


@pytest.mark.faults(41)
def test_a_forced_command_is_no_success(sshd_factory: SshdFactory, reach: Reach) -> None:
    """F41: it ends with 0, and nothing of ours was executed."""
    place = reach(sshd_factory.start("ForceCommand echo hello from the gate").host("db1"))
    done = run(place, "true")
    assert isinstance(done.outcome, NeverStarted)
    assert "hello from the gate" in done.why


@pytest.mark.faults(41)
@pytest.mark.parametrize("shell", ["bash -c", "dash -c", "busybox sh -c", "bash --posix -c"])
def test_any_login_shell_will_do(sshd_factory: SshdFactory, reach: Reach, shell: str) -> None:
    """F41."""
    server = sshd_factory.start(f'ForceCommand {shell} "$SSH_ORIGINAL_COMMAND"')
    done = run(
        reach(server.host("db1")), "echo it\\'s $X; cat; exit 9", env={"X": "'"}, stdin=b"in"
    )
    assert (done.outcome, done.out) == (Ended(9), "it's '\nin")


@pytest.mark.faults(40)
def test_what_start_up_files_print_is_not_output(sshd: Sshd, far_home: Path, reach: Reach) -> None:
    """F40."""
    (far_home / ".bashrc").write_text("echo noise; echo more noise >&2\n", "utf-8")
    done = run(reach(sshd.host("db1")), "echo signal")
    assert (done.out, done.err) == ("signal\n", "")


def test_a_start_up_file_that_reads_the_input_takes_nothing_of_the_script(
    sshd: Sshd, far_home: Path, reach: Reach, tmp_path: Path
) -> None:
    """F40: the script is sent once somebody has proved to read it."""
    (far_home / ".bashrc").write_text("read -r line\n", "utf-8")
    done = run(reach(sshd.host("db1")), f"true\ntouch {tmp_path}/effect")
    assert (done.outcome, (tmp_path / "effect").exists()) == (Ended(0), True)


@pytest.mark.faults(42)
def test_sudo_that_wants_a_password_is_told_at_once(
    sshd_factory: SshdFactory, reach: Reach, tmp_path: Path
) -> None:
    """F42."""
    # Only PAM lets an account in whose password is locked.
    server = sshd_factory.start("UsePAM yes")
    place = reach(server.host("db1", user="postgres"))
    done = run(place, f"touch {tmp_path}/effect", become="root")
    assert isinstance(done.outcome, NeverStarted)
    assert done.outcome.final
    assert "become root: sudo" in done.why


def test_fabrics_own_files_are_neither_executed_nor_read(
    sshd: Sshd, reach: Reach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fact L17: `Connection()` executes `~/.fabric.py`."""
    (tmp_path / ".fabric.py").write_text(f"open('{tmp_path}/executed', 'w')\n", "utf-8")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host *\n Port 1\n NoSuchThing\n", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    options = SshOptions(config=Path("/dev/null"))
    assert run(reach(sshd.host("db1"), options=options), "true").outcome == Ended(0)
    assert not (tmp_path / "executed").exists()


def test_nothing_is_printed_on_this_terminal(
    sshd: Sshd, reach: Reach, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Fact L20: paramiko's threads print tracebacks where logging is not set up."""
    run(reach(sshd.host("db1", identity=str(make_key(tmp_path / "stranger")))), "true")
    run(reach(sshd.host("db1", host_key=None), options=_bare(tmp_path)), "true")
    going = reach(sshd.host("db1"))
    run(going, "true")
    sshd.stop()
    run(going, "true")
    assert capfd.readouterr() == ("", "")
