"""Rule 6: F2, who shared a venue with an F1 after the F1 met the case. For all F1s of a case at once.

Each F1 is judged alone, as a case is judged by rule 5. So that a case with thousands of F1s stays a matter of seconds,
many F1s go into one call: the place where F1 number i stands at venue v is a place of its own, and who meets two F1s is
two persons there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.rules.distinct import distinct
from streams.rules.exposure import Episodes, ExposureTable, exposures
from streams.rules.figures import VenueFigures
from streams.rules.piece_table import PieceTable
from streams.rules.policy import Policy
from streams.rules.spans import merged, pairs_of_ranges

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

AT_ONCE = 1_000_000
"""Pairs of pieces in one call: bounds the memory, whatever the case."""

_LONG_AGO = -(1 << 40)


class Carriers(NamedTuple):
    """The F1s: their person numbers, each once, and the second from which each can carry: first exposed + latency."""

    person: I64
    begin: I64


class Crowd(NamedTuple):
    """A visit that is left out of K: more than `crowd_limit` others (`people`) had an overlapping piece."""

    person: int
    venue: int
    start: int
    end: int
    people: int


@dataclass(frozen=True, slots=True)
class Meetings:
    """Pairs of an F1 (its place in Carriers) and an F2 (person number) that reach the threshold, by F1, then F2.

    `episodes.person` is the pair's number; seconds counted once over all venues (rule 5).
    """

    carrier: I64
    person: I64
    seconds: I64
    direct: I64
    episodes: Episodes

    def __len__(self) -> int:
        return len(self.carrier)


class Visits(NamedTuple):
    """Visits (rule 3) as columns; `of_piece[i]` = the visit of piece i of `pieces`, which are in their order."""

    pieces: PieceTable
    of_piece: I64
    person: I64
    venue: I64
    start: I64
    end: I64


def visits_of(pieces: PieceTable) -> Visits:
    """Touching or overlapping pieces of one person at one venue as one, by person, venue, start."""
    spans = merged(pieces.person, pieces.venue, pieces.start, pieces.end)
    ordered = pieces.take(spans.order)
    sizes = np.diff(spans.first, append=len(pieces))
    return Visits(
        ordered,
        np.repeat(np.arange(len(spans.first)), sizes),
        ordered.person[spans.first],
        ordered.venue[spans.first],
        spans.start,
        spans.end,
    )


def carried(visits: Visits, carriers: Carriers, end: int) -> tuple[I64, I64]:
    """Visits that lie, at least in part, in their F1's [begin, end): (visit, place of the F1 in `carriers`)."""
    place = np.full(visits.pieces.persons, -1, np.int64)
    place[carriers.person] = np.arange(len(carriers.person))
    mine = place[visits.person]
    begin = np.where(mine >= 0, carriers.begin[mine] if len(carriers.begin) else 0, 0)
    which = np.flatnonzero((mine >= 0) & (visits.end > begin) & (visits.start < end) & (begin < end))
    return which, mine[which]


def infectious(pieces: PieceTable, carriers: Carriers, end: int, policy: Policy) -> tuple[PieceTable, list[Crowd]]:
    """K of every F1: its pieces cut to [begin, end), without those of crowds. `person` of K = its place in `carriers`.

    `pieces` are everybody's, the case's own and the F1s' included: they make a crowd as others do.
    """
    visits = visits_of(pieces)
    which, _ = carried(visits, carriers, end)
    people = _others_at(visits, which)
    crowded = people > policy.crowd_limit
    crowds = []
    for v, n in zip(which[crowded].tolist(), people[crowded].tolist(), strict=True):
        crowds.append(Crowd(int(visits.person[v]), int(visits.venue[v]), int(visits.start[v]), int(visits.end[v]), n))
    quiet = np.zeros(len(visits.start), bool)
    quiet[which[~crowded]] = True
    mine = visits.pieces.take(quiet[visits.of_piece])
    place = np.zeros(pieces.persons, np.int64)
    place[carriers.person] = np.arange(len(carriers.person))
    number = place[mine.person]
    start = np.maximum(mine.start, carriers.begin[number] if len(number) else mine.start)
    until = np.minimum(mine.end, end)
    cut = PieceTable(
        number, mine.venue, start, until, mine.inferred, mine.conflict, mine.staff, persons=len(carriers.person)
    )
    return cut.take(cut.start < cut.end), crowds


