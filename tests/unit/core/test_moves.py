"""The table of moves: complete, reachable, and closed to everything that is not in it."""

import pytest

from drrun.core import events as ev
from drrun.core.model.errors import IllegalMove
from drrun.core.model.ids import LOCAL, TargetKey
from drrun.core.model.status import FINAL, Status
from drrun.core.state.moves import MOVES
from drrun.core.state.run_state import RunState
from tests.unit.core.worlds import plan_of, step


def reachable(start: Status) -> set[Status]:
    found, edge = {start}, {start}
    while edge:
        edge = {
            after
            for row in MOVES.values()
            for before, (after, _) in row.items()
            if before in edge and after not in found
        }
        found |= edge
    return found


def test_every_status_is_reached_from_pending() -> None:
    assert reachable(Status.PENDING) == set(Status)


@pytest.mark.parametrize("status", sorted(Status))
def test_every_status_can_come_to_an_end(status: Status) -> None:
    assert reachable(status) & FINAL


def test_every_row_has_a_sentence() -> None:
    assert all(sentence for row in MOVES.values() for _, sentence in row.values())


def test_every_row_belongs_to_an_event_that_exists() -> None:
    assert {kind for kind, _ in MOVES} <= set(ev.KINDS)


def test_an_illegal_event_is_refused_and_changes_nothing() -> None:
    state = RunState(plan_of(step("a")))
    key = TargetKey(next(iter(state.plan.order)), LOCAL)
    before = state.targets[key]
    with pytest.raises(IllegalMove):
        state.apply(
            ev.TargetFailed(step="a", target="local", cause="failed", why="never began"), 1.0
        )
    assert state.targets[key] == before


def test_nothing_leaves_passed_but_a_watch_a_rollback_and_a_person() -> None:
    leaving = {
        kind for (kind, _), row in MOVES.items() if row.get(Status.PASSED, (Status.PASSED,))[0]
        is not Status.PASSED
    }  # fmt: skip
    assert leaving == {"Regressed", "UndoBegan", "TargetReopened"}
