"""Rule 8: how many were at the places of a case while it was there and infectious."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.rules.distinct import distinct
from streams.rules.piece_table import PieceTable, visits

Mask = npt.NDArray[np.bool_]


class Visited(NamedTuple):
    """An infectious visit. `venue` as the case's pieces number it; `people` = others with an overlapping piece, `f1` of
    them who are F1 of the case."""

    venue: int
    start: int
    end: int
    people: int
    f1: int


def visits_with_people(
    case: PieceTable, window: tuple[int, int], others: PieceTable, is_f1: Mask, venue_there: Sequence[int]
) -> list[Visited]:
    """Each visit of the case (its pieces: one person) cut to the window. `venue_there[v]` = the number by which the
    others' pieces call the case's venue v (-1: nobody was there), `is_f1` by their person numbers."""
    found = []
    cut = visits(case).cut(*window)
    order = np.argsort(others.venue, kind="stable")
    ordered = others.venue[order]
    for venue, start, end in zip(cut.venue.tolist(), cut.start.tolist(), cut.end.tolist(), strict=True):
        there = venue_there[venue]
        at = order[np.searchsorted(ordered, there, "left") : np.searchsorted(ordered, there, "right")]
        present = distinct(others.person[at[(others.start[at] < end) & (others.end[at] > start)]])
        found.append(Visited(venue, start, end, len(present), int(is_f1[present].sum())))
    return found
