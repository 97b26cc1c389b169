"""Values taken from what an action printed. Contract section 2, `capture`.

Rules:
- A value that is not there is a fault of the attempt, not an empty text that a later step
  would work with.
- What reads as a number is a number, so that `when: steps.a.lag < 300` compares numbers; a number
  with leading zeros stays text, because it is a name.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from drrun.core.model.runbook import Capture

_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,17})\.\d{1,15}")


class Missing(Exception):
    """What was looked for is not there."""


def capture_all(
    captures: Sequence[Capture], streams: Mapping[str, str]
) -> tuple[dict[str, Any], str]:
    """Take every value from the streams.

    Returns:
        The values found, and what was missing ("" if nothing).
    """
    values: dict[str, Any] = {}
    for capture in captures:
        try:
            values[capture.name] = _capture(capture, streams.get(capture.source, ""))
        except Missing as missing:
            return values, f"capture {capture.name}: {missing}"
    return values, ""


def _capture(capture: Capture, text: str) -> Any:
    if capture.json is not None:
        try:
            document = json.loads(text)
        except ValueError as error:
            raise Missing(f"{capture.source} is no JSON: {error}") from None
        return pick(document, capture.json)
    if capture.regex is None:
        return as_number(text.strip())
    match = re.search(capture.regex, text, re.MULTILINE)
    if match is None:
        raise Missing(f"nothing in {capture.source} matches {capture.regex!r}")
    return as_number(match[1] if match.re.groups else match[0])


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


def as_number(text: str) -> Any:
    """The number that a text reads as, or the text."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
