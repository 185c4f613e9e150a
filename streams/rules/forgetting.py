"""Rule 10: when a case is closed, a scan forgotten, an exposure ended. "Now" is given: the wall's, or the stream's."""

from __future__ import annotations

from streams.rules.days import DAY, local_day


def is_closed(window_start: int, now: int, retention_days: int) -> bool:
    """A case whose window began `retention_days` ago is not evaluated again (0 = never)."""
    return retention_days > 0 and now >= window_start + retention_days * DAY


def first_kept_day(now: int, retention_days: int) -> int | None:
    """Local days before this one (its number) hold only scans older than `retention_days` + 1; None: all are kept."""
    return local_day(now - (retention_days + 1) * DAY) if retention_days > 0 else None


def is_ended(last_at: int, now: int, retention_days: int) -> bool:
    """An exposure ends by its own age when the scans of its last episode are forgotten (its tombstone)."""
    return retention_days > 0 and now >= last_at + (retention_days + 1) * DAY
