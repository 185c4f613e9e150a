"""Rules 1 and 2 on sets of scans: which scans there are, and which of them make pieces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streams.rules.columns import I64, Mask, OfPersons
from streams.rules.days import local_day


@dataclass(frozen=True, slots=True)
class ScanTable(OfPersons):
    """Scans as columns of equal length, in any order.

    `person`, `venue`, `code`: dense indices (from 0) that the caller gives; `code` tells the codes of one person apart.
    `second` UTC. `persons`: how many persons are numbered, also those without a scan here; unset, one more than the
    greatest index.
    """

    person: I64
    venue: I64
    second: I64
    out: Mask
    staff: Mask
    void: Mask
    code: I64
    persons: int = -1


def distinct_unvoided(scans: ScanTable) -> ScanTable:
    """Each scan once, without those that a void takes back (rule 1), ordered by code, venue and time.

    A scan is its (code, second, venue, direction, role); two codes of one person are two scans.
    """
    if not len(scans):
        return scans
    # Two numbers to sort by, not six: where, and what. The void one comes first among equals, so that the first of each
    # group tells whether the group stands.
    where = scans.code << 32 | scans.venue
    what = scans.second << 3 | scans.out.astype(np.int64) << 2 | scans.staff.astype(np.int64) << 1 | ~scans.void
    order = np.lexsort((what, where))
    where, scan = where[order], what[order] >> 1
    first = np.ones(len(order), bool)
    first[1:] = (where[1:] != where[:-1]) | (scan[1:] != scan[:-1])
    return scans.take(order[first & ~scans.void[order]])


def without_shared_codes(scans: ScanTable, limit: int) -> ScanTable:
    """Scans (distinct, unvoided) less those of a code's local days with more than `limit` of them (rule 2).

    What is counted is the set of distinct scans that are not taken back: a message that comes twice is one scan
    (rule 0), and what a void removes is removed "for ever", so it cannot make a card shared either. Counting messages
    would make the answer hang on redelivery. What is left out here is as if never read by rule 3: it makes no piece,
    ends none, cuts none, and makes no other scan a staff scan.
    """
    if not len(scans):
        return scans
    return scans.take(~shared(scans, limit))


def shared(scans: ScanTable, limit: int) -> Mask:
    """Which scans (distinct, unvoided) are of a shared card on their day."""
    # Day numbers until 2100 fit in 16 bits.
    _, place, count = np.unique(scans.code << 16 | local_day(scans.second), return_inverse=True, return_counts=True)
    return np.asarray(count[place] > limit)