def _others_at(visits: Visits, which: I64) -> I64:
    """Of each of these visits: how many other persons had an overlapping piece at the venue.

    A piece overlaps a visit exactly when its own visit does. Who came several times counts once: at the first of their
    visits that overlaps, which is the one whose predecessor had ended by then.
    """
    before = np.full(len(visits.start), _LONG_AGO)
    again = (visits.person[1:] == visits.person[:-1]) & (visits.venue[1:] == visits.venue[:-1])
    before[1:][again] = visits.end[:-1][again]
    order = np.lexsort((visits.start, visits.venue))
    venue, start, end, before = visits.venue[order], visits.start[order], visits.end[order], before[order]
    first = np.searchsorted(venue, visits.venue[which], "left")
    last = np.searchsorted(_key(venue, start), _key(visits.venue[which], visits.end[which]), "left")
    found = np.zeros(len(which), np.int64)
    for i, (a, b, s) in enumerate(zip(first.tolist(), last.tolist(), visits.start[which].tolist(), strict=True)):
        found[i] = np.count_nonzero((end[a:b] > s) & (before[a:b] <= s))
    return found - 1  # themselves


def meetings(
    k: PieceTable, pieces: PieceTable, eligible: Mask, figures: VenueFigures, policy: Policy, venue_order: I64
) -> Meetings:
    """Who of the eligible (by person number: neither the case nor an F1) reached the threshold with which F1 alone.

    `k` as `infectious` gives it; `figures`, `venue_order` (rank of each venue's id) by the venue numbers of both.
    """
    theirs = pieces.take(eligible[pieces.person]) if len(pieces) else pieces
    k = k.take(np.argsort(k.person, kind="stable"))
    found = [
        _judged(part, pair, theirs, figures, policy, venue_order) for part, pair in _overlapping(k, theirs, figures)
    ]
    return _joined(found)


def _overlapping(k: PieceTable, theirs: PieceTable, figures: VenueFigures) -> Iterator[tuple[PieceTable, I64]]:
    """Parts of K, whole F1s each, with the pairs int64[2, n] (piece of the part, piece of theirs) that overlap there
    while the room is risky. Pieces are looked up by how long they are, or one long stay would make every look-up at
    its venue go back half a day."""
    length = theirs.end - theirs.start
    until = k.end + figures.linger[k.venue]
    classes = []
    low = 0
    while low < length.max(initial=0):
        most = max(2 * low, 512)
        members = np.flatnonzero((length > low) & (length <= most))
        members = members[np.lexsort((theirs.start[members], theirs.venue[members]))]
        low = most
        if len(members):
            key = _key(theirs.venue[members], theirs.start[members])
            first = np.searchsorted(key, _key(k.venue, k.start - most), "right")
            classes.append((members, first, np.searchsorted(key, _key(k.venue, until), "left")))
    if not len(k) or not classes:
        return
    work = np.cumsum(np.sum([np.maximum(last - first, 0) for _, first, last in classes], axis=0))
    ends = np.flatnonzero(np.append(k.person[1:] != k.person[:-1], True)) + 1  # behind the last piece of each F1
    begin = 0
    while begin < len(k):
        done = int(work[begin - 1]) if begin else 0
        fits = ends[(ends > begin) & (work[ends - 1] <= done + AT_ONCE)]
        stop = int(fits[-1]) if len(fits) else int(ends[np.searchsorted(ends, begin, "right")])
        found = []
        for members, first, last in classes:
            piece, at = pairs_of_ranges(first[begin:stop], last[begin:stop])
            other = members[at]
            overlap = theirs.end[other] > k.start[begin + piece]
            found.append(np.stack([piece[overlap], other[overlap]]))
        yield k.take(np.arange(begin, stop)), np.concatenate(found, axis=1)
        begin = stop


