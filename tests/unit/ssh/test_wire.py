import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.runbook import Execution
from drrun.ports.places import Script
from drrun.ssh.wire import BadScript, Beginning, Started, launch

NONCE = "0123456789abcdef"


def test_the_line_means_the_same_to_every_login_shell() -> None:
    line = launch(Script("true", Execution(become="root", shell="bash"))).line
    assert len(line) < 1000
    assert not set(line) & set("!\n")
    assert shlex.split(line)[:2] == ["exec", "sudo"]


@given(
    st.text(), st.dictionaries(st.from_regex("[A-Za-z_][A-Za-z0-9_]*", fullmatch=True), st.text())
)
def test_nothing_of_the_script_is_in_its_arguments(text: str, env: dict[str, str]) -> None:
    try:
        ready = launch(Script(text, Execution(env=env)))
    except BadScript:
        return
    # Beside the proof there is a length, and whether input follows.
    assert ready.argv[5:] == (*ready.proof.words, ready.argv[-2], "0")
    assert ready.argv[:5] == launch(Script("true")).argv[:5]


def test_the_length_is_that_of_the_script_without_its_input() -> None:
    ready = launch(Script("é", stdin=b"input"))
    assert ready.payload.startswith(ready.proof.begin)
    assert ready.payload[len(ready.proof.begin) + int(ready.argv[-2]) :] == b"input"


@given(st.binary(), st.binary(), st.lists(st.integers(1, 40)))
def test_output_begins_behind_the_mark_however_it_is_cut(
    before: bytes, after: bytes, cuts: list[int]
) -> None:
    whole = before.replace(NONCE.encode(), b"") + f"{NONCE} 42 \n".encode() + after
    begin, got, at = Beginning(NONCE), b"", 0
    for cut in [*cuts, len(whole)]:
        got += begin.feed(whole[at : at + cut])
        at += cut
    assert (got, begin.said) == (after, "42")


def test_without_a_mark_nothing_is_output() -> None:
    begin = Beginning(NONCE)
    assert [begin.feed(b"x" * 50000) for _ in range(10)] == [b""] * 10
    assert begin.said is None


def test_what_was_printed_before_is_kept_within_a_limit() -> None:
    begin = Beginning(NONCE)
    for _ in range(10):
        begin.feed(b"x" * 50000)
    assert len(begin.chatter) <= 120000


@pytest.mark.parametrize(
    ("said", "started"),
    [
        ("42 ", Started(42)),
        ("42 42 (sh) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0", Started(42, "777")),
        ("42 42 (a) b) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0", Started(42, "777")),
        (
            "42 42 (sh) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0",
            Started(42, "777", leads=False),
        ),
        ("lies", Started(0, leads=False)),
    ],
)
def test_who_was_started_is_read_from_what_it_said(said: str, started: Started) -> None:
    assert Started.read(said) == started
