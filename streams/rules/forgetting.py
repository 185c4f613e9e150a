"""Rule 10: when a case is closed, a scan forgotten, an exposure ended. "Now" is given: the wall's, or the stream's.

Why forgetting corrects nothing. An open case's window began less than R days ago (R = `retention_days`), and every scan
that decides a piece within the window is less than 24 hours older than it: no stay is longer (messages.md). Local days
are forgotten whole, when all of their scans are older than R + 1 days. So whatever an open case rests on is there. What
it only looks back at, the 14 days before onset that clusters are made of, is carried on (`carried_on`).
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.rules.days import DAY, LOCAL_OFFSET, local_day

Stay = tuple[str, int, int]
"""venue_id, start, end (seconds UTC)."""


def closes_at(window_start: int, retention_days: int) -> int | None:
    """From this second on a case is not evaluated again; None = never (0 keeps everything)."""
    return window_start + retention_days * DAY if retention_days > 0 else None


def is_closed(window_start: int, now: int, retention_days: int) -> bool:
    """Whether the case's window began `retention_days` ago."""
    at = closes_at(window_start, retention_days)
    return at is not None and now >= at


def first_kept_day(now: int, retention_days: int) -> int | None:
    """Local days before this one (its number) hold only scans older than `retention_days` + 1; None: all are kept."""
    return local_day(now - (retention_days + 1) * DAY) if retention_days > 0 else None


def ends_at(last_at: int, retention_days: int) -> int | None:
    """The second at which what ended at `last_at` ends by its own age (its tombstone); None = never."""
    return last_at + (retention_days + 1) * DAY if retention_days > 0 else None


def is_ended(last_at: int, now: int, retention_days: int) -> bool:
    """Whether the scans under an exposure's last episode are old enough to be forgotten."""
    at = ends_at(last_at, retention_days)
    return at is not None and now >= at


def carried_on(before: Iterable[Stay], found: Iterable[Stay], first_day: int | None, margin: int) -> list[Stay]:
    """Stays of a case: those `found` in what is kept, and those known `before` whose scans are forgotten by now.

    `first_day` = the first local day that is kept, None = all are; `margin` (seconds): what begins so little after it
    may hang on a scan before it (a staff scan's day). Stays of one venue that touch or overlap are one.
    """
    if first_day is None:
        return sorted(found)
    edge = first_day * DAY - LOCAL_OFFSET + margin
    joined: list[Stay] = []
    for place, start, end in sorted([*found, *(stay for stay in before if stay[1] < edge)]):
        if joined and joined[-1][0] == place and start <= joined[-1][2]:
            joined[-1] = place, joined[-1][1], max(joined[-1][2], end)
        else:
            joined.append((place, start, end))
    return joined
