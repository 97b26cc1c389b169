"""Shapes of single words: texts, names, numbers, durations, choices.

Rules:
- The wanted type decides, never the looks of what was written (fault F9): where text is wanted,
  `5432`, `true`, `1.10` and `22:22` are the text that stands there.
- A number too long to be meant is refused by its length, before it is converted (fault F8).
"""

import math
import re
import warnings
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeVar

from drrun.core.model.values import Duration, Share, Size
from drrun.core.nearest import did_you_mean
from drrun.files.yaml.shape import WRONG, Definitions, Reading, Schema, Shape, Wrong
from drrun.files.yaml.written import (
    Scalar,
    Written,
    describe,
    plain_boolean,
    plain_number,
    plain_value,
    shortened,
)

E = TypeVar("E", bound=StrEnum)
V = TypeVar("V")

#: Longest word that can be a number, a duration, a share.
_LONGEST: Final = 40


class Text(Shape[str]):
    """Text, exactly as written."""

    def __init__(self, expects: str = "text", pattern: str | None = None) -> None:
        self.expects = expects
        self._pattern = re.compile(pattern, re.ASCII) if pattern else None

    def read(self, written: Written, reading: Reading) -> str | Wrong:
        """The text; numbers and booleans are taken as the text that stands there."""
        if not isinstance(written, Scalar) or written.is_null:
            return self.refuse(written, reading)
        if "\0" in written.text or not written.text.strip():
            return self.refuse(written, reading)
        if self._pattern and not self._pattern.fullmatch(written.text):
            return self.refuse(written, reading)
        return written.text

    def schema(self, _: Definitions) -> Schema:
        """A string; other plain values too unless a pattern is wanted."""
        title = {} if self.expects == "text" else {"title": self.expects}
        if self._pattern:
            pattern = f"^(?:{self._pattern.pattern})$"
            return {**title, "type": ["string", "integer"], "pattern": pattern}
        return {**title, "type": ["string", "number", "boolean"]}


class Literally(Shape[str]):
    """Text that may be empty."""

    expects = "text"

    def read(self, written: Written, reading: Reading) -> str | Wrong:
        """The text; a null is no text."""
        if not isinstance(written, Scalar) or written.is_null:
            return self.refuse(written, reading)
        return written.text

    def schema(self, _: Definitions) -> Schema:
        """A string or what YAML takes for something else."""
        return {"type": ["string", "number", "boolean"]}


class Parsed(Shape[V]):
    """A short word that a function turns into a value, or refuses with a ValueError."""

    def __init__(self, expects: str, parse: Callable[[str], V], schema: Schema) -> None:
        self.expects = expects
        self._parse = parse
        self._schema = schema

    def read(self, written: Written, reading: Reading) -> V | Wrong:
        """The value that was parsed."""
        if not isinstance(written, Scalar) or written.is_null:
            return self.refuse(written, reading)
        if len(written.text) > _LONGEST:
            return self.refuse(written, reading)
        try:
            return self._parse(written.text)
        except ValueError as error:
            return reading.wrong(written, str(error))

    def schema(self, _: Definitions) -> Schema:
        """As given."""
        return {"title": self.expects, **self._schema}


class Boolean(Shape[bool]):
    """true or false."""

    expects = "true or false"

    def read(self, written: Written, reading: Reading) -> bool | Wrong:
        """The truth; `yes` and `on` are refused, as their meaning depends on the YAML version."""
        truth = plain_boolean(written) if isinstance(written, Scalar) else None
        if truth is None:
            return self.refuse(written, reading)
        return truth

    def schema(self, _: Definitions) -> Schema:
        """A boolean."""
        return {"type": "boolean"}


class Number(Shape[Any]):
    """A number within limits; `whole` wants an integer."""

    def __init__(self, least: float, most: float, *, whole: bool = True) -> None:
        self._least, self._most, self._whole = least, most, whole
        kind = "a whole number" if whole else "a number"
        self.expects = f"{kind} from {least:g} to {most:g}"

    def read(self, written: Written, reading: Reading) -> int | float | Wrong:
        """The number."""
        if not isinstance(written, Scalar) or not written.plain or len(written.text) > _LONGEST:
            return self.refuse(written, reading)
        number = plain_number(written.text)
        if number is None and not self._whole:
            number = _decimal(written.text)
        if number is None or not self._least <= number <= self._most:
            return self.refuse(written, reading)
        if self._whole and not isinstance(number, int):
            return self.refuse(written, reading)
        return number

    def schema(self, _: Definitions) -> Schema:
        """A number with its limits."""
        kind = "integer" if self._whole else "number"
        return {"type": kind, "minimum": self._least, "maximum": self._most}


