"""Values taken from what an action printed. Contract section 2, `capture`.

Rules:
- A value that is not there, or is not of the type that was written with `as`, is a fault of the
  attempt: a later step never works with something else.
- Without `as`, what reads as a number is a number, so that `when: steps.a.lag < 300` compares
  numbers; a number with leading zeros stays text, because it is a name.
- A value is kept as it was printed, or not at all: bytes that are no text are refused.
- Of an output too long to be seen whole, only a match in its beginning counts: the first match may
  otherwise be in the part that is missing.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drrun.core.model.runbook import Capture
from drrun.core.model.values import Duration, Size, written

_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,17})\.\d{1,15}")
#: Longest text that can be a number, a duration or a size.
_LONGEST = 40
#: What a store of outputs puts in place of what it does not give (`left_out`).
_LEFT_OUT = re.compile(r"\n\[drrun: \d+ bytes were left out here\]\n")
#: Halves of characters: what stands for bytes that are no UTF-8, or was escaped so in JSON.
_NO_TEXT = re.compile("[\ud800-\udfff]")


def left_out(size: int) -> str:
    """The mark in place of `size` bytes of an output."""
    return f"\n[drrun: {size} bytes were left out here]\n"


class Missing(Exception):
    """What was looked for is not there, or something else is."""


def capture_all(
    captures: Sequence[Capture], streams: Mapping[str, str]
) -> tuple[dict[str, Any], str]:
    """Take every value from the streams.

    Args:
        captures: What is wanted.
        streams: What was printed; bytes that are no UTF-8 as halves of characters (PEP 383).

    Returns:
        The values found, and what was missing ("" if nothing).
    """
    values: dict[str, Any] = {}
    for capture in captures:
        try:
            found = _found(capture, streams.get(capture.source, ""))
            values[capture.name] = _typed(capture, found)
        except (Missing, ValueError) as missing:
            return values, f"capture {capture.name}: {missing}"
    return values, ""


def _found(capture: Capture, text: str) -> Any:
    gap = _LEFT_OUT.search(text)
    if gap and capture.regex is None:
        raise _too_long(capture)
    if capture.json is not None:
        try:
            document = json.loads(text)
        except ValueError as error:
            raise Missing(f"{capture.source} is not JSON: {error}") from None
        return pick(document, capture.json)
    if capture.regex is None:
        return text.strip()
    begin = text[: gap.start()] if gap else text
    match = re.search(capture.regex, begin, re.MULTILINE)
    if gap and (match is None or match.end() == len(begin)):
        raise _too_long(capture)
    if match is None:
        raise Missing(f"nothing in {capture.source} matches {capture.regex!r}")
    # A group that took no part in the match has found nothing.
    return (match[1] or "") if match.re.groups else match[0]


def _too_long(capture: Capture) -> Missing:
    return Missing(
        f"{capture.source} is longer than 2 MiB, and a value that may be in its middle cannot be "
        "captured. Print less, for example with grep or tail"
    )


def pick(document: Any, path: str) -> Any:
    """The value at `a.b.0.c` inside a JSON document.

    Raises:
        Missing: There is no such path; the message says how far it went.
    """
    found = document
    gone: list[str] = []
    for name in path.removeprefix("$").strip(".").split(".") if path.strip("$.") else []:
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.lstrip("-").isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise Missing(f"no {name!r} in {'.'.join(gone) or 'the document'}")
        gone.append(name)
    return found


def _typed(capture: Capture, found: Any) -> Any:
    """A value as its capture wants it.

    Raises:
        Missing: It is of no single type, or holds what is no text.
        ValueError: It is not of that type.
    """
    if _NO_TEXT.search(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)):
        raise Missing(
            f"{capture.source} holds bytes that are no UTF-8 there. Print them in another form, "
            "with base64 or od"
        )
    if not capture.type:
        return as_number(found) if isinstance(found, str) else found
    if not isinstance(found, str | int | float) or isinstance(found, bool):
        raise Missing(f"{written(found)[:_LONGEST]!r} is not of type {capture.type}")
    return AS[capture.type](written(found).strip() if capture.type != "text" else written(found))


def as_number(text: str) -> Any:
    """The number that a text reads as, or the text."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _whole(text: str) -> int:
    if len(text) > _LONGEST or not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f"{text[:_LONGEST]!r} is not a whole number")
    return int(text)


def _decimal(text: str) -> float:
    plain = re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", text[: _LONGEST + 1])
    if len(text) > _LONGEST or not plain or not math.isfinite(float(text)):
        raise ValueError(f"{text[:_LONGEST]!r} is not a number")
    return float(text)


def _seconds(text: str) -> float:
    return float(Duration.parse(text[: _LONGEST + 1]))


def _bytes(text: str) -> int:
    return int(Size.parse(text[: _LONGEST + 1]))


#: What `as` may say, and how a text becomes that: durations are kept in seconds, sizes in bytes.
AS: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "int": _whole,
    "float": _decimal,
    "duration": _seconds,
    "size": _bytes,
}
