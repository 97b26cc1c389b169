"""Short sweeps, so that the long ones cannot rot."""

from tests.faults.wires import Wire
from tests.sweeps.cuts import sweep as cut
from tests.sweeps.kills import sweep as kill


def test_a_few_kills_lose_and_double_nothing() -> None:
    assert kill(seed=1, count=6).wrong == []


def test_a_few_cuts_lose_and_double_nothing(wire: Wire) -> None:
    # The four seeds are of all kinds: both ways, replies only, reset.
    assert cut(seed=1, count=4, at_once=4, longest=4).wrong == []
