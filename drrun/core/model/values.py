"""Durations, sizes and shares: what authors write with a unit, as numbers that know it.

Rules:
- Parsing accepts what contract section 2 names; a number without a unit is no duration,
  because nobody can see whether 5 was meant as seconds or minutes.
- `str()` gives back what an author would have written.
"""

import json
import math
import re
from typing import Self

from drrun.core.dataclass import dataclass

_DURATION_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|d|h|m|s)")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_SIZE_UNITS = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50,
}  # fmt: skip
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kMGTP]?B|[KMGTP]iB)")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
#: About a hundred years; longer is a slip of the pen.
_LONGEST = 36500 * 86400.0


class Duration(float):
    """A span of time in seconds. `Duration.parse("1h30m") == 5400`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `90s`, `5m`, `24h`, `7d`, `1h30m`, `500ms`.

        Raises:
            ValueError: The text is no duration; the message says what one looks like.
        """
        if not _DURATION.fullmatch(text):
            raise ValueError(
                f"{text!r} is not a duration: write it like 90s, 5m, 1h30m, 24h or 7d"
            )
        parts = _DURATION_PART.findall(text)
        seconds = sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)
        if not seconds <= _LONGEST:
            raise ValueError(f"{text!r} is longer than a hundred years")
        return cls(seconds)

    def __str__(self) -> str:
        seconds = float(self)
        if seconds < 0:
            return f"-{Duration(-seconds)}"
        if seconds and seconds < 1:
            return f"{seconds * 1000:.0f}ms"
        if seconds < 60 and seconds != int(seconds):
            return f"{seconds:.1f}s"
        rest, parts = round(seconds), []
        for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
            count, rest = divmod(rest, length)
            if count:
                parts.append(f"{count}{unit}")
        return "".join(parts[:2]) or "0s"

    __repr__ = __str__


class Size(int):
    """A number of bytes. `Size.parse("20GiB") == 20 * 2**30`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `20GiB`, `1.5TB`, `512B`.

        Raises:
            ValueError: The text is no size; the message says what one looks like.
        """
        match = _SIZE.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not a size: write it like 512MiB, 20GiB or 1.5TB")
        return cls(float(match[1]) * _SIZE_UNITS[match[2]])

    def __str__(self) -> str:
        for unit in ("PiB", "TiB", "GiB", "MiB", "KiB"):
            if self >= _SIZE_UNITS[unit]:
                return f"{int(self) / _SIZE_UNITS[unit]:.4g}{unit}"
        return f"{int(self)}B"

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Share:
    """So many of a number of targets: `3`, or `25%` of them (rounded up, at least one)."""

    amount: float
    percent: bool = False

    @classmethod
    def parse(cls, text: str | int) -> Self:
        """Read `3` or `25%`.

        Raises:
            ValueError: The text is neither; the message says what one looks like.
        """
        match = _PERCENT.fullmatch(str(text))
        if match and float(match[1]) <= 100:
            return cls(float(match[1]), percent=True)
        if str(text).isascii() and str(text).isdigit() and len(str(text)) < 10:
            return cls(int(text))
        raise ValueError(f"{text!r} is not a share: write a count like 1 or a share like 25%")

    def of(self, total: int) -> int:
        """How many of `total` targets this is."""
        if self.percent:
            return min(total, math.ceil(total * self.amount / 100))
        return min(total, int(self.amount))

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.percent else f"{self.amount:g}"


def quantity(text: str) -> float | None:
    """Read a number that may carry a unit, for comparing what a probe saw with a limit.

    `5m` and `300` are equal: a bare number counts in the base unit (seconds, bytes, per cent).

    Returns:
        The magnitude in the base unit, or None if the text is no quantity.
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        return number if math.isfinite(number) else None
    for kind in (Duration, Size):
        try:
            return float(kind.parse(text))
        except ValueError:
            continue
    match = _PERCENT.fullmatch(text)
    return float(match[1]) if match else None


def written(value: object) -> str:
    """A value as one text, the same one everywhere: text and numbers as they are, else JSON."""
    if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)
