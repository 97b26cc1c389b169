"""Points in time as people write them. All times are UTC, RFC 3339 (contract section 2)."""

import math
import re
from datetime import UTC, datetime

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def rfc3339(at: float) -> str:
    """`2024-01-10T09:00:00Z` for seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str, now: float) -> float:
    """Seconds since the epoch of `14:00` (of today), `2024-01-10T14:00:00Z`, or a bare number.

    A clock time that is over today is a moment that has come: who writes `not_before: 14:00` for
    a provider's office hours wants to begin at 15:00 too.

    Raises:
        ValueError: The text is no moment; the message says what one looks like.
    """
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock:
        today = datetime.fromtimestamp(now, UTC)
        return today.replace(
            hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0
        ).timestamp()
    try:
        bare = float(text)
    except ValueError:
        bare = math.nan
    if math.isfinite(bare):
        return bare
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a moment: write it like 14:00 or 2024-01-10T14:00:00Z (UTC)"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
