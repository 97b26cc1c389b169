"""Several at once want the same: the file decides once."""

from collections import Counter

from drrun.ssh import launcher_answers as a
from tests.contract.launcher.conftest import Open
from tests.contract.launcher.launchers import Ground

ROUNDS = 25
LAUNCHERS = 4


def test_of_many_that_start_the_same_one_executes_it(any_ground: Ground, opens: Open) -> None:
    effects = any_ground.home / "effects"
    launchers = [opens(any_ground) for _ in range(LAUNCHERS)]
    for each in launchers:
        each.quiet()
    for index in range(ROUNDS):
        for each in launchers:
            each.start(f"n{index}", f"echo {index} >>{effects}")
    said = Counter(
        type(each.first(f"n{index}", a.CommandEnded, a.AttemptExists))
        for index in range(ROUNDS)
        for each in launchers
    )
    assert said == {a.CommandEnded: ROUNDS, a.AttemptExists: ROUNDS * (LAUNCHERS - 1)}
    assert Counter(effects.read_text().split()) == {str(index): 1 for index in range(ROUNDS)}


def test_a_start_and_a_withdrawal_never_both_win(any_ground: Ground, opens: Open) -> None:
    effects = any_ground.home / "effects"
    starts, withdraws = opens(any_ground), opens(any_ground)
    starts.quiet()
    withdraws.quiet()
    executed = set()
    for index in range(ROUNDS * 4):
        name = f"n{index}"
        starts.start(name, f"echo {index} >>{effects}")
        word = withdraws.withdraw(name)
        answer = starts.first(name, a.CommandEnded, a.AttemptExists)
        assert (word, type(answer)) in {("won", a.AttemptExists), ("lost", a.CommandEnded)}
        if word == "lost":
            executed.add(str(index))
    assert set(effects.read_text().split() if effects.exists() else ()) == executed


def test_two_withdrawals_never_both_win(any_ground: Ground, opens: Open) -> None:
    launchers = [opens(any_ground) for _ in range(2)]
    for each in launchers:
        each.quiet()
    for index in range(ROUNDS):
        for each in launchers:
            each.send(f"withdraw n{index}\n".encode())
        words = sorted(each.hear(a.Withdrawal, f"n{index}").word for each in launchers)
        assert words == ["lost", "won"]
