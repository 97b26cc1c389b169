"""Values taken from output, and moments as people write them."""

import pytest

from drrun.core.model.moments import parse_moment, rfc3339
from drrun.core.model.runbook import Capture
from drrun.core.rules.capturing import capture_all

STREAMS = {"stdout": 'lag=42\n{"no": "json"}', "stderr": '{"a": {"b": [1, "two"]}}'}
#: 2024-01-11 09:00:00 UTC.
DECIDED = 1704963600.0


@pytest.mark.parametrize(
    ("capture", "value"),
    [
        (Capture("x", regex=r"lag=(\d+)"), 42),
        (Capture("x", regex=r"lag=\d+"), "lag=42"),
        (Capture("x", source="stderr", json="a.b.1"), "two"),
        (Capture("x", source="stderr", json="a.b.0"), 1),
    ],
)
def test_a_value_is_taken_from_what_was_printed(capture: Capture, value: object) -> None:
    assert capture_all([capture], STREAMS) == ({"x": value}, "")


@pytest.mark.parametrize(
    ("capture", "why"),
    [
        (Capture("x", regex="delay"), "capture x: nothing in stdout matches 'delay'"),
        (Capture("x", source="stderr", json="a.c"), "capture x: no 'c' in a"),
        (Capture("x", json="a"), "capture x: stdout is not JSON"),
    ],
)
def test_a_value_that_is_not_there_is_a_fault(capture: Capture, why: str) -> None:
    _, fault = capture_all([capture], STREAMS)
    assert fault.startswith(why)


def test_leading_zeros_make_a_name_not_a_number() -> None:
    assert capture_all([Capture("x")], {"stdout": "007\n"}) == ({"x": "007"}, "")


@pytest.mark.parametrize(
    ("type_", "printed", "value"),
    [
        ("int", "010", 10),
        ("float", "1.50", 1.5),
        ("duration", "1h30m", 5400.0),
        ("size", "20GiB", 20 * 2**30),
        ("text", "3", "3"),
    ],
)
def test_a_value_is_of_the_type_that_was_written(type_: str, printed: str, value: object) -> None:
    captures = [Capture("x", regex="x=(.*)", type=type_)]
    assert capture_all(captures, {"stdout": f"x={printed}"}) == ({"x": value}, "")


@pytest.mark.parametrize(
    ("type_", "printed"),
    [("int", "3.5"), ("int", "many"), ("float", "nan"), ("duration", "300"), ("size", "20")],
)
def test_a_value_of_another_type_fails_the_step(type_: str, printed: str) -> None:
    values, fault = capture_all([Capture("x", type=type_)], {"stdout": printed})
    assert values == {}
    assert fault.startswith(f"capture x: '{printed}' is not a ")


def test_a_value_in_json_is_of_its_type_too() -> None:
    streams = {"stdout": '{"n": 3, "t": "010", "list": [1], "odd": "\\ud800"}'}
    for path, type_, value in (("n", "int", 3), ("n", "text", "3"), ("t", "int", 10)):
        assert capture_all([Capture("x", json=path, type=type_)], streams)[0] == {"x": value}
    assert "not of type int" in capture_all([Capture("x", json="list", type="int")], streams)[1]
    assert "no UTF-8" in capture_all([Capture("x", json="odd")], streams)[1]


def test_bytes_that_are_no_text_are_refused_only_where_they_are_wanted() -> None:
    printed = b"name=caf\xe9 size=3".decode("utf-8", "surrogateescape")
    streams = {"stdout": printed}
    assert capture_all([Capture("x", regex=r"size=(\d)")], streams) == ({"x": 3}, "")
    _, fault = capture_all([Capture("x", regex=r"name=(\S+)")], streams)
    assert "holds bytes that are no UTF-8" in fault
    assert "base64" in fault


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("14:00", "2024-01-11T14:00:00Z"),
        ("08:30", "2024-01-11T08:30:00Z"),
        ("2024-01-12T16:13:00Z", "2024-01-12T16:13:00Z"),
        ("2024-01-12T16:13:00", "2024-01-12T16:13:00Z"),
        ("2024-01-12T17:13:00+01:00", "2024-01-12T16:13:00Z"),
    ],
)
def test_a_moment_is_read_as_utc(text: str, moment: str) -> None:
    assert rfc3339(parse_moment(text, DECIDED)) == moment


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="not a moment"):
        parse_moment("after lunch", DECIDED)
