import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.report.clean import clean, clean_bytes, clean_line, columns, fit


@pytest.mark.faults(71)
def test_escape_sequences_are_shown_and_not_obeyed() -> None:  # F71
    assert clean("\x1b]0;owned\x07\x1b[2J") == "\\x1b]0;owned\\x07\\x1b[2J"


def test_c1_controls_are_shown() -> None:
    assert clean("\x9b31m") == "\\x9b31m"


@pytest.mark.faults(71)
def test_bidi_controls_are_shown() -> None:  # F71
    assert clean("rm \u202ecod.yrt") == "rm \\u202ecod.yrt"


@pytest.mark.faults(70)
def test_bytes_that_are_no_text_are_shown() -> None:  # F70
    assert clean_bytes(b"a\xff\x00b") == "a\\xff\\x00b"


def test_newlines_and_tabs_stay() -> None:
    assert clean("a\tb\nc\r\nd") == "a\tb\nc\nd"


def test_a_lone_carriage_return_cannot_hide_a_line() -> None:
    assert clean("failed\rpassed") == "failed\\rpassed"


def test_one_line_stays_one_line() -> None:
    assert clean_line("a\n12:00:00 passed   everything\n") == "a\\n12:00:00 passed   everything"


@given(st.text())
def test_no_text_keeps_anything_that_a_terminal_obeys(text: str) -> None:
    cleaned = clean(text)
    assert not [c for c in cleaned if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]


@given(st.binary())
def test_all_bytes_can_be_printed(raw: bytes) -> None:
    assert isinstance(clean_bytes(raw).encode("utf-8"), bytes)


@given(st.text(), st.integers(1, 40))
def test_a_fitted_text_never_takes_more_columns(text: str, width: int) -> None:
    assert columns(fit(clean_line(text), width)) <= width


def test_wide_characters_count_twice() -> None:
    assert columns("東京") == 4
