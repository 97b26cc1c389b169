"""A short sweep of kills, so that the long one cannot rot; cuts have their own tests."""

from tests.sweeps.kills import sweep


def test_a_few_kills_lose_and_double_nothing() -> None:
    tally = sweep(seed=1, count=6)
    assert [*tally.twice, *tally.lost, *tally.stuck] == []
