import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.integrity.chain import Head
from drrun.ports.hands import Memory
from drrun.ssh import answers as a
from drrun.ssh.answers import STATES, Kept, parse

BEGUN = a.Begun("n", 42, "777", leads=True)
EMPTY = (Kept(), Kept())
MEMORY = Memory(3, "c1", Head(87, "h87"))

#: Every line that launcher.sh lists at its head.
LINES = {
    "ready 5c84-b6 lost 0 - 0 - /a/.drrun/run": a.Ready("5c84-b6", True, "/a/.drrun/run"),
    "ready - kept 3 c1 87 h87 /a  b/.drrun": a.Ready("-", False, "/a  b/.drrun", MEMORY),
    "unusable /home/a b/.drrun\tit is full": a.Unusable("/home/a b/.drrun", "it is full"),
    "begun n 42 777 1": BEGUN,
    "begun n 42 - 0": a.Begun("n", 42, "-", leads=False),
    "ended n 7 - - -": a.Ended("n", 7, *EMPTY),
    "ended n 7 beef - - full": a.Ended("n", 7, *EMPTY, "beef", full=True),
    "ended n 0 - 6f75740a +901": a.Ended("n", 0, Kept(4, b"out\n"), Kept(901, None)),
    "ended n 0 - ? -": a.Ended("n", 0, Kept(gone=True), Kept()),
    "left n,0": a.Left("n,0"),
    "answered n,0 1 - 00ff": a.Answered("n,0", 1, Kept(), Kept(2, b"\x00\xff")),
    "exists n": a.Exists("n"),
    "refused n decided: No space left": a.Refused("n", "No space left", decided=True),
    "refused n it  is so": a.Refused("n", "it  is so", decided=False),
    "refused n": a.Refused("n", "", decided=False),
    "stale n 3 c1 87 h87": a.Stale("n", MEMORY),
    "withdrawn n won": a.Withdrawn("n", "won"),
    "withdrawn n lost": a.Withdrawn("n", "lost"),
    "withdrawn n failed": a.Withdrawn("n", "failed"),
    "state absent n - - - - - - - -": a.State("absent", "n", None, *EMPTY),
    "state running n - - +5 - 42 777 1 30": a.State(
        "running", "n", None, Kept(5, None), Kept(), BEGUN, age=30.0
    ),
    "state gone n - - - - 42 777 1 -": a.State("gone", "n", None, *EMPTY, BEGUN),
    "state ended n 3 beef - -": a.State("ended", "n", 3, *EMPTY, mark="beef"),
    "put n ok": a.Stored("n", whole=True),
    "put n cut": a.Stored("n", whole=False),
    "put n cut no space": a.Stored("n", whole=False, why="no space"),
    "pong life": a.Pong("life"),
    "run 2024-a": a.LeftRun("2024-a"),
    "done": a.Done(),
}


def understood(line: str) -> bool:
    try:
        parse(line)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("line", LINES)
def test_every_answer_is_understood(line: str) -> None:
    assert parse(line) == LINES[line]


@pytest.mark.parametrize("word", STATES)
def test_every_state_is_understood(word: str) -> None:
    assert parse(f"state {word} n - - - - - - - -") == a.State(word, "n", None, *EMPTY)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "what dance",
        "begun n 42 777",
        "begun n x 777 1",
        "ready boot",
        "ready boot lost",
        "ready boot new 0 - 0 - /home",
        "ready boot kept /home",
        "ready boot kept 0 - 0 -",
        "ready boot kept 3 c1 x h87 /home",
        "ended n 7 - -",
        "ended n x - - -",
        "ended n 0 - 6f7 -",
        "ended n 0 - +x -",
        "state dancing n - - - -",
        "state running n x - - -",
        "withdrawn n perhaps",
        "stale n new",
        "stale n 0 - 0 -",
        "left",
        "done it",
        "exists",
    ],
)
def test_what_is_not_understood_is_no_answer(line: str) -> None:
    assert not understood(line)


WORDS = st.sampled_from(
    [
        *STATES,
        "begun",
        "ready",
        "ended",
        "kept",
        "stale",
        "state",
        "put",
        "fresh",
        "n",
        "1",
        "-",
        "?",
        "+1",
        "0a",
        "x",
    ]
)


@given(st.one_of(st.text(), st.lists(WORDS).map(" ".join), st.lists(WORDS).map("\t".join)))
def test_no_line_does_any_other_harm(line: str) -> None:
    understood(line)
