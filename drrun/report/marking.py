"""Markdown out of texts that somebody else wrote."""

import re
from collections.abc import Iterable, Iterator, Sequence

from drrun.report.clean import clean_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#&~])")


def safe(text: str) -> str:
    """Text of others on one line, without anything that Markdown or HTML would obey."""
    text = " ".join(text.split())
    return _SPECIAL.sub(r"\\\1", clean_line(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, and an empty one behind it."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(safe(cell) for cell in row)} |"
    yield ""
