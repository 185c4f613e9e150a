"""Rule 5: what persons shared with one case, for all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.rules.figures import VenueFigures
from streams.rules.pieces import PieceTable
from streams.rules.policy import Policy
from streams.rules.spans import Merged, merged, pairs_of_ranges

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Episode(NamedTuple):
    """A maximal shared span at one venue. Flags are of either side; `staff` the contact's, `case_staff` the case's."""

    venue: int
    start: int
    end: int
    direct: int
    indirect: int
    inferred: bool
    conflict: bool
    staff: bool
    case_staff: bool


class Row(NamedTuple):
    """One F1: its episodes are [first_episode, last_episode) of the table; seconds counted once over all venues."""

    person: int
    first_episode: int
    last_episode: int
    seconds: int
    direct: int
    indirect: int


@dataclass(frozen=True, slots=True)
class Episodes:
    """Columns of Episode, ordered by person, start, end, venue (as ranked by the caller)."""

    person: I64
    venue: I64
    start: I64
    end: I64
    direct: I64
    inferred: Mask
    conflict: Mask
    staff: Mask
    case_staff: Mask

    def __len__(self) -> int:
        return len(self.person)

    @classmethod
    def joined(cls, parts: Sequence[Episodes]) -> Episodes:
        """All rows of the parts (at least one), one part after the other."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def take(self, which: I64 | Mask) -> Episodes:
        """The rows of a mask or of indices."""
        return Episodes(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class ExposureTable:
    """`first`, `last`, `seconds`, `direct`, `is_f1` by person index of the others, also of those who shared nothing."""

    episodes: Episodes
    first: I64
    last: I64
    seconds: I64
    direct: I64
    is_f1: Mask

    def f1(self) -> Iterator[Row]:
        """The contacts, by person index."""
        persons = np.flatnonzero(self.is_f1)
        columns = (c[persons].tolist() for c in (self.first, self.last, self.seconds, self.direct))
        for person, first, last, seconds, direct in zip(persons.tolist(), *columns, strict=True):
            yield Row(person, first, last, seconds, direct, seconds - direct)

    def all_episodes(self) -> list[Episode]:
        """By number. Thousands at once cost a tenth of as many calls of `episode`."""
        e = self.episodes
        columns = (e.venue, e.start, e.end, e.direct, e.end - e.start - e.direct)
        flags = (e.inferred, e.conflict, e.staff, e.case_staff)
        return list(map(Episode._make, zip(*(c.tolist() for c in (*columns, *flags)), strict=True)))

    def episode(self, index: int) -> Episode:
        e = self.episodes
        start, end, direct = int(e.start[index]), int(e.end[index]), int(e.direct[index])
        return Episode(
            int(e.venue[index]),
            start,
            end,
            direct,
            end - start - direct,
            bool(e.inferred[index]),
            bool(e.conflict[index]),
            bool(e.staff[index]),
            bool(e.case_staff[index]),
        )


def exposures(
    case_pieces: PieceTable,
    their_pieces: PieceTable,
    window: tuple[int, int],
    figures: VenueFigures,
    policy: Policy,
    venue_order: I64,
) -> ExposureTable:
    """Exposure of everybody in `their_pieces` to the one person of `case_pieces` within the window [start, end).

    Both tables number the venues alike; `figures` and `venue_order` (rank of each venue's id) are by that number. The
    case's own person is no contact (rule 5): the caller, who knows who is who, leaves them out.
    """
    persons = their_pieces.persons
    infectious = case_pieces.cut(*window)
    episodes, direct_spans = _episodes(infectious, their_pieces, figures, venue_order)
    number = np.arange(persons)
    first = np.searchsorted(episodes.person, number, side="left")
    last = np.searchsorted(episodes.person, number, side="right")
    seconds = _seconds_once(episodes.person, episodes.start, episodes.end, persons)
    direct = _seconds_once(*direct_spans, persons)
    is_f1 = _reaching(episodes, first, last, seconds, policy.min_minutes * 60, policy.within_hours * 3600)
    return ExposureTable(episodes, first, last, seconds, direct, is_f1)


class _PieceSpans(NamedTuple):
    """Pieces and their unions by (person, venue): `pieces` ordered so that span i has pieces [first[i], first[i+1])."""

    pieces: PieceTable
    spans: Merged
    person: I64
    venue: I64

    def members(self, span: I64) -> tuple[I64, I64]:
        ends = np.append(self.spans.first[1:], len(self.pieces))
        return self.spans.first[span], ends[span]


def _unions(pieces: PieceTable) -> _PieceSpans:
    spans = merged(pieces.person, pieces.venue, pieces.start, pieces.end)
    ordered = pieces.take(spans.order)
    return _PieceSpans(ordered, spans, ordered.person[spans.first], ordered.venue[spans.first])


def _episodes(
    infectious: PieceTable, theirs: PieceTable, figures: VenueFigures, venue_order: I64
) -> tuple[Episodes, tuple[I64, I64, I64]]:
    """Episodes of everybody, and their direct spans as (person, start, end)."""
    # K is cut before it is prolonged: lingering air outlives the window (rule 5).
    lingering = PieceTable(
        np.zeros(len(infectious), np.int64),
        infectious.venue,
        infectious.start,
        infectious.end + figures.linger[infectious.venue],
        infectious.inferred,
        infectious.conflict,
        infectious.staff,
    )
    own, risky, there = _unions(infectious), _unions(lingering), _unions(theirs)

    span, risk = _overlapping(there.venue, there.spans.start, there.spans.end, risky.venue, risky.spans)
    start = np.maximum(there.spans.start[span], risky.spans.start[risk])
    end = np.minimum(there.spans.end[span], risky.spans.end[risk])
    person, venue = there.person[span], there.venue[span]
    order = np.lexsort((venue_order[venue], end, start, person))
    span, risk, start, end, person, venue = (c[order] for c in (span, risk, start, end, person, venue))

    at, direct = _overlapping(venue, start, end, own.venue, own.spans)
    direct_start = np.maximum(start[at], own.spans.start[direct])
    direct_end = np.minimum(end[at], own.spans.end[direct])
    seconds = np.zeros(len(person), np.int64)
    np.add.at(seconds, at, direct_end - direct_start)

    theirs_under = _under(start, end, there, span)
    case_under = _under(start, end, risky, risk)
    episodes = Episodes(
        person,
        venue,
        start,
        end,
        seconds,
        theirs_under.inferred | case_under.inferred,
        theirs_under.conflict | case_under.conflict,
        theirs_under.staff,
        case_under.staff,
    )
    return episodes, (person[at], direct_start, direct_end)


def _overlapping(venue: I64, start: I64, end: I64, at_venue: I64, spans: Merged) -> tuple[I64, I64]:
    """All pairs (i, j) where span i and span j of the case overlap at one venue. The case's are disjoint there."""
    low = np.searchsorted(_key(at_venue, spans.end), _key(venue, start), side="right")
    high = np.searchsorted(_key(at_venue, spans.start), _key(venue, end), side="left")
    return pairs_of_ranges(low, high)


def _key(venue: I64, second: I64) -> I64:
    return (venue << 35) + second


class _Flags(NamedTuple):
    inferred: Mask
    conflict: Mask
    staff: Mask


def _under(start: I64, end: I64, side: _PieceSpans, span: I64) -> _Flags:
    """Flags of the pieces under each episode: those of its span that overlap it.

    On the case's side the pieces are the prolonged ones: what is inferred about a stay is inferred about its air.
    """
    episode, piece = pairs_of_ranges(*side.members(span))
    p = side.pieces
    touches = (p.start[piece] < end[episode]) & (p.end[piece] > start[episode])
    episode, piece = episode[touches], piece[touches]
    flags = []
    for column in (p.inferred, p.conflict, p.staff):
        found = np.zeros(len(start), bool)
        found[episode[column[piece]]] = True
        flags.append(found)
    return _Flags(*flags)


def _seconds_once(person: I64, start: I64, end: I64, persons: int) -> I64:
    """Seconds of each person in the union of spans, whatever the venue."""
    spans = merged(person, np.zeros(len(person), np.int64), start, end)
    total = np.zeros(persons, np.int64)
    np.add.at(total, person[spans.order][spans.first], spans.end - spans.start)
    return total


def _reaching(e: Episodes, first: I64, last: I64, seconds: I64, threshold: int, within: int) -> Mask:
    """Who is F1: the episodes that start in some [s, s + within) reach the threshold, each counted whole.

    A second that two of these episodes share (at two venues) counts once here as everywhere in rule 5. A second of an
    episode that starts outside the span does not count for it, even where it overlaps.
    """
    reaching = seconds >= threshold
    some = reaching & (last > first)
    # All starts within one span: the episodes of that span are all there are. Left: who was met over a longer time.
    starts = np.where(some, first, 0), np.where(some, last - 1, 0)
    longer = np.flatnonzero(some)
    if len(longer):
        longer = longer[(e.start[starts[1]] - e.start[starts[0]])[longer] >= within]
    for person in longer.tolist():
        low, high = int(first[person]), int(last[person])
        reaching[person] = _reaches(e.start[low:high].tolist(), e.end[low:high].tolist(), threshold, within)
    return reaching


def _reaches(start: list[int], end: list[int], threshold: int, within: int) -> bool:
    """The same for one person, episodes in the order of their start."""
    for i, s in enumerate(start):
        total, reached = 0, s
        for j in range(i, len(start)):
            if start[j] >= s + within:
                break
            total += max(0, end[j] - max(start[j], reached))
            reached = max(reached, end[j])
            if total >= threshold:
                return True
    return False
