"""Rule 3: from scans to pieces, for many persons at once.

Everything is columns. Scans are sorted twice: by (person, venue, second), where "the next scan at V" is a neighbour,
and by (person, second), where "the first scan elsewhere at or after t + c" is a binary search on one number that holds
both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.rules.figures import VenueFigures
from streams.rules.piece_table import PieceTable, visits
from streams.rules.policy import Policy
from streams.rules.scans import ScanTable

__all__ = ["PieceTable", "VenueFigures", "pieces", "visits"]

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Later and earlier than any time; a search for one of them stays within its person in `_key`.
_NEVER = 1 << 40
_LONG_AGO = -(1 << 40)


class _Events(NamedTuple):
    """Scans without code and role, each once, ordered by person, venue, second, an out before an in.

    `place` numbers the (person, venue) pairs, `moment` the (person, venue, second) triples, both rising; `begin[m]` =
    first event of moment m. A moment has one event or two, an out and then an in.
    """

    person: I64
    venue: I64
    second: I64
    out: Mask
    staff: Mask
    place: I64
    moment: I64
    begin: I64


def pieces(scans: ScanTable, figures: VenueFigures, policy: Policy) -> PieceTable:
    """Pieces of all persons in `scans` (distinct, unvoided, shared cards out), ordered by person, start, end, venue.

    `figures` by the scans' venue index. The persons keep their numbers. Every piece is longer than 0.
    """
    if not len(scans):
        return PieceTable.empty(scans.persons)
    e = _events(scans)
    conflict_seconds = policy.conflict_seconds
    is_staff, first_staff = _staff(e, policy.staff_dwell)
    dwell = figures.dwell[e.venue]
    timeline = _Timeline(e)

    # In scans: steps 1 to 6. Worked out for outs too, and left out at the end.
    end = e.second + dwell
    end[is_staff] = np.maximum(end, first_staff + policy.staff_dwell)[is_staff]
    max_stay = figures.max_stay[e.venue]
    max_stay[is_staff] = np.maximum(max_stay, policy.staff_max_stay)[is_staff]
    same, same_is_out, same_event = _next_at_venue(e)
    other = timeline.elsewhere_from(e, conflict_seconds)
    # No `other` is _NEVER, and the last condition holds.
    observed = ~e.out & same_is_out & (same - e.second <= max_stay) & (same - other < conflict_seconds)
    prolonged = ~observed & ~same_is_out & (same < end)
    end = np.where(observed | prolonged, same, end)
    cut = ~observed & (other < end)
    end = np.where(cut, other, end)
    inferred = ~observed & ~(prolonged & ~cut)

    # Out scans: those that ended nothing.
    has_ended = np.zeros(len(e.out), bool)
    has_ended[same_event[observed]] = True
    loose = e.out & ~has_ended
    instant = np.zeros(len(e.out), bool)  # in scans that a loose out of the same second takes with it
    instant[1:] = loose[:-1] & (e.moment[1:] == e.moment[:-1]) & ~observed[1:]
    unseen = loose.copy()
    unseen[:-1] &= ~instant[1:]
    back = np.where(is_staff, np.maximum(dwell, policy.staff_dwell), dwell)
    start = np.maximum(e.second - back, _last_at_venue(e))
    start = np.maximum(start, timeline.latest_until(e, np.minimum(e.second - conflict_seconds, e.second - 1)))

    begin = np.where(e.out, start, e.second)
    until = np.where(e.out, e.second, end)
    keep = np.flatnonzero((np.where(e.out, unseen, ~instant)) & (begin < until))
    keep = keep[np.lexsort((e.venue[keep], until[keep], begin[keep], e.person[keep]))]
    found = PieceTable(
        person=e.person[keep],
        venue=e.venue[keep],
        start=begin[keep],
        end=until[keep],
        inferred=(inferred | e.out)[keep],
        conflict=timeline.conflicts(e, conflict_seconds)[keep],
        staff=is_staff[keep],
        persons=scans.persons,
    )
    # An in that was cut where its out is (c = 0), and that out, which ended nothing, make the same piece.
    return found.take(~_repeated(found))


def _repeated(found: PieceTable) -> Mask:
    """Which are equal to the piece before them."""
    again = np.zeros(len(found), bool)
    if len(found):
        columns = (found.start, found.end, found.person, found.venue, found.inferred, found.conflict, found.staff)
        again[1:] = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
    return again


def _events(scans: ScanTable) -> _Events:
    order = np.lexsort((scans.second << 1 | ~scans.out, scans.person << 32 | scans.venue))
    scans = scans.take(order)
    person, venue, second, out = scans.person, scans.venue, scans.second, scans.out
    new_place = np.ones(len(order), bool)
    new_place[1:] = (person[1:] != person[:-1]) | (venue[1:] != venue[:-1])
    new_moment = new_place.copy()
    new_moment[1:] |= second[1:] != second[:-1]
    new_event = new_moment.copy()
    new_event[1:] |= out[1:] != out[:-1]
    first = np.flatnonzero(new_event)
    moment = (np.cumsum(new_moment) - 1)[first]
    return _Events(
        person[first],
        venue[first],
        second[first],
        out[first],
        np.logical_or.reduceat(scans.staff, first),  # other codes and roles at that second: staff if one says so
        (np.cumsum(new_place) - 1)[first],
        moment,
        np.flatnonzero(np.append(True, moment[1:] != moment[:-1])),
    )


def _key(group: I64, second: I64) -> I64:
    """One number that sorts by group, then time. Times until 2100 fit in 33 bits, with room below and above."""
    return (group << 35) + np.clip(second, -(1 << 33), (1 << 34) - 1) + (1 << 33)


def _staff(e: _Events, staff_dwell: int) -> tuple[Mask, I64]:
    """Which are staff scans, and t₀ of each: the first staff scan there within (t - staff_dwell, t]."""
    at = np.flatnonzero(e.staff)
    found = np.searchsorted(_key(e.place[at], e.second[at]), _key(e.place, e.second - staff_dwell), side="right")
    inside = found < len(at)
    which = at[found[inside]]
    first = np.full(len(e.second), _NEVER)
    first[inside] = np.where(e.place[which] == e.place[inside], e.second[which], _NEVER)
    return first <= e.second, first


def _next_at_venue(e: _Events) -> tuple[I64, Mask, I64]:
    """`same` of every event: its time (_NEVER: none), whether it is an out, its index. An out comes before an in."""
    begin = np.append(e.begin, 0)
    index = begin[e.moment + 1]
    there = e.place[index] == e.place
    there &= e.moment + 1 < len(e.begin)
    return np.where(there, e.second[index], _NEVER), there & e.out[index], index


def _last_at_venue(e: _Events) -> I64:
    """Time of the latest scan of this person here before t, strictly (_LONG_AGO: none)."""
    index = e.begin[e.moment] - 1
    return np.where((index >= 0) & (e.place[index] == e.place), e.second[index], _LONG_AGO)


class _Timeline:
    """The events by (person, second), at all venues."""

    def __init__(self, e: _Events) -> None:
        key = _key(e.person, e.second)
        order = np.argsort(key, kind="stable")
        self._key, self._person, self._second = key[order], e.person[order], e.second[order]
        venue = e.venue[order]
        self._venue = venue
        self._changes = _next_change(self._person, venue)
        self._ins = order[~e.out[order]]

    def elsewhere_from(self, e: _Events, conflict_seconds: int) -> I64:
        """`other` of every event: the first scan of this person at another venue at or after t + c (_NEVER: none)."""
        at = np.searchsorted(self._key, _key(e.person, e.second + conflict_seconds), side="left")
        last = len(self._key) - 1
        here = np.minimum(at, last)
        # The first at this venue itself: go on to where the venue (or the person) changes.
        skip = (at <= last) & (self._person[here] == e.person) & (self._venue[here] == e.venue)
        at = np.where(skip, self._changes[here], at)
        here = np.minimum(at, last)
        return np.where((at <= last) & (self._person[here] == e.person), self._second[here], _NEVER)

    def latest_until(self, e: _Events, second: I64) -> I64:
        """Time of the latest scan of this person anywhere at or before `second` (_LONG_AGO: none)."""
        at = np.searchsorted(self._key, _key(e.person, second), side="right") - 1
        return np.where((at >= 0) & (self._person[at] == e.person), self._second[at], _LONG_AGO)

    def conflicts(self, e: _Events, conflict_seconds: int) -> Mask:
        """Which in scans have an in scan of this person at another venue less than c apart."""
        person, venue, second = e.person[self._ins], e.venue[self._ins], e.second[self._ins]
        key = _key(person, second)
        first = np.searchsorted(key, _key(person, second - conflict_seconds), side="right")
        after = np.searchsorted(key, _key(person, second + conflict_seconds), side="left")
        found = np.zeros(len(e.second), bool)
        # With c = 0 the range is empty and may be turned around; otherwise it holds the scan itself.
        first = np.minimum(first, len(key) - 1)
        found[self._ins] = _next_change(person, venue)[first] < after if len(key) else False
        return found


def _next_change(person: I64, venue: I64) -> I64:
    """For each position, the next one with another person or venue (the length: none)."""
    edge = np.flatnonzero((person[1:] != person[:-1]) | (venue[1:] != venue[:-1])) + 1
    return np.append(edge, len(person))[np.searchsorted(edge, np.arange(len(person)), side="right")]
