import base64
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.ssh.known_hosts import (
    KeyStanding,
    KnownFiles,
    KnownHosts,
    KnownHostsLine,
    PublicKey,
    parse,
)


def _key(seed: bytes, kind: str = "ssh-ed25519") -> PublicKey:
    return PublicKey(kind, len(kind).to_bytes(4, "big") + kind.encode() + seed)


ONE, TWO = _key(b"one"), _key(b"two")


def _known(text: str) -> KnownHosts:
    lines = [each for each in parse(text, "file") if isinstance(each, KnownHostsLine)]
    return KnownHosts(tuple(lines))


def _standing(text: str, name: str = "host", port: int = 22, key: PublicKey = ONE) -> KeyStanding:
    return _known(text).verdict([name], port, key).standing


def _hashed(name: str) -> str:
    digest = hmac.digest(b"salt", name.encode(), "sha1")
    return f"|1|{base64.b64encode(b'salt').decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("patterns", "name", "port"),
    [
        ("host", "host", 22),
        ("HOST", "Host", 22),
        ("other,host", "host", 22),
        ("*", "host", 22),
        ("*.example.org", "db1.example.org", 22),
        ("h?st", "host", 22),
        ("[host]:2222", "host", 2222),
        ("[*.org]:*", "a.org", 2222),
        ("host", "host", 2222),
        (_hashed("host"), "host", 22),
        (_hashed("[host]:2222"), "host", 2222),
        ("2001:db8::1", "2001:db8::1", 22),
    ],
)
def test_a_host_is_known_by_a_name_that_matches(patterns: str, name: str, port: int) -> None:
    assert _standing(f"{patterns} {ONE}", name, port) is KeyStanding.KNOWN


@pytest.mark.parametrize(
    ("patterns", "name", "port"),
    [
        ("other", "host", 22),
        ("[host]:2222", "host", 22),
        ("[host]:2222", "host", 2223),
        ("*,!host", "host", 22),
        ("!host", "other", 22),
        ("*.example.org", "example.org", 22),
        ("h[o]st", "host", 22),
        ("hos.", "host", 22),
        (_hashed("other"), "host", 22),
        ("|1|broken", "host", 22),
    ],
)
def test_a_host_is_unknown_where_no_name_matches(patterns: str, name: str, port: int) -> None:
    assert _standing(f"{patterns} {ONE}", name, port) is KeyStanding.UNKNOWN


def test_another_key_of_a_known_host_has_changed() -> None:
    assert _standing(f"host {TWO}") is KeyStanding.CHANGED


def test_one_of_several_keys_of_a_host_is_enough() -> None:
    assert _standing(f"host {TWO}\nhost {ONE}") is KeyStanding.KNOWN


def test_a_revoked_key_is_refused_though_another_line_knows_it() -> None:
    assert _standing(f"host {ONE}\n@revoked * {ONE}") is KeyStanding.REVOKED


def test_a_revoked_line_does_not_make_a_host_known() -> None:
    assert _standing(f"@revoked host {TWO}") is KeyStanding.UNKNOWN


def test_an_authority_alone_does_not_make_a_plain_key_known() -> None:
    assert _standing(f"@cert-authority host {ONE}") is KeyStanding.AUTHORITY


def test_the_first_name_that_is_spoken_of_decides() -> None:
    known = _known(f"address {TWO}\nname {ONE}")
    assert known.verdict(["address", "name"], 22, ONE).standing is KeyStanding.CHANGED


def test_a_changed_key_on_a_port_is_not_excused_by_the_plain_name() -> None:
    assert _standing(f"[host]:2222 {TWO}\nhost {ONE}", port=2222) is KeyStanding.CHANGED


def test_a_verdict_names_its_lines() -> None:
    verdict = _known(f"# comment\n\nhost {TWO}").verdict(["host"], 22, ONE)
    assert [line.place for line in verdict.lines] == ["file:3"]


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "host ssh-rsa",
        "host ssh-rsa ???",
        f"@what host {ONE}",
        "host ssh-rsa AAAA",
        "@revoked",
        "@",
    ],
)
def test_a_line_that_cannot_be_read_is_remarked_and_hides_no_other(line: str) -> None:
    found = list(parse(f"{line}\nhost {ONE}", "file"))
    assert [type(each) for each in found] == [str, KnownHostsLine]
    assert str(found[0]).startswith("file:1: ")


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    known = _known(f"{text}\nhost {ONE}")
    assert known.verdict(["host"], 22, _key(b"three")).standing is not KeyStanding.KNOWN


@given(st.text(alphabet="*?!,[]:|1hostx.", max_size=30))
def test_no_pattern_breaks_the_matcher(pattern: str) -> None:
    assert KnownHostsLine((pattern,), ONE).speaks_of("host") in {True, False}


def test_a_fingerprint_is_that_of_ssh_keygen() -> None:
    text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    assert (
        PublicKey.parse(text).fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
    )


@pytest.mark.parametrize("text", ["", "ssh-rsa", "ssh-rsa !", f"ssh-rsa {str(ONE).split()[1]}"])
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        PublicKey.parse(text)


def test_files_are_read_once_until_one_of_them_changes(tmp_path: Path) -> None:
    known, files = tmp_path / "known", KnownFiles()
    before = files.of([known, tmp_path / "none"])
    assert files.of([known, tmp_path / "none"]) is before
    known.write_text(f"db1 {ONE}\n", "utf-8")
    after = files.of([known, tmp_path / "none"])
    assert (len(before.lines), len(after.lines)) == (0, 1)


@pytest.mark.parametrize(("name", "known"), [("db1", True), ("WEB7", True), ("db12", False)])
def test_a_name_is_matched_as_a_whole_and_whatever_its_case(name: str, *, known: bool) -> None:
    expected = KeyStanding.KNOWN if known else KeyStanding.UNKNOWN
    assert _standing(f"DB1,web* {ONE}", name) is expected