def _judged(
    k: PieceTable, pairs: I64, theirs: PieceTable, figures: VenueFigures, policy: Policy, venue_order: I64
) -> Meetings:
    venues, persons = len(figures), max(theirs.persons, 1)
    each = distinct(k.person[pairs[0]] * len(theirs) + pairs[1])  # a piece counts once, however many of K it overlaps
    carrier, other = each // max(len(theirs), 1), each % max(len(theirs), 1)
    who, pair = np.unique(carrier * persons + theirs.person[other], return_inverse=True)
    places, there = np.unique(k.person * venues + k.venue, return_inverse=True)
    at = np.searchsorted(places, carrier * venues + theirs.venue[other])
    table = _exposures_at(
        places % venues,
        _as_persons(k, np.zeros(len(k), np.int64), there, 1),
        _as_persons(theirs.take(other), pair, at, len(who)),
        figures,
        policy,
        venue_order,
    )
    reach = np.flatnonzero(table.is_f1)
    number = np.full(len(who), -1, np.int64)
    number[reach] = np.arange(len(reach))
    e = table.episodes
    e = e.take(number[e.person] >= 0)
    return Meetings(
        who[reach] // persons,
        who[reach] % persons,
        table.seconds[reach],
        table.direct[reach],
        replace(e, person=number[e.person], venue=places[e.venue] % venues),
    )


def _exposures_at(
    venue_of: I64, k: PieceTable, theirs: PieceTable, figures: VenueFigures, policy: Policy, venue_order: I64
) -> ExposureTable:
    """Rule 5 where place i is venue venue_of[i], with K cut already."""
    window = (int(k.start.min()), int(k.end.max())) if len(k) else (0, 0)
    return exposures(k, theirs, window, figures.take(venue_of), policy, venue_order[venue_of])


def _as_persons(pieces: PieceTable, person: I64, venue: I64, persons: int) -> PieceTable:
    return PieceTable(
        person, venue, pieces.start, pieces.end, pieces.inferred, pieces.conflict, pieces.staff, persons=persons
    )


def _joined(parts: list[Meetings]) -> Meetings:
    """Parts with F1s of their own, in the order of the F1s."""
    if not parts:
        none, no = np.empty(0, np.int64), np.empty(0, bool)
        return Meetings(none, none, none, none, Episodes(none, none, none, none, none, no, no, no, no))
    lift = np.cumsum([0] + [len(part) for part in parts]).tolist()
    lifted = [replace(p.episodes, person=p.episodes.person + n) for p, n in zip(parts, lift, strict=False)]
    return Meetings(
        np.concatenate([part.carrier for part in parts]),
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.seconds for part in parts]),
        np.concatenate([part.direct for part in parts]),
        Episodes.joined(lifted),
    )


def together(
    found: Meetings, k: PieceTable, pieces: PieceTable, figures: VenueFigures, policy: Policy, venue_order: I64
) -> tuple[I64, ExposureTable]:
    """What each F2 (person number, rising) shared with all F1s in its `via` taken together: rule 5 with K = the union
    of theirs, so that a second spent beside two F1s counts once. This is what a published F2 says of minutes."""
    persons, mine = np.unique(found.person, return_inverse=True)
    k = k.take(np.argsort(k.person, kind="stable"))
    first, last = (np.searchsorted(k.person, found.carrier, side) for side in ("left", "right"))
    pair, row = pairs_of_ranges(first, last)
    venues = len(figures)
    places, there = np.unique(mine[pair] * venues + k.venue[row], return_inverse=True)
    theirs = pieces.take(np.isin(pieces.person, persons)) if len(pieces) else pieces
    number = np.searchsorted(persons, theirs.person)
    place = np.minimum(np.searchsorted(places, number * venues + theirs.venue), max(len(places) - 1, 0))
    near = places[place] == number * venues + theirs.venue if len(places) else np.zeros(len(theirs), bool)
    case = _as_persons(k.take(row), np.zeros(len(row), np.int64), there, 1)
    others = _as_persons(theirs.take(near), number[near], place[near], len(persons))
    table = _exposures_at(places % venues if len(places) else places, case, others, figures, policy, venue_order)
    episodes = table.episodes
    real = replace(episodes, venue=places[episodes.venue] % venues if len(episodes) else episodes.venue)
    return persons, replace(table, episodes=real)


def _key(venue: I64, second: I64) -> I64:
    return (venue << 35) + second
