import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.integrity.chain import Head
from drrun.ports.hands import Memory
from drrun.ssh import launcher_answers as a
from drrun.ssh.launcher_answers import STATES, KeptOutput, parse

BEGUN = a.CommandBegun("n", 42, "777", leads=True)
EMPTY = (KeptOutput(), KeptOutput())
MEMORY = Memory(3, "c1", Head(87, "h87"))

#: Every line that launcher.sh lists at its head.
LINES = {
    "ready 5c84-b6 lost 0 - 0 - /a/.drrun/run": a.LauncherReady("5c84-b6", True, "/a/.drrun/run"),
    "ready - kept 3 c1 87 h87 /a  b/.drrun": a.LauncherReady("-", False, "/a  b/.drrun", MEMORY),
    "unusable /home/a b/.drrun\tit is full": a.FolderUnusable("/home/a b/.drrun", "it is full"),
    "begun n 42 777 1": BEGUN,
    "begun n 42 - 0": a.CommandBegun("n", 42, "-", leads=False),
    "ended n 7 - - -": a.CommandEnded("n", 7, *EMPTY),
    "ended n 7 beef - - full": a.CommandEnded("n", 7, *EMPTY, "beef", full=True),
    "ended n 0 - 6f75740a +901": a.CommandEnded(
        "n", 0, KeptOutput(4, b"out\n"), KeptOutput(901, None)
    ),
    "ended n 0 - ? -": a.CommandEnded("n", 0, KeptOutput(gone=True), KeptOutput()),
    "left n,0": a.Left("n,0"),
    "answered n,0 1 - 00ff": a.QuestionEnded("n,0", 1, KeptOutput(), KeptOutput(2, b"\x00\xff")),
    "exists n": a.AttemptExists("n"),
    "refused n decided: No space left": a.StartRefused("n", "No space left", decided=True),
    "refused n it  is so": a.StartRefused("n", "it  is so", decided=False),
    "refused n": a.StartRefused("n", "", decided=False),
    "stale n 3 c1 87 h87": a.TokenStale("n", MEMORY),
    "withdrawn n won": a.Withdrawal("n", "won"),
    "withdrawn n lost": a.Withdrawal("n", "lost"),
    "withdrawn n failed": a.Withdrawal("n", "failed"),
    "state absent n - - - - - - - -": a.AttemptState("absent", "n", None, *EMPTY),
    "state running n - - +5 - 42 777 1 30": a.AttemptState(
        "running", "n", None, KeptOutput(5, None), KeptOutput(), BEGUN, age=30.0
    ),
    "state gone n - - - - 42 777 1 -": a.AttemptState("gone", "n", None, *EMPTY, BEGUN),
    "state ended n 3 beef - -": a.AttemptState("ended", "n", 3, *EMPTY, mark="beef"),
    "put n ok": a.InputStored("n", whole=True),
    "put n cut": a.InputStored("n", whole=False),
    "put n cut no space": a.InputStored("n", whole=False, why="no space"),
    "pong life": a.Pong("life"),
    "run 2024-a": a.LeftRun("2024-a"),
    "done": a.ListDone(),
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
    assert parse(f"state {word} n - - - - - - - -") == a.AttemptState(word, "n", None, *EMPTY)


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
