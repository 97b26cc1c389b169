"""Hosts are who they say, or nothing is sent. Contract guarantee 10."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from drrun.core.model.inventory import Route
from drrun.core.model.outcomes import Ended, NeverStarted, RefusedByHost
from drrun.ssh.known_hosts import PublicKey
from drrun.ssh.options import SshOptions
from drrun.ssh.remote import SshRemote
from tests.contract.ssh.conftest import Reach
from tests.contract.ssh.places import run
from tests.sshd import Sshd, SshdFactory, make_key, until

Known = Callable[[str], SshRemote]


@pytest.fixture
def knowing(sshd: Sshd, reach: Reach, tmp_path: Path) -> Known:
    """The server as a host without a pinned key, and a known_hosts with this content."""

    def connect(content: str) -> SshRemote:
        known = tmp_path / "known_hosts"
        known.write_text(content, "utf-8")
        config = tmp_path / "config"
        config.write_text(
            f"Host *\n UserKnownHostsFile {known}\n GlobalKnownHostsFile none\n", "utf-8"
        )
        return reach(sshd.host("db1", host_key=None), options=SshOptions(config=config))

    return connect


def _other_key(folder: Path) -> str:
    made = make_key(folder / "other")
    return " ".join(made.with_suffix(".pub").read_text("utf-8").split()[:2])


def test_a_key_in_known_hosts_is_accepted(sshd: Sshd, knowing: Known) -> None:
    assert run(knowing(sshd.known_hosts_line), "true").outcome == Ended(0)


def test_the_accepted_key_is_told(sshd: Sshd, knowing: Known) -> None:
    """F34: every attempt records who it spoke with."""
    done = run(knowing(sshd.known_hosts_line), "true")
    assert done.told[0].host_key == PublicKey.parse(sshd.host_key).fingerprint


@pytest.mark.faults(30)
def test_an_unknown_key_is_refused_with_the_way_out(sshd: Sshd, knowing: Known) -> None:
    """F30."""
    done = run(knowing(""), "true")
    assert isinstance(done.outcome, RefusedByHost)
    assert f'host_key: "{sshd.host_key}"' in done.why
    assert PublicKey.parse(sshd.host_key).fingerprint in done.why


def test_a_refused_host_gets_neither_a_login_nor_a_command(
    sshd: Sshd, knowing: Known, tmp_path: Path
) -> None:
    """F30: no key of ours is offered to a stranger."""
    run(knowing(""), f"touch {tmp_path}/effect")
    assert (tmp_path / "effect").exists() is False
    assert "publickey" not in sshd.log


@pytest.mark.faults(31)
def test_a_changed_key_is_refused_with_both_fingerprints(
    sshd: Sshd, knowing: Known, tmp_path: Path
) -> None:
    """F31."""
    other = _other_key(tmp_path)
    done = run(knowing(f"[127.0.0.1]:{sshd.port} {other}"), "true")
    assert isinstance(done.outcome, RefusedByHost)
    assert "CHANGED" in done.why
    assert PublicKey.parse(other).fingerprint in done.why
    assert PublicKey.parse(sshd.host_key).fingerprint in done.why
    assert "known_hosts:1" in done.why


def test_a_key_of_another_type_is_no_way_around(
    sshd: Sshd, knowing: Known, tmp_path: Path
) -> None:
    made = make_key(tmp_path / "rsa", "rsa", "-b", "2048")
    rsa = " ".join(made.with_suffix(".pub").read_text("utf-8").split()[:2])
    done = run(knowing(f"[127.0.0.1]:{sshd.port} {rsa}"), "true")
    assert isinstance(done.outcome, RefusedByHost)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_a_server_with_several_keys_is_asked_for_the_known_one(
    sshd: Sshd, knowing: Known, kind: str
) -> None:
    made = make_key(sshd.folder / "second", kind)
    with sshd.config.open("a", encoding="utf-8") as config:
        config.write(f"HostKey {made}\n")
    sshd.restart()
    public = " ".join(made.with_suffix(".pub").read_text("utf-8").split()[:2])
    assert run(knowing(f"[127.0.0.1]:{sshd.port} {public}"), "true").outcome == Ended(0)


@pytest.mark.faults(32)
def test_a_revoked_key_is_refused_whatever_else_is_said(sshd: Sshd, knowing: Known) -> None:
    """F32."""
    done = run(knowing(f"{sshd.known_hosts_line}\n@revoked * {sshd.host_key}"), "true")
    assert isinstance(done.outcome, RefusedByHost)
    assert "revoked" in done.why


def test_a_revoked_key_is_refused_even_when_pinned(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    """F32."""
    known, config = tmp_path / "known", tmp_path / "config"
    known.write_text(f"@revoked * {sshd.host_key}\n", "utf-8")
    config.write_text(f"UserKnownHostsFile {known}\n", "utf-8")
    place = reach(sshd.host("db1"), options=SshOptions(config=config))
    assert isinstance(run(place, "true").outcome, RefusedByHost)


@pytest.mark.faults(32)
def test_hashed_names_are_known(sshd: Sshd, knowing: Known, tmp_path: Path) -> None:
    """F32: as `ssh-keygen -H` writes them."""
    file = tmp_path / "to-hash"
    file.write_text(sshd.known_hosts_line + "\n", "utf-8")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    hashed = file.read_text("utf-8")
    assert hashed.startswith("|1|")
    assert run(knowing(hashed), "true").outcome == Ended(0)


@pytest.mark.parametrize("pattern", ["[127.0.0.*]:*", "*", "[127.0.0.?]:*,!example.org"])
def test_wildcards_are_known(sshd: Sshd, knowing: Known, pattern: str) -> None:
    """F32: paramiko matches none."""
    assert run(knowing(f"{pattern} {sshd.host_key}"), "true").outcome == Ended(0)


def test_a_negated_name_is_not_known(sshd: Sshd, knowing: Known) -> None:
    """F32."""
    line = f"*,![127.0.0.1]:{sshd.port},!db1,!127.0.0.1,![db1]:{sshd.port} {sshd.host_key}"
    assert isinstance(run(knowing(line), "true").outcome, RefusedByHost)


@pytest.mark.faults(32)
def test_garbage_in_known_hosts_hides_nothing(sshd: Sshd, knowing: Known) -> None:
    """F32: one bad line makes paramiko throw away the file."""
    lines = [
        "garbage", "host ssh-rsa !!!notbase64", "@what x y z",
        f"@cert-authority *.org {sshd.host_key}",
        "# comment", "", sshd.known_hosts_line, "\x00\xff",
    ]  # fmt: skip
    assert run(knowing("\n".join(lines)), "true").outcome == Ended(0)


@pytest.mark.faults(32, 33)
def test_a_host_known_only_by_an_authority_is_refused_with_the_reason(
    sshd: Sshd, knowing: Known, tmp_path: Path
) -> None:
    """F32."""
    done = run(knowing(f"@cert-authority * {_other_key(tmp_path)}"), "true")
    assert isinstance(done.outcome, RefusedByHost)
    assert "certificate" in done.why


def test_the_pinned_key_wins_over_known_hosts(sshd: Sshd, knowing: Known, tmp_path: Path) -> None:
    place = knowing(f"[127.0.0.1]:{sshd.port} {_other_key(tmp_path)}")
    pinned = SshRemote(place.connections, sshd.host("db2"))
    assert run(pinned, "true").outcome == Ended(0)


def test_a_wrong_pinned_key_is_refused_though_known_hosts_knows_the_host(
    sshd: Sshd, knowing: Known, tmp_path: Path
) -> None:
    place = knowing(sshd.known_hosts_line)
    wrong = SshRemote(place.connections, sshd.host("db2", host_key=_other_key(tmp_path)))
    assert isinstance(run(wrong, "true").outcome, RefusedByHost)


def test_a_pinned_text_that_is_no_key_is_named(sshd: Sshd, reach: Reach) -> None:
    done = run(reach(sshd.host("db1", host_key="SHA256:abc")), "true")
    assert isinstance(done.outcome, NeverStarted)
    assert "host_key" in done.why


def test_the_explicit_flag_records_a_key_on_first_use_and_holds_to_it(
    sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    recorded = tmp_path / "new" / "recorded"
    options = SshOptions(record_new_keys=recorded)
    first = run(reach(sshd.host("db1", host_key=None), options=options), "true")
    line = recorded.read_text("utf-8")
    (sshd.folder / "host_key").unlink()
    make_key(sshd.folder / "host_key")
    sshd.restart()
    second = run(reach(sshd.host("db1", host_key=None), options=options), "true")
    assert (first.outcome, line) == (Ended(0), f"{sshd.known_hosts_line}\n")
    assert isinstance(second.outcome, RefusedByHost)


@pytest.mark.faults(31)
def test_another_route_is_no_way_around_a_changed_key(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach
) -> None:
    """F31: a host that is not who it was stops at once, loud."""
    good = sshd_factory.start()
    routes = (Route(address="127.0.0.1", port=sshd.port), Route("127.0.0.1", "oob", good.port))
    done = run(reach(good.host("db1", routes=routes)), "true")
    assert isinstance(done.outcome, RefusedByHost)


def test_hosts_on_the_way_are_checked_too(
    sshd_factory: SshdFactory, sshd: Sshd, reach: Reach, tmp_path: Path
) -> None:
    bastion = sshd_factory.start()
    way = Route(address="127.0.0.1", port=sshd.port, via=("bastion",))
    wrong = bastion.host("bastion", host_key=_other_key(tmp_path))
    done = run(reach(sshd.host("db1", routes=(way,)), wrong), "true")
    assert isinstance(done.outcome, RefusedByHost)
    assert "db1" in done.why
    assert "bastion" in done.why
    assert "publickey" not in bastion.log + sshd.log


def test_a_refused_connection_is_closed(sshd: Sshd, knowing: Known) -> None:
    """F36: left open, it eats one of sshd's places until the login time is over."""
    place = knowing("")
    for _ in range(5):
        run(place, "true")
    assert until(lambda: sshd.connections() == 0, 5)
