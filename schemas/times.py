"""Times and dates of messages.md: RFC 3339 with an offset, or integer milliseconds; from 2000 to 2100."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z
LATEST_MS = 4_102_444_800_000  # 2100-01-01T00:00:00Z, not included

_FORM = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(?:(Z)|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(value: str | int) -> int:
    """Milliseconds since the epoch, a finer fraction cut toward the past. Raises ValueError (which names no value).

    Capital `T` and `Z` only; an offset is needed; `24:00` and the second 60 are refused, as are floats and booleans,
    which never get here.
    """
    if isinstance(value, int):
        ms = value
    else:
        found = _FORM.fullmatch(value)
        if found is None:
            raise ValueError("not RFC 3339 with an offset")
        day, clock, fraction, _, sign, hours, minutes = found.groups()
        try:
            naive = datetime.fromisoformat(f"{day}T{clock}")
        except ValueError:
            raise ValueError("no such date or time of day") from None
        ms = (naive.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
        ms += int((fraction or "0")[:3].ljust(3, "0"))
        if sign:
            offset = (int(hours) * 60 + int(minutes)) * 60_000
            ms += -offset if sign == "+" else offset
    if not EARLIEST_MS <= ms < LATEST_MS:
        raise ValueError("not between 2000-01-01 and 2100-01-01")
    return ms


def format_time(second: int) -> str:
    """Seconds since the epoch → RFC 3339, `Z`, whole seconds."""
    minute, rest = divmod(second, 60)
    return _minute_text(minute) + _SECONDS[rest]


_SECONDS = [f":{second:02}Z" for second in range(60)]


@lru_cache(1 << 15)  # the minutes of three weeks: an exposure says five times or more, thousands at once
def _minute_text(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M")


def parse_date(value: str) -> date:
    """`YYYY-MM-DD`. Raises ValueError (which names no value)."""
    if _DATE.fullmatch(value) is None:
        raise ValueError("not YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("no such date") from None