class OneOf(Shape[V]):
    """One of a few words, each with its value."""

    def __init__(self, words: Mapping[str, V]) -> None:
        self._words = words
        self.expects = f"one of {', '.join(words)}"

    def read(self, written: Written, reading: Reading) -> V | Wrong:
        """The value of the word."""
        if not isinstance(written, Scalar):
            return self.refuse(written, reading)
        if written.text not in self._words:
            hint = did_you_mean(written.text, self._words)
            if "did you mean" not in hint:
                return self.refuse(written, reading)
            return reading.wrong(written, f"must be {self.expects}, not {describe(written)}{hint}")
        return self._words[written.text]

    def schema(self, _: Definitions) -> Schema:
        """An enumeration; `true` and `false` may be written as such."""
        booleans = [word == "true" for word in self._words if word in {"true", "false"}]
        return {"enum": [*self._words, *booleans]}


def choice(members: type[E]) -> Shape[E]:
    """One of the members of an enum."""
    return OneOf({str(member): member for member in members})


def one_of(*words: str) -> Shape[str]:
    """One of a few words."""
    return OneOf({word: word for word in words})


class Pattern(Shape[str]):
    """A regular expression, compiled once to be sure that it is one."""

    expects = "a regular expression"

    def read(self, written: Written, reading: Reading) -> str | Wrong:
        """The expression as text; one with a template in it can only be compiled later."""
        if not isinstance(written, Scalar) or written.is_null:
            return self.refuse(written, reading)
        fault = "" if "{{" in written.text else _fault_of(written.text)
        return reading.wrong(written, fault) if fault else written.text

    def schema(self, _: Definitions) -> Schema:
        """A string; editors' regular expressions differ from Python's."""
        return {"title": self.expects, "type": ["string", "number", "boolean"]}


@lru_cache(maxsize=1000)
def _fault_of(expression: str) -> str:
    """What is wrong with a regular expression, or ""."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "possible nested set": valid today
            re.compile(expression)
    except re.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        return f"{shortened(expression)} is not a regular expression: {error.msg}{at}"
    except (OverflowError, RecursionError):
        return "is a regular expression that is too large"
    return ""


class Anything(Shape[Any]):
    """Any value at all, as plain Python."""

    expects = "anything"

    def read(self, written: Written, _: Reading) -> Any:
        """Text, number, boolean, None, list or dict."""
        return plain_value(written)

    def schema(self, _: Definitions) -> Schema:
        """No restriction."""
        return {}


class AnyMapping(Shape[dict[str, Any]]):
    """A mapping with free keys and free values; nothing at all is an empty one."""

    def __init__(self, name: Shape[str] | None = None) -> None:
        self._name = name
        self.expects = "a mapping"

    def read(self, written: Written, reading: Reading) -> dict[str, Any] | Wrong:
        """A dict of plain values."""
        value = plain_value(written)
        if value is None:
            return {}
        if not isinstance(value, dict) or isinstance(written, Scalar):
            return self.refuse(written, reading)
        if self._name is not None and hasattr(written, "entries"):
            names = [self._name.read(entry.key, reading) for entry in written.entries.values()]
            if WRONG in names:
                return WRONG
        return value

    def schema(self, _: Definitions) -> Schema:
        """An object."""
        return {"type": ["object", "null"]}


def _decimal(text: str) -> float | None:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _period(text: str) -> Duration:
    span = Duration.parse(text)
    if span < 0.1:
        raise ValueError(f"{text!r} is too short: at least 100ms")
    return span


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date: write it like 2027-01-31") from None
    return text


def _date_or_duration(text: str) -> str:
    if re.fullmatch(r"\d{4}-.*", text):
        return _date(text)
    Duration.parse(text)
    return text


_DURATION_SCHEMA: Schema = {
    "type": "string",
    "pattern": r"^([0-9]+(\.[0-9]+)?(ms|d|h|m|s))+$",
}

duration: Shape[Duration] = Parsed("a duration like 5m", Duration.parse, _DURATION_SCHEMA)
#: A duration that may not be zero: a limit, or how often to look.
period: Shape[Duration] = Parsed("a duration like 5m", _period, _DURATION_SCHEMA)
size: Shape[Size] = Parsed("a size like 20GiB", Size.parse, {"type": "string"})
share: Shape[Share] = Parsed(
    "a count or a share like 25%",
    Share.parse,
    {"type": ["string", "integer"], "pattern": r"^[0-9]+(\.[0-9]+)?%?$", "minimum": 0},
)
day: Shape[str] = Parsed("a date like 2027-01-31", _date, {"type": "string"})
expiry: Shape[str] = Parsed(
    "a date like 2027-01-31 or a duration like 30d", _date_or_duration, {"type": "string"}
)
boolean = Boolean()
text = Text()
literally = Literally()
pattern = Pattern()
anything = Anything()
#: A key of a template's namespace: `inputs.max_lag`.
identifier = Text("a name like max_lag (letters, digits, _)", r"[A-Za-z_][A-Za-z0-9_]{0,99}")
#: An id of a step, role, lock, service: no look-alikes, no option injection (faults F16 and F21).
slug = Text("an id like freeze-writes (a-z, 0-9, -)", r"[a-z0-9][a-z0-9-]{0,99}")
#: A name that may also be a host's: `db1.phl`.
dotted = Text(
    "a name like db1.phl (letters, digits, '.', '_', '-')", r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
)
