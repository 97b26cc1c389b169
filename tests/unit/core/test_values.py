"""Durations, sizes, shares: what authors may write, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.values import Duration, Share, Size, quantity, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("24h", 86400), ("7d", 604800), ("1h30m", 5400), ("500ms", 0.5)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "5", "-5m", "5 m", "5x", "1e9d", "٣m", "9" * 5000 + "d"]
)
@pytest.mark.faults(8)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|hundred years"):
        Duration.parse(text)


@given(st.integers(0, 10**6))
def test_a_duration_is_printed_as_it_could_be_written(seconds: int) -> None:
    rounded = Duration.parse(str(Duration(seconds)))
    assert abs(rounded - seconds) < max(1, seconds / 20)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512B", 512), ("1KiB", 1024), ("20GiB", 20 * 2**30), ("1.5TB", 15 * 10**11)],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert Size.parse(text) == size


@pytest.mark.parametrize("text", ["20", "GiB", "-1GiB", "20 gib"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        Size.parse(text)


@pytest.mark.parametrize(
    ("text", "of_seven"), [("3", 3), ("25%", 2), ("100%", 7), ("0", 0), ("9", 7)]
)
def test_a_share_is_so_many_of_the_targets(text: str, of_seven: int) -> None:
    assert Share.parse(text).of(7) == of_seven


@pytest.mark.parametrize("text", ["-1", "101%", "some", "1.5"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a share"):
        Share.parse(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        (" 4.5\n", 4.5),
        ("5m", 300),
        ("1KiB", 1024),
        ("12%", 12),
        ("many", None),
        ("nan", None),
    ],
)
def test_a_quantity_is_compared_in_its_base_unit(text: str, number: float | None) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-90, "-1m30s"), (2.5, "2.5s"), (0, "0s"), (0.25, "250ms"), (90061, "1d1h")],
)
def test_a_duration_is_shown_as_a_person_would_say_it(seconds: float, text: str) -> None:
    assert str(Duration(seconds)) == text


@pytest.mark.parametrize("text", ["3", "25%", "12.5%"])
def test_a_share_is_shown_as_it_was_written(text: str) -> None:
    assert str(Share.parse(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (42, "42"),
        (1.5, "1.5"),
        (True, "true"),
        ({"a": ["é"]}, '{"a": ["é"]}'),
    ],
)
def test_a_value_is_one_text_everywhere(value: object, text: str) -> None:
    assert written(value) == text
