"""Judging what a probe saw by what its author expects. Pure.

Rules:
- Three answers: holds, does not hold, could not tell (contract guarantee 4).
- A limit that is compared with something that is no quantity could not be told, nor could JSON
  that is none.
- The reason names the expectation and the value seen.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping

from drrun.core.dataclass import dataclass
from drrun.core.integrity.masking import OPEN, Mask
from drrun.core.model.probes import Expect, Verdict
from drrun.core.model.values import quantity
from drrun.core.rules.capturing import Missing, pick

#: A text as people see it.
_Show = Callable[[str], str]

#: Longest value that a reason repeats.
_SHOWN = 200
_LIMITS: Mapping[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen, before anybody judged it."""

    text: str = ""
    exit: int | None = None
    status: int | None = None
    #: Whether what was asked about is there at all (a file, a record).
    present: bool = True


class _Doubt(Exception):
    """It cannot be told."""


def judge(expect: Expect, seen: Observed, mask: Mask = OPEN) -> tuple[Verdict, str]:
    """The verdict, and why it is not `holds`.

    Args:
        expect: What must be so.
        seen: What was seen; it is judged as it is.
        mask: Hides secrets in the reason, before that is shortened.
    """
    try:
        why = _first_fault(expect, seen, lambda text: shown(mask.text(text)))
    except _Doubt as doubt:
        return Verdict.COULD_NOT_TELL, str(doubt)
    return (Verdict.DOES_NOT_HOLD, why) if why else (Verdict.HOLDS, "")


def _first_fault(expect: Expect, seen: Observed, show: _Show) -> str:
    if expect.exit is not None and seen.exit not in expect.exit:
        return f"expected exit {_either(expect.exit)}, saw {seen.exit}"
    if expect.status is not None and seen.status not in expect.status:
        return f"expected status {_either(expect.status)}, saw {seen.status}"
    if expect.absent is True:
        return f"expected nothing, saw {show(seen.text) or 'it'}" if seen.present else ""
    if not seen.present and _wants_content(expect):
        return "expected something, there is nothing"
    text = _value(expect, seen.text, show) if expect.json is not None else seen.text.rstrip("\r\n")
    if text is None:
        return f"expected {expect.json} in the answer, it is not there"
    return _fault_of_text(expect, text, show) or _fault_of_quantity(expect, text, show)


def _wants_content(expect: Expect) -> bool:
    wanted = (expect.equals, expect.matches, expect.contains, expect.json)
    return any(each is not None for each in (*wanted, expect.lt, expect.le, expect.gt, expect.ge))


def _value(expect: Expect, text: str, show: _Show) -> str | None:
    try:
        found = pick(json.loads(text), expect.json or "")
    except ValueError:
        raise _Doubt(f"expected JSON, saw {show(text)}") from None
    except Missing:
        return None
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _fault_of_text(expect: Expect, text: str, show: _Show) -> str:
    if expect.equals is not None and text != expect.equals:
        return f"expected equals '{show(expect.equals)}', saw '{show(text)}'"
    if expect.matches is not None and not re.search(expect.matches, text, re.MULTILINE):
        return f"expected matches '{expect.matches}', saw '{show(text)}'"
    if expect.contains is not None and expect.contains not in text:
        return f"expected contains '{expect.contains}', saw '{show(text)}'"
    if isinstance(expect.absent, str) and expect.absent in text:
        return f"expected absent '{expect.absent}', saw '{show(text)}'"
    return ""


def _fault_of_quantity(expect: Expect, text: str, show: _Show) -> str:
    for name, holds in _LIMITS.items():
        written = getattr(expect, name)
        if written is None:
            continue
        limit, value = quantity(written), quantity(text)
        if limit is None:
            raise _Doubt(f"the limit {name} {written!r} is not a quantity")
        if value is None:
            raise _Doubt(f"expected {name} {written}, saw '{show(text)}', which is not a quantity")
        if not holds(value, limit):
            return f"expected {name} {written}, saw {show(text)}"
    return ""


def shown(text: str) -> str:
    """A value as one line for people: control characters escaped, shortened."""
    line = "".join(each if each.isprintable() else _escape(each) for each in text.strip())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _escape(character: str) -> str:
    return {"\n": "⏎", "\t": " "}.get(character, f"\\x{ord(character):02x}")


def _either(numbers: tuple[int, ...]) -> str:
    return " or ".join(str(number) for number in numbers)
