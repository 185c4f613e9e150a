"""Rule 3: one person's scans become pieces."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tests.reference.messages import Venue
from tests.reference.policies import Policy, of_type
from tests.reference.spans import Span, union


class Scan(NamedTuple):
    """Of one person."""

    second: int
    venue: str
    direction: str
    role: str


class Piece(NamedTuple):
    venue: str
    start: int
    end: int
    inferred: bool
    conflict: bool
    staff: bool

    @property
    def span(self) -> Span:
        return (self.start, self.end)


class Figures(NamedTuple):
    """Of one venue, in seconds."""

    type: str
    dwell: int
    max_stay: int
    linger: int


def figures_of(venue: str, registry: Mapping[str, Venue], policy: Policy) -> Figures:
    """A venue's own figures go first; max_stay is never less than dwell; an unregistered venue is type `other`."""
    row = registry.get(venue)
    venue_type = row.type if row else "other"
    usual = of_type(policy, venue_type)
    dwell = row.dwell if row and row.dwell is not None else usual["dwell"]
    max_stay = row.max_stay if row and row.max_stay is not None else usual["max_stay"]
    linger = row.linger if row and row.linger is not None else usual["linger"]
    return Figures(venue_type, dwell * 60, max(max_stay, dwell) * 60, linger * 60)


class _Person:
    """The scans of one person as a set, and the questions that rule 3 asks of it.

    In order of time, all together and venue by venue, so that "next" and "latest" are a look and not a walk: a real
    person has two thousand.
    """

    def __init__(self, scans: Iterable[Scan], registry: Mapping[str, Venue], policy: Policy) -> None:
        self.scans = sorted(set(scans), key=_in_time)
        self.at: dict[str, list[Scan]] = {}
        for scan in self.scans:
            self.at.setdefault(scan.venue, []).append(scan)
        self.c = policy["scan"]["conflict_seconds"]
        self.staff_dwell = policy["staff"]["dwell"] * 60
        self.staff_max_stay = policy["staff"]["max_stay"] * 60
        self.figures = {venue: figures_of(venue, registry, policy) for venue in self.at}

    def staff_since(self, scan: Scan) -> int | None:
        """Staff: t0, the first scan with role staff at V in (t - staff_dwell, t]; None: no staff scan."""
        within = _between(self.at[scan.venue], scan.second - self.staff_dwell + 1, scan.second + 1)
        return min((s.second for s in within if s.role == "staff"), default=None)

    def same(self, scan: Scan) -> Scan | None:
        """Step 2: the next scan at V after t; at one instant an out comes before an in."""
        return next(iter(_from(self.at[scan.venue], scan.second + 1)), None)

    def other(self, scan: Scan) -> int | None:
        """Step 2: the first scan at another venue at or after t + c."""
        return next((s.second for s in _from(self.scans, scan.second + self.c) if s.venue != scan.venue), None)

    def in_conflict(self, scan: Scan) -> bool:
        """Another in scan at another venue less than c apart."""
        near = _between(self.scans, scan.second - self.c + 1, scan.second + self.c)
        return any(s.direction == "in" and s.venue != scan.venue for s in near)

    def of_in(self, scan: Scan) -> tuple[Piece, bool]:
        """Steps 1 to 6, and whether step 3 gave the end."""
        t, figures, since = scan.second, self.figures[scan.venue], self.staff_since(scan)
        end, max_stay = t + figures.dwell, figures.max_stay
        if since is not None:
            end, max_stay = max(since + self.staff_dwell, end), max(max_stay, self.staff_max_stay)
        same, other = self.same(scan), self.other(scan)
        inferred, by_out = True, False
        if (
            same is not None
            and same.direction == "out"
            and same.second - t <= max_stay
            and (other is None or same.second - other < self.c)
        ):
            end, inferred, by_out = same.second, False, True
        else:
            if same is not None and same.direction == "in" and same.second < end:
                end, inferred = same.second, False
            if other is not None and other < end:
                end, inferred = other, True
        return Piece(scan.venue, t, end, inferred, self.in_conflict(scan), since is not None), by_out

    def of_out(self, scan: Scan) -> Piece:
        """The person came in unseen."""
        t, look_back, since = scan.second, self.figures[scan.venue].dwell, self.staff_since(scan)
        if since is not None:
            look_back = max(self.staff_dwell, look_back)
        here = [s.second for s in _last_before(self.at[scan.venue], t)]
        anywhere = [s.second for s in _last_before(self.scans, min(t, t - self.c + 1))]
        return Piece(scan.venue, max([t - look_back, *here, *anywhere]), t, True, False, since is not None)


def _in_time(scan: Scan) -> tuple[int, bool]:
    return (scan.second, scan.direction != "out")


def _from(scans: Sequence[Scan], second: int) -> Iterator[Scan]:
    """Those at or after that second, in order."""
    return islice(scans, bisect_left(scans, second, key=_second), None)


def _between(scans: Sequence[Scan], first: int, end: int) -> Sequence[Scan]:
    return scans[bisect_left(scans, first, key=_second) : bisect_left(scans, end, key=_second)]


def _last_before(scans: Sequence[Scan], second: int) -> Sequence[Scan]:
    """The last one before that second, if there is one."""
    at = bisect_left(scans, second, key=_second)
    return scans[max(0, at - 1) : at]


def _second(scan: Scan) -> int:
    return scan.second


def pieces_of(scans: Iterable[Scan], registry: Mapping[str, Venue], policy: Policy) -> list[Piece]:
    """All pieces of one person (shared cards' scans are left out before)."""
    person = _Person(scans, registry, policy)
    ended: set[tuple[str, int]] = set()  # (venue, second) of outs that ended a piece
    by_in: dict[Scan, Piece] = {}
    observed: set[Scan] = set()
    for scan in person.scans:
        if scan.direction == "in":
            by_in[scan], by_out = person.of_in(scan)
            if by_out:
                observed.add(scan)
                ended.add((scan.venue, by_in[scan].end))
    found: set[Piece] = set()
    instant: set[Scan] = set()
    for scan in person.scans:
        if scan.direction == "out" and (scan.venue, scan.second) not in ended:
            moment = _between(person.at[scan.venue], scan.second, scan.second + 1)
            twins = {s for s in moment if s.direction == "in" and s not in observed}
            if twins:
                instant |= twins
            else:
                found.add(person.of_out(scan))
    found |= {piece for scan, piece in by_in.items() if scan not in instant}
    return sorted(piece for piece in found if piece.start < piece.end)


def visits_of(pieces: Iterable[Piece]) -> list[Piece]:
    """Touching or overlapping pieces of one person at one venue make one visit."""
    pieces = list(pieces)
    visits = []
    for venue in sorted({piece.venue for piece in pieces}):
        here = [piece for piece in pieces if piece.venue == venue]
        for start, end in union(piece.span for piece in here):
            inside = [piece for piece in here if start <= piece.start and piece.end <= end]
            visits.append(
                Piece(
                    venue,
                    start,
                    end,
                    any(piece.inferred for piece in inside),
                    any(piece.conflict for piece in inside),
                    any(piece.staff for piece in inside),
                )
            )
    return visits
