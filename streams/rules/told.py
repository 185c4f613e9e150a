"""Rule 3 once more, for one person and slowly, to say by which step each piece came about (`truyvet explain`).

pieces.py does the same in columns; tests hold the two together, and an explanation is refused where they differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from streams.rules.policy import Policy


class Scan(NamedTuple):
    """Of one person: distinct, unvoided, of no shared card. Sorted as they come, an out before an in."""

    second: int
    entering: bool
    venue: str
    staff: bool


class Figures(NamedTuple):
    """Of a venue, in seconds."""

    dwell: int
    max_stay: int


class Told(NamedTuple):
    """A piece, and how it came about. `steps`: those of rule 3 that decided its ends, by number; `other` = the venue
    that cut it (step 5)."""

    venue: str
    start: int
    end: int
    inferred: bool
    conflict: bool
    staff: bool
    steps: tuple[str, ...]
    because: str


def told(scans: Iterable[Scan], figures: Mapping[str, Figures], policy: Policy) -> list[Told]:
    """Pieces of one person with their reasons, by start, end, venue."""
    events = _merged(scans)
    found, ended = [], set()
    instants: dict[tuple[str, int], Told] = {}
    for event in events:
        if event.entering:
            piece, out = _from_in(event, events, figures[event.venue], policy)
            found.append(piece)
            if out is not None:
                ended.add((event.venue, out))
            else:
                instants[event.venue, event.second] = piece
    for event in events:
        if not event.entering and (event.venue, event.second) not in ended:
            instant = instants.pop((event.venue, event.second), None)
            if instant is not None:
                found.remove(instant)
            else:
                found.append(_from_out(event, events, figures[event.venue], policy))
    return sorted((p for p in found if p.start < p.end), key=lambda p: (p.start, p.end, p.venue))


def _merged(scans: Iterable[Scan]) -> list[Scan]:
    """Scans of one second, venue and direction as one, staff when one says so."""
    staff: dict[tuple[int, bool, str], bool] = {}
    for scan in scans:
        staff[scan[:3]] = staff.get(scan[:3], False) or scan.staff
    return sorted(Scan(*key, flag) for key, flag in staff.items())


def _first_staff(event: Scan, events: Sequence[Scan], policy: Policy) -> int | None:
    """t₀ of a staff scan, None when it is none."""
    since = event.second - policy.staff_dwell
    mine = (e.second for e in events if e.staff and e.venue == event.venue and since < e.second <= event.second)
    return min(mine, default=None)


def _from_in(event: Scan, events: Sequence[Scan], figures: Figures, policy: Policy) -> tuple[Told, int | None]:
    """The piece of an in scan, and the out that ended it by step 3."""
    t, c = event.second, policy.conflict_seconds
    end, longest, steps = t + figures.dwell, figures.max_stay, ["3.1"]
    because = f"no scan tells the end: a stay of {figures.dwell // 60} min is assumed"
    first_staff = _first_staff(event, events, policy)
    if first_staff is not None:
        longest = max(longest, policy.staff_max_stay)
        end = max(end, first_staff + policy.staff_dwell)
        because = "no scan tells the end: a working day of staff is assumed"
        steps = ["3.1", "staff"]
    same = next((e for e in events if e.venue == event.venue and e.second > t), None)
    other = next((e for e in events if e.venue != event.venue and e.second >= t + c), None)
    out, inferred = None, True
    if (
        same is not None
        and not same.entering
        and same.second - t <= longest
        and (other is None or same.second - other.second < c)
    ):
        end, out, inferred = same.second, same.second, False
        steps, because = ["3.3"], "they checked out"
    else:
        if same is not None and same.entering and same.second < end:
            end, inferred = same.second, False
            steps, because = ["3.4"], "they scanned in again: the next piece goes on"
        if other is not None and other.second < end:
            end, inferred = other.second, True
            steps, because = [*steps, "3.5"], f"they were scanned at {other.venue}"
    conflict = any(e.entering and e.venue != event.venue and abs(e.second - t) < c for e in events)
    if conflict:
        because += "; scanned at two venues at once, so a code may be shared"
    return Told(event.venue, t, end, inferred, conflict, first_staff is not None, (*steps, "3.6"), because), out


def _from_out(event: Scan, events: Sequence[Scan], figures: Figures, policy: Policy) -> Told:
    """The piece of an out scan that ended none."""
    t = event.second
    staff = _first_staff(event, events, policy) is not None
    start = t - (max(figures.dwell, policy.staff_dwell) if staff else figures.dwell)
    because = "they came in unseen: the assumed stay before the check-out"
    for e in events:
        if e.second < t and (e.venue == event.venue or e.second <= t - policy.conflict_seconds) and e.second > start:
            start = e.second
            because = f"they came in unseen, after they were scanned at {e.venue}"
    return Told(event.venue, start, t, True, False, staff, ("3.out",), because)
