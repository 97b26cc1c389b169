"""How conditions compare values: one rule, for `when`, for templates, and for their tests.

Rules:
- Numbers compare as numbers; durations count in seconds, sizes in bytes. Texts compare as texts,
  character by character.
- A text beside a number is read as `expect` of a probe reads it: `010` is ten, `5m` are 300. What
  reads as no number is equal to none, and has no order with one: that is an error, never a no.
- Beside true and false, the texts `true` and `false` are what they say.
- A value of each target of a step is no single value: comparing it with one is an error.
"""

import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any, Final, TypeGuard

from drrun.core.model.values import quantity

_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "lt": lt,
    "lteq": le,
    "gt": gt,
    "gteq": ge,
}
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,40}")
_TRUTHS: Final = {"true": True, "false": False}


def compare(operator: str, left: Any, right: Any) -> bool:
    """Compare two values.

    Args:
        operator: `eq`, `ne`, `lt`, `lteq`, `gt`, `gteq`, `in` or `notin`, as Jinja2 calls them.
        left: What stands before it.
        right: What stands behind it.

    Raises:
        TypeError: They cannot be compared; the message says why.
    """
    match operator:
        case "eq":
            return _equal(left, right)
        case "ne":
            return not _equal(left, right)
        case "in":
            return _among(left, right)
        case "notin":
            return not _among(left, right)
        case _:
            return _ORDER[operator](*_in_order(left, right))


def _equal(left: Any, right: Any) -> bool:
    if None not in (left, right) and isinstance(left, Mapping) != isinstance(right, Mapping):
        raise TypeError("there is a value for each target here, and one value to compare with")
    for one, other in ((left, right), (right, left)):
        if isinstance(one, bool) and isinstance(other, str):
            return _TRUTHS.get(other) is one
        if _is_number(one) and isinstance(other, str):
            read = _read(other)
            return read is not None and read == one
    return bool(eq(left, right))


def _among(one: Any, several: Any) -> bool:
    if isinstance(several, list | tuple):
        return any(_equal(one, each) for each in several)
    return bool(one in several)


def _in_order(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    return _number(left, right), _number(right, left)


def _number(value: Any, beside: Any) -> float:
    number = _read(value) if isinstance(value, str) else value
    if not _is_number(number):
        raise TypeError(f"{value!r} is not a number: it is neither more nor less than {beside!r}")
    return number


def _read(text: str) -> float | None:
    """The number that a text reads as; a whole one exactly, however large."""
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else quantity(text)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
