"""One rule for conditions: what compares, how, and what never could."""

from typing import Any

import pytest

from drrun.core.model.comparing import compare


@pytest.mark.parametrize(
    ("operator", "left", "right", "holds"),
    [
        ("eq", 10, "010", True),
        ("eq", "5m", 300, True),
        ("eq", 3, "three", False),
        ("ne", "a", "b", True),
        ("eq", True, "true", True),
        ("eq", "false", True, False),
        ("eq", None, {"db1": 1}, False),
        ("lt", "2", 10, True),
        ("lt", "2", "10", False),
        ("gteq", "1GiB", 1073741824, True),
        ("lteq", 1.5, 1.5, True),
        ("gt", 2**60 + 1, str(2**60), True),
        ("in", "3", [1, 2, 3], True),
        ("notin", "x", ["y"], True),
        ("in", "b", "abc", True),
    ],
)
def test_values_compare_by_what_they_mean(
    operator: str, left: Any, right: Any, *, holds: bool
) -> None:
    assert compare(operator, left, right) is holds


@pytest.mark.parametrize(
    ("operator", "left", "right", "why"),
    [
        ("eq", {"db1": 1}, 1, "a value for each target"),
        ("lt", "soon", 3, "is not a number"),
        ("gt", True, 0, "is not a number"),
    ],
)
def test_what_cannot_be_compared_is_an_error_and_never_a_no(
    operator: str, left: Any, right: Any, why: str
) -> None:
    with pytest.raises(TypeError, match=why):
        compare(operator, left, right)
