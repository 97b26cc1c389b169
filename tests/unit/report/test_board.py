import pytest

from drrun.core import events as ev
from drrun.core.state.run_state import RunState
from drrun.report.clean import columns
from drrun.report.text.board import BoardHead, board_rows
from drrun.report.text.styled_rows import ScreenSize
from tests.unit.core.worlds import manual, stand_in, step
from tests.unit.report.runs import START, begun, bound, lasts

HEAD = BoardHead("20240111-test-1")


def busy() -> RunState:
    """Much of everything, with long names."""
    steps = [manual(f"gate-{n}") for n in range(20)]
    steps += [step(f"{'long-' * 12}{n}", estimate=lasts(60)) for n in range(30)]
    steps += [step(f"later-{n}", f"{'long-' * 12}{n}") for n in range(30)]
    world = begun(bound(*steps, title="Title " * 40), max_parallel=100)
    for each in steps[:50]:
        world.record(ev.TargetBegan(step=each.id, target="local"))
    for each in steps[:20]:
        world.record(ev.GateOpened(step=each.id, target="local", gate="manual", text="text " * 40))
    return world.state


def text(state: RunState, size: ScreenSize) -> list[str]:
    return [
        "".join(piece.text for piece in row) for row in board_rows(state, HEAD, START + 5, size)
    ]


@pytest.mark.parametrize(
    "size", [ScreenSize(80, 24), ScreenSize(80, 10), ScreenSize(40, 24), ScreenSize(200, 60)]
)
def test_the_board_fits_its_window(size: ScreenSize) -> None:
    rows = text(busy(), size)
    assert len(rows) <= size.height
    assert max(columns(row) for row in rows) <= size.width


def test_what_does_not_fit_is_counted() -> None:
    assert any("more not shown" in row for row in text(busy(), ScreenSize(80, 24)))


def test_what_needs_a_person_comes_first() -> None:
    rows = text(busy(), ScreenSize(80, 24))
    heads = [row.split(" (")[0] for row in rows if row and not row.startswith(" ")]
    assert heads.index("needs an answer") < heads.index("running") < heads.index("next")


def test_every_kind_of_news_gets_a_row() -> None:
    rows = text(busy(), ScreenSize(80, 14))
    assert any(row.startswith("  gate-0") for row in rows)
    assert any(row.startswith("  long-") for row in rows)


def test_a_step_that_is_being_undone_does_not_look_as_if_it_ran() -> None:
    restore = step("restore", estimate=lasts(20), undo=stand_in())
    world = begun(bound(restore, manual("hold", "restore")))
    world.drive()
    world.ask("rollback", reason="it burns")
    world.obey_all()
    rows = text(world.state, ScreenSize(80, 24))
    (row,) = (row for row in rows if row.split()[:1] == ["restore"])
    assert ("undoing" in row, "planned" in row) == (True, False)
    assert any("rolling back" in row for row in rows)
