"""Moments and spans as people read them. All UTC (contract section 2)."""

from datetime import UTC, datetime
from functools import lru_cache

from drrun.core.model.values import Duration
from drrun.core.state.clocks import Span


def clock(at: float) -> str:
    """`12:04:05`."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def moment(at: float) -> str:
    """`2024-01-11 12:04:05`, for tables whose title says UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def hour(at: float, now: float) -> str:
    """`16:40`, with the date if that is another day than `now`."""
    same = datetime.fromtimestamp(at, UTC).date() == datetime.fromtimestamp(now, UTC).date()
    form = "%H:%M" if same else "%Y-%m-%d %H:%M"
    return datetime.fromtimestamp(at, UTC).strftime(form)


def precise(at: float) -> str:
    """RFC 3339 with milliseconds, for programs."""
    return (
        datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def span(seconds: float) -> str:
    """`4m12s`; tenths of a second below ten seconds."""
    if 0 <= seconds < 0.05:
        return "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}s".replace(".0s", "s")
    return _whole(round(seconds))


def took(found: Span | None) -> str:
    """`4m12s`; `~4m12s` where more than one clock counted it; "" for nothing."""
    if found is None:
        return ""
    return f"{'' if found.exact else '~'}{span(found.seconds)}"


@lru_cache(maxsize=4096)
def _whole(seconds: int) -> str:
    """The same few spans stand in thousands of lines."""
    return str(Duration(seconds))


def rough(seconds: float) -> str:
    """A span that is only an estimate: `2h10m`, `~` is the caller's."""
    if seconds >= 3600:
        return _whole(round(seconds / 60) * 60)
    return span(round(seconds))
