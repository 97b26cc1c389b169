"""What a person wrote: a tree of words, listings and tables that know where they stand.

Rules:
- A scalar keeps its text exactly; nothing is a number or a boolean until somebody who knows the
  wanted type asks for one. `no`, `010`, `22:22` and `1.10` therefore never change (fault F9).
- Lines and columns count from 1.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from drrun.core.dataclass import dataclass

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
#: No leading zero: nobody can see whether 0755 is meant as octal, as text or as 755.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")


@dataclass(slots=True)
class Scalar:
    """One word or text."""

    text: str
    #: Not quoted and not a block: may be null, a boolean or a number if that is wanted.
    plain: bool
    line: int
    column: int

    @property
    def is_null(self) -> bool:
        """Whether nothing was written."""
        return self.plain and self.text in _NULL


@dataclass(slots=True)
class Listing:
    """Several things in order."""

    items: Sequence["Written"]
    line: int
    column: int


@dataclass(slots=True)
class TableItem:
    """One key of a table with its value."""

    key: Scalar
    value: "Written"


@dataclass(slots=True)
class Table:
    """Things by name."""

    entries: Mapping[str, TableItem]
    line: int
    column: int


Written = Scalar | Listing | Table


def describe(written: Written) -> str:
    """What stands there, for "must be …, not {this}"."""
    match written:
        case Listing():
            return "a list"
        case Table():
            return "a mapping"
        case Scalar():
            return "nothing" if written.is_null else shortened(written.text)


def shortened(text: str, limit: int = 60) -> str:
    """`text` in quotes on one line, cut where it gets too long for a message."""
    line = " ".join(text.split()) if len(text) < 10 * limit else text[:limit] + "…"
    return repr(line if len(line) <= limit else line[:limit] + "…")


def plain_boolean(scalar: Scalar) -> bool | None:
    """True or false, if the scalar says so in YAML 1.2; `yes` and `on` do not."""
    if scalar.plain and scalar.text in _TRUE:
        return True
    return False if scalar.plain and scalar.text in _FALSE else None


def plain_number(text: str) -> int | float | None:
    """The number that `text` is, if writing the number down again gives the same text."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return None


def plain_value(written: Written) -> Any:
    """Python's value of something free in form: text, number, boolean, None, list or dict.

    What is not unmistakably a number stays text: `0755`, `1.10`, `1e3`, `.inf`, dates.
    """
    match written:
        case Listing(items):
            return [plain_value(item) for item in items]
        case Table(entries):
            return {name: plain_value(entry.value) for name, entry in entries.items()}
        case Scalar(text, plain):
            if not plain:
                return text
            if written.is_null:
                return None
            truth = plain_boolean(written)
            if truth is not None:
                return truth
            number = plain_number(text)
            return text if number is None else number
