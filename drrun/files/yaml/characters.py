"""Bytes to text: which characters a runbook or an inventory may consist of.

Rules:
- UTF-8 only; a byte order mark and CRLF are accepted and vanish, so that the same text saved by
  another editor is the same text (fault F14).
- Characters that hide or reorder what a reviewer sees are refused wherever they stand: control
  characters, bidirectional overrides, invisible spaces, line separators that only some programs
  treat as such (faults F15 and F16, rule T1). All other Unicode is kept.
"""

import re
from typing import Final

from drrun.core.model.errors import Finding, Place

#: Largest file that is read. 10,000 steps fit three times (faults F11 and F19).
LARGEST: Final = 8 * 2**20

_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u00ad\u200b\u2060-\u2064\ufeff"
_SEPARATORS = "\u2028\u2029"
_NO_CHARACTER = "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff"
_FORBIDDEN = re.compile(f"[{_CONTROL}{_BIDI}{_INVISIBLE}{_SEPARATORS}{_NO_CHARACTER}]")
_KINDS = (
    ("a NUL character", re.compile("\x00")),
    ("a control character", re.compile(f"[{_CONTROL}]")),
    ("a character that reverses the direction of text", re.compile(f"[{_BIDI}]")),
    ("an invisible character", re.compile(f"[{_INVISIBLE}]")),
    ("an unusual line separator", re.compile(f"[{_SEPARATORS}]")),
)


def decode(raw: bytes | str, file: str) -> tuple[str, list[Finding]]:
    """Read bytes as text with plain line ends.

    Returns:
        The text and no finding, or "" and the finding that says why it is unusable.
    """
    if len(raw) > LARGEST:
        return "", [Finding(Place(file), f"is larger than {LARGEST // 2**20} MiB: split it")]
    if isinstance(raw, str):
        text = raw
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            return "", [_not_utf8(raw, error, file)]
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    hidden = forbidden(text)
    if hidden is None:
        return text, []
    position, message = hidden
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return "", [Finding(Place(file, line, column), f"{message}, at character {position}")]


def forbidden(text: str) -> tuple[int, str] | None:
    """Position and name of the first character that may not be there, or None."""
    match = _FORBIDDEN.search(text)
    if not match:
        return None
    kind = next((name for name, those in _KINDS if those.match(match[0])), "no character at all")
    return match.start(), f"{kind} (U+{ord(match[0]):04X}) is not allowed here"


def _not_utf8(raw: bytes, error: UnicodeDecodeError, file: str) -> Finding:
    line = raw.count(b"\n", 0, error.start) + 1
    column = error.start - raw.rfind(b"\n", 0, error.start)
    return Finding(
        Place(file, line, column),
        f"is not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}; save it as UTF-8",
    )
