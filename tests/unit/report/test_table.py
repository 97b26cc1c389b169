from drrun.report.clean import columns
from drrun.report.ink import Style, ansi
from drrun.report.table import Cell, Column, table

SHAPE = (Column("step"), Column("on", least=6), Column("note", least=6))
ROWS = [("restore-the-database", "db1.ams.example.org", "a long note that says a lot " * 3)]


def test_a_table_fits_the_terminal() -> None:
    assert all(columns(line) <= 80 for line in table(SHAPE, ROWS, 80))


def test_what_people_type_is_never_cut() -> None:
    assert "restore-the-database" in table(SHAPE, ROWS, 40)[1]


def test_nothing_is_cut_in_a_pipe() -> None:
    assert ROWS[0][2].strip() in table(SHAPE, ROWS)[1]


def test_cells_are_cleaned() -> None:
    assert "\x1b" not in table((Column(),), [("\x1b[31m",)])[0]


def test_colour_does_not_move_columns() -> None:
    shape = (Column(), Column())
    lines = table(shape, [(Cell("ok", Style.GOOD), "x"), ("failed", "y")], 80, ansi)
    assert lines[0] == "\x1b[32mok\x1b[0m      x"
