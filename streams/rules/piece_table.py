"""Pieces as columns, and the visits that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from streams.rules.columns import I64, Mask, OfPersons
from streams.rules.spans import merged


@dataclass(frozen=True, slots=True)
class PieceTable(OfPersons):
    """Pieces [start, end) in seconds UTC, as columns of equal length; persons and venues are dense indices.

    `persons`: how many persons are numbered, also those without a piece; unset, one more than the greatest index.
    """

    person: I64
    venue: I64
    start: I64
    end: I64
    inferred: Mask
    conflict: Mask
    staff: Mask
    persons: int = -1

    @classmethod
    def empty(cls, persons: int = 0) -> PieceTable:
        numbers, flags = np.empty(0, np.int64), np.empty(0, bool)
        return cls(numbers, numbers, numbers, numbers, flags, flags, flags, persons)

    def with_venue(self, venue: I64) -> PieceTable:
        """The same pieces under other venue indices, one a row."""
        return replace(self, venue=venue)

    def cut(self, start: int, end: int) -> PieceTable:
        """What lies within [start, end); nothing empty."""
        inside = replace(self, start=np.maximum(self.start, start), end=np.minimum(self.end, end))
        return inside.take(inside.start < inside.end)


def visits(pieces: PieceTable) -> PieceTable:
    """Touching or overlapping pieces of one person at one venue as one (rule 3), ordered by person, venue, start.

    A visit is inferred, in conflict, staff when one of its pieces is.
    """
    if not len(pieces):
        return pieces
    spans = merged(pieces.person, pieces.venue, pieces.start, pieces.end)
    ordered = pieces.take(spans.order)
    return PieceTable(
        ordered.person[spans.first],
        ordered.venue[spans.first],
        spans.start,
        spans.end,
        np.logical_or.reduceat(ordered.inferred, spans.first),
        np.logical_or.reduceat(ordered.conflict, spans.first),
        np.logical_or.reduceat(ordered.staff, spans.first),
        pieces.persons,
    )
