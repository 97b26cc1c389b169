"""The screens of runs that nobody thought of: they fit, and lose nothing that needs a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core import events as ev
from drrun.core.model.ids import StepId
from drrun.core.state.run_state import RunState
from drrun.report.run_view import step_line
from drrun.report.text.attention import attention_steps
from drrun.report.text.board import BoardHead, board_rows
from drrun.report.text.styled_rows import ScreenSize, StyledRow, width_of
from drrun.report.text.watches import Look, listed, watch_rows
from tests.unit.core.worlds import World, manual, step, two_sites
from tests.unit.report.runs import START, begun, bound, lasts

RUN = "20240111-test-1"
_SIZES = st.builds(ScreenSize, st.integers(20, 200), st.integers(6, 60))
_FATES = st.lists(st.sampled_from(["idle", "runs", "fails", "asks"]), min_size=1, max_size=60)


def fated(fates: list[str]) -> RunState:
    """A run whose steps stand like this."""
    made = [
        manual(f"gate-{n}") if fate == "asks" else step(f"step-{n}")
        for n, fate in enumerate(fates)
    ]
    world = begun(bound(*made), max_parallel=100)
    for each, fate in zip(made, fates, strict=True):
        _meet(world, str(each.id), fate)
    return world.state


def _meet(world: World, step_id: str, fate: str) -> None:
    if fate == "idle":
        return
    world.record(ev.TargetBegan(step=step_id, target="local"))
    if fate == "asks":
        world.record(
            ev.GateOpened(step=step_id, target="local", gate="manual", text="Pull the plug\n" * 9)
        )
    elif fate == "fails":
        failed = ev.TargetFailed(step=step_id, target="local", cause="failed", why="no " * 60)
        world.record(failed)


def texts(rows: list[StyledRow]) -> list[str]:
    return ["".join(piece.text for piece in row) for row in rows]


@given(
    _FATES,
    _SIZES,
    st.data(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "step", "gate", "nothing"]),
)
def test_any_run_fits_any_terminal(
    fates: list[str],
    size: ScreenSize,
    data: st.DataObject,
    driven: bool,
    opened: bool,
    find: str,
) -> None:
    state = fated(fates)
    look = Look(
        selected=data.draw(st.sampled_from(state.plan.order)),
        driven=driven,
        page=["word " * 40] * 30,
        opened=opened,
        scroll=data.draw(st.integers(0, 99)),
        find=find,
        notice="refused: " + "because " * 30,
        keys=["r retry"] * 20,
    )
    for rows in (
        watch_rows(state, RUN, look, START + 5, size),
        board_rows(state, BoardHead(RUN, driven=driven), START + 5, size),
    ):
        assert len(rows) <= size.height
        assert max(map(width_of, rows)) <= size.width


@given(_FATES)
def test_every_step_is_listed_once_and_what_needs_a_person_first(fates: list[str]) -> None:
    state = fated(fates)
    order, first = listed(state), attention_steps(state)
    assert sorted(order) == sorted(state.plan.order)
    assert order[: len(first)] == first
    assert len(first) == sum(fate in ("fails", "asks") for fate in fates)


@given(_FATES, st.data())
def test_a_list_shows_the_selected_step_and_counts_what_it_hides(
    fates: list[str], data: st.DataObject
) -> None:
    state = fated(fates)
    selected = data.draw(st.sampled_from(state.plan.order))
    rows = texts(watch_rows(state, RUN, Look(selected), START + 5, ScreenSize(80, 24)))
    listed_rows = [row for row in rows if row[:7] in ("  step-", "  gate-", "> step-", "> gate-")]
    hidden = [int(row.split()[1]) for row in rows if row.startswith("  … ")]
    assert any(row.startswith(f"> {selected}") for row in rows)
    assert len(listed_rows) + sum(hidden) == len(fates)


@pytest.mark.parametrize("width", [80, 160])
def test_nobody_drives_stands_in_the_first_row(width: int) -> None:
    state = fated(["fails", "asks"])
    size = ScreenSize(width, 24)
    rows = texts(watch_rows(state, RUN, Look(state.plan.order[0], driven=False), START, size))
    assert rows[0] == f"NOBODY DRIVES: drrun resume {RUN}"
    assert rows[1].startswith("1 asks you  FAILED 1: step-0: ")


@pytest.mark.parametrize("width", [80, 160])
def test_a_host_that_is_not_seen_stands_above_with_what_helps(width: int) -> None:
    state = unseen().state
    look = Look(state.plan.order[0])
    rows = texts(watch_rows(state, RUN, look, START + 12, ScreenSize(width, 24)))
    assert rows[0] == f"NOT SEEN db2 for 12s: drrun set-route {RUN} db2 ROUTE"
    assert rows[1] == f"  or, if it is lost: drrun lost {RUN} host:db2 --reason WHY"
    assert not any("left, to" in row for row in rows)
    assert any("not done before db2 is seen again" in row for row in rows)


def test_nobody_is_told_that_the_jobs_of_a_host_that_is_not_seen_go_on() -> None:
    line = step_line(unseen().state, StepId("restore"), START + 12)
    assert line.note == "db2 not seen for 12s: reconnecting; what runs there is not known"


def unseen() -> World:
    """`restore` runs on db2, which has not answered since the start."""
    restore = step("restore", on=("db2",), estimate=lasts(60))
    world = begun(bound(restore, inventory=two_sites()))
    world.record(ev.TargetBegan(step="restore", target="db2"))
    who = ev.AttemptName(step="restore", target="db2", attempt=1)
    world.record(ev.AttemptIntended(**who, action="run", command="restore", host="db2"))
    world.record(ev.AttemptStarted(**who))
    world.record(ev.ContactMissed(**who, silent=0.0))
    return world


def test_the_time_of_a_run_stands_still_once_it_has_ended() -> None:
    world = begun(bound(step("a")))
    world.now = START + 104
    world.record(ev.RunEnded(status="succeeded"))
    world.now = START + 130
    world.record(ev.Noted(text="all is well", by="drew"))
    look, size = Look(world.state.plan.order[0]), ScreenSize(80, 24)
    rows = texts(watch_rows(world.state, RUN, look, START + 500, size))
    assert any("it took 1m44s" in row for row in rows)


def test_a_screen_tells_how_many_of_how_many_have_approved() -> None:
    world = begun(bound(step("a", approval={"role": "", "count": 2})))
    world.record(ev.TargetBegan(step="a", target="local"))
    asked = ev.GateOpened(step="a", target="local", gate="approval", text="Go live?", count=2)
    world.record(asked)
    look, size = Look(world.state.plan.order[0]), ScreenSize(80, 24)
    assert "  0 of 2 have approved" in texts(watch_rows(world.state, RUN, look, START + 5, size))
