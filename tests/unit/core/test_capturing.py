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
        (Capture("x", json="a"), "capture x: stdout is no JSON"),
    ],
)
def test_a_value_that_is_not_there_is_a_fault(capture: Capture, why: str) -> None:
    _, fault = capture_all([capture], STREAMS)
    assert fault.startswith(why)


def test_leading_zeros_make_a_name_not_a_number() -> None:
    assert capture_all([Capture("x")], {"stdout": "007\n"}) == ({"x": "007"}, "")


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
    with pytest.raises(ValueError, match="no moment"):
        parse_moment("after lunch", DECIDED)
