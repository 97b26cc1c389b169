"""Untrusted text made harmless for a terminal. Contract guarantee 12.

Rules:
- What could move the cursor, set a title, write the clipboard, hide or reorder text is shown as a
  visible escape: C0 but newline and tab, DEL, C1, line and paragraph separators, bidi controls,
  invisible tags, lone surrogates (faults F70 and F71, rule T6).
- Nothing is dropped, so that two different texts never look the same because of the cleaning.
"""

import re
import unicodedata

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u2028\u2029\ufeff"  # separators that break lines, byte order mark
    "\ud800-\udfff"  # lone surrogates: bytes that were no text
    "\U000e0000-\U000e007f]"  # invisible tags
)


def clean(text: str) -> str:
    r"""`text` without anything that a terminal would obey; newlines and tabs stay.

    A carriage return before a newline is taken for what it is, the end of a line; alone it is
    shown as `\r`.
    """
    return _HARMFUL.sub(_escaped, text.replace("\r\n", "\n"))


def clean_line(text: str) -> str:
    r"""`text` on one line: newlines are shown as `\n`, tabs as a space."""
    if text.isascii() and text.isprintable():
        return text  # as nearly always: nothing to look for
    return clean(text.strip("\n")).replace("\n", "\\n").replace("\t", " ")


def clean_bytes(raw: bytes) -> str:
    r"""Output as text; bytes that are no UTF-8 are shown as `\xff`."""
    return clean(raw.decode("utf-8", "backslashreplace"))


def first_line(text: str) -> str:
    """The first line with something on it, cleaned."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return clean_line(next((line for line in text.splitlines() if line.strip()), "")).strip()


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes; it must be clean."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def fit(text: str, width: int) -> str:
    """`text` in at most `width` columns, cut with an ellipsis."""
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _columns(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0x0D:
        return "\\r"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
