"""Who can have been where a case was, by the scans of the case's venues alone: whose own scans need not be read at all.

Two bounds, both worked out from the anchors (the scans of the venues), neither from where else anybody was:

*Possible*: what any one scan can ever mean there, whatever else is scanned, voided, linked or erased, and whoever
turns out to be staff. An in means [t, t + reach), an out [t - look-back, t): every piece at a venue is made by one scan
there, an in or an out that ended nothing, and lies within that (rule 3). A link makes no new moment either: the pieces
of a person lie within what the scans of their codes can mean.

*Present*: what the scans there mean at most, by those who are one person now. Who is not present shares no second with
the case and counts for no alert, so their other scans need not be read; and nobody needs to watch them (no mark), since
nothing can make them present but

- a scan there: it lies in the case's span, and the ingest reports it by that;
- a link, of an in and an out that now make one stay: then all its codes that matter are possible. One that the
  evaluation does not see is reported by whoever took it, who looks where the codes were (people.py).

Scans elsewhere, of late ones and voids too, cards that turn out to be shared or not, erasures, holds and what is undone
of links only choose among what the scans there mean at most: see `_at_most`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from streams.rules.distinct import distinct, within
from streams.rules.figures import VenueFigures
from streams.rules.policy import Policy
from streams.rules.spans import merged
from streams.state.layout import I64, U64, Mask, Records
from streams.state.people import PeopleTable
from streams.steps.contacts import Scene


class Places(NamedTuple):
    """Where and when there was something to catch: disjoint [start, end) by venue index of `venues`, in order."""

    venues: U64
    figures: VenueFigures
    venue: I64
    start: I64
    end: I64

    def meets(self, venue: I64, start: I64, end: I64) -> Mask:
        """Which [start, end) at a venue (index) overlap one of these; empty ones overlap nothing."""
        first = np.searchsorted(_key(self.venue, self.end), _key(venue, start), side="right")
        last = np.searchsorted(_key(self.venue, self.start), _key(venue, end), side="left")
        return (first < last) & (start < end)


class Presumed(NamedTuple):
    """Of each anchor, whether it is `possible`; and whether it is and its person is `present` somewhere."""

    possible: Mask
    present: Mask


def risky_places(case: Scene, window: tuple[int, int]) -> Places:
    """The infectious pieces of a case, each prolonged while the room is risky (rule 5)."""
    own = case.pieces.cut(*window)
    end = own.end + case.figures.linger[own.venue]
    spans = merged(own.venue, np.zeros(len(own), np.int64), own.start, end)
    venue = own.venue[spans.order][spans.first]
    return Places(case.venues, case.figures, venue, spans.start, spans.end)


def presumed(anchors: Records, token: U64, places: Places, own: U64, people: PeopleTable, policy: Policy) -> Presumed:
    """`token[i]` = venue of anchor i, one of `places`; `own` = codes of the case's person, who is no contact."""
    possible = np.zeros(len(anchors), bool)
    present = np.zeros(len(anchors), bool)
    of_others = np.flatnonzero(~anchors.void & ~within(anchors.other, distinct(own)))
    venue = np.searchsorted(places.venues, token[of_others])
    second, out, staff = anchors.second[of_others], anchors.out[of_others], anchors.staff[of_others]
    dwell, reach = places.figures.dwell[venue], places.figures.reach[venue]
    low = np.where(out, second - np.maximum(dwell, policy.staff_dwell), second)
    near = places.meets(venue, low, np.where(out, second, second + reach))
    possible[of_others[near]] = True

    # Everything that these persons scanned there counts: who ended what, and who is staff.
    person = people.person_of(anchors.other[of_others])
    theirs = within(person, distinct(person[near]))
    of_others, person, venue = of_others[theirs], person[theirs], venue[theirs]
    second, out, staff, near = second[theirs], out[theirs], staff[theirs], near[theirs]
    high = _at_most(person, venue, second, out, staff, places.figures, policy)
    there = near & places.meets(venue, high.start, high.end)
    present[of_others] = within(person, distinct(person[there]))
    return Presumed(possible, possible & present)


class _Bound(NamedTuple):
    start: I64
    end: I64


def _at_most(
    person: U64, venue: I64, second: I64, out: Mask, staff: Mask, figures: VenueFigures, policy: Policy
) -> _Bound:
    """What each scan means at most, by those of its person and venue: an out ends an in that lies no further back than
    the longest stay, and what no out ends lasts a dwell. Other scans, cards that turn out to be shared, and scans that
    are erased only take away from that, in whatever combination; hence the *last* out that an in can have, not the
    next: the ones between may not count."""
    # Two pairs with one number would only lend each other their outs: the bound stays a bound.
    pair = np.unique(person + venue.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), return_inverse=True)[1]
    is_staff = np.zeros(int(pair.max(initial=-1)) + 1, bool)
    is_staff[pair[staff]] = True
    is_staff = is_staff[pair]
    dwell, max_stay = figures.dwell[venue], figures.max_stay[venue]
    dwell = np.where(is_staff, np.maximum(dwell, policy.staff_dwell), dwell)
    max_stay = np.where(is_staff, np.maximum(max_stay, policy.staff_max_stay), max_stay)
    outs = np.sort(_key(pair[out], second[out]))
    last = np.searchsorted(outs, _key(pair, second + max_stay), side="right") - 1
    ended = np.where(last >= 0, outs[last] - (pair << 35), -1) if len(outs) else np.full(len(pair), -1)
    # An out of another pair comes out negative (its number is smaller) and is no later than the dwell.
    end = np.maximum(second + dwell, ended)
    return _Bound(np.where(out, second - dwell, second), np.where(out, second, end))


def _key(group: I64, second: I64) -> I64:
    return (group << 35) + second
