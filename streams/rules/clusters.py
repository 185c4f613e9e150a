"""Rule 8: cases that were at one venue within days of each other.

What the rule leaves open is settled here, and nowhere else. Presences are the visits of a case at the venue (rule 3:
pieces that touch, joined) that begin in [onset − 14 days, end of its window) (no onset: the sample). A case with an
empty window has none. A window of `days` × 24 h that begins with a presence's start is full when presences of `cases`
different cases start in it. Full windows that share a presence are one cluster: it runs from its first presence's start
to the last end, so a cluster grows, and no presence is in two.
A case counts as source-like when one of its presences starts before it is infectious (`onset − before_days`), as
spread-like when one starts from then on; it can be both. The newest policy of the cases that were at the venue decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.rules.days import DAY

PRE_INFECTIOUS_DAYS = 14


class Presence(NamedTuple):
    """A visit of a case at the venue, [start, end) seconds; `turn` = the second its infectious window starts."""

    start: int
    end: int
    case_id: str
    turn: int


class Cluster(NamedTuple):
    """`cases` sorted."""

    start: int
    end: int
    cases: list[str]
    source_like: int
    spread_like: int


def clusters(presences: Iterable[Presence], cases: int, days: int) -> list[Cluster]:
    """The clusters at one venue, in time order."""
    ordered = sorted(presences)
    runs: list[tuple[int, int]] = []  # indices [first, last) of presences that one or more full windows hold
    last = 0
    counts: dict[str, int] = {}
    for first, begin in enumerate(ordered):
        while last < len(ordered) and ordered[last].start < begin.start + days * DAY:
            counts[ordered[last].case_id] = counts.get(ordered[last].case_id, 0) + 1
            last += 1
        if len(counts) >= cases:
            if runs and first < runs[-1][1]:
                runs[-1] = (runs[-1][0], last)
            else:
                runs.append((first, last))
        counts[begin.case_id] -= 1
        if not counts[begin.case_id]:
            del counts[begin.case_id]
    return [_cluster(ordered[first:last]) for first, last in runs]


def _cluster(members: list[Presence]) -> Cluster:
    return Cluster(
        members[0].start,
        max(p.end for p in members),
        sorted({p.case_id for p in members}),
        len({p.case_id for p in members if p.start < p.turn}),
        len({p.case_id for p in members if p.start >= p.turn}),
    )
