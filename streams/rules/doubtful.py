"""Scans of a day that cannot all be one person's: shared cards (rule 2), and in two places at once (rule 3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.rules.distinct import distinct
from streams.rules.scans import ScanTable, distinct_unvoided, shared

I64 = npt.NDArray[np.int64]


class Doubts(NamedTuple):
    """`shared`: codes with too many scans; `conflicts`: persons in two places (both indices as in the scans).
    `…_at[venue]`: how many of them were there."""

    shared: I64
    conflicts: I64
    shared_at: I64
    conflicts_at: I64


NOTHING = Doubts(*(np.empty(0, np.int64) for _ in Doubts._fields))


def doubtful(scans: ScanTable, venues: int, *, limit: int, apart: int) -> Doubts:
    """All scans of one local day as they lie at `venues` venues, some twice, some taken back.

    Shared: more than `limit` scans of a code. In two places: two *in* scans of a person at two venues less than `apart`
    seconds from each other; shared cards are left out of that, since rule 3 makes no piece of them.
    """
    scans = distinct_unvoided(scans)
    of_card = shared(scans, limit) if len(scans) else np.empty(0, bool)
    cards, came = scans.take(of_card), scans.take(~of_card & ~scans.out)
    came = came.take(np.lexsort((came.second, came.person)))
    # Of two scans close together at two venues there is always a pair of neighbours that is as well.
    near = (came.person[1:] == came.person[:-1]) & (came.venue[1:] != came.venue[:-1])
    at = np.flatnonzero(near & (came.second[1:] - came.second[:-1] < apart))
    both = came.take(np.concatenate([at, at + 1]))
    return Doubts(
        distinct(cards.code),
        distinct(both.person),
        _at(venues, cards.venue, cards.code),
        _at(venues, both.venue, both.person),
    )


def _at(venues: int, venue: I64, who: I64) -> I64:
    """How many different ones at each venue."""
    pairs = np.unique(np.stack([venue, who]), axis=1)
    return np.bincount(pairs[0], minlength=venues)
