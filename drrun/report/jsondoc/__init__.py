"""Views as JSON documents for programs; `docs/reference/json.md` lists the keys.

Rules:
- Every document is one JSON object with `format` (1) and `kind`. Within a format keys are only
  added: readers ignore keys that they do not know.
- Moments are RFC 3339 in UTC with milliseconds, spans are numbers of seconds, what is not known
  is null. Text is as it was written or seen; all but ASCII is escaped, so that a document printed
  to a terminal is harmless.
"""

import json
from typing import Any

from drrun.report.times import precise

#: Version of all documents.
FORMAT = 1


def document(kind: str, **keys: Any) -> dict[str, Any]:
    """A document of a kind."""
    return {"format": FORMAT, "kind": kind, **keys}


def dumps(found: Any) -> str:
    """A document as text, for people who look at it too."""
    return json.dumps(found, indent=2, default=str) + "\n"


def dumps_line(found: Any) -> str:
    """A document on one line, for streams."""
    return json.dumps(found, separators=(",", ":"), default=str) + "\n"


def at(moment: float | None) -> str | None:
    """A moment."""
    return None if moment is None else precise(moment)


def seconds(span: float | None) -> float | None:
    """A span."""
    return None if span is None else round(float(span), 3)
