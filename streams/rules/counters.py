"""Rule 11: what a venue counts on a day, and what days, areas and organisations make of it.

Every figure is worked out from sets of scans and registries, never added up as messages come (rule 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.rules.distinct import distinct, stands_at

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_NOBODY: U64 = np.empty(0, np.uint64)


class Seen(NamedTuple):
    """The scans of a venue day that count: a number for each, sorted, and whose it is (uint64)."""

    stamps: U64
    owners: U64

    def moved(self, new: Seen) -> U64:
        """Whose scans are other ones in `new`."""
        went = ~np.isin(self.stamps, new.stamps, assume_unique=True)
        came = ~np.isin(new.stamps, self.stamps, assume_unique=True)
        # Linked meanwhile: the same scan, and another person's now.
        both = np.intersect1d(self.stamps, new.stamps, assume_unique=True)
        before = self.owners[np.searchsorted(self.stamps, both)]
        after = new.owners[np.searchsorted(new.stamps, both)]
        other = before != after
        return np.concatenate([self.owners[went], new.owners[came], before[other], after[other]])


NOT_SEEN = Seen(_NOBODY, _NOBODY)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was seen at some place on one day. `persons`, `staff_persons`: who, sorted, each once (uint64); `last` =
    second UTC of the last scan; `venues` = how many venues with a scan are in it."""

    scans: int = 0
    came: int = 0
    left: int = 0
    staff: int = 0
    last: int = 0
    venues: int = 0
    persons: U64 = field(default_factory=lambda: _NOBODY)
    staff_persons: U64 = field(default_factory=lambda: _NOBODY)


def tallies(
    count: int, place: I64, code: U64, person: U64, second: I64, out: Mask, staff: Mask, void: Mask
) -> tuple[list[Tally], list[Seen]]:
    """Scans of one local day at `count` venues, as they lie there: some twice, some taken back. `place[i]` in
    [0, count) is the venue of a scan, `person` its person by rule 2. One tally and one set of scans for each venue."""
    order = np.lexsort((~void, staff, out, second, code, place))
    same = np.zeros(len(order), bool)
    same[1:] = True
    for column in (place, code, second, out, staff):
        ordered = column[order]
        same[1:] &= ordered[1:] == ordered[:-1]
    # The void one comes first among equals, so that the first of each group tells whether the group counts.
    keep = order[~same & ~void[order]]
    where, gone, of_staff = place[keep], out[keep], staff[keep]
    scans = np.bincount(where, minlength=count).tolist()
    left = np.bincount(where[gone], minlength=count).tolist()
    staffed = np.bincount(where[of_staff], minlength=count).tolist()
    last = np.zeros(count, np.int64)
    np.maximum.at(last, where, second[keep])
    persons = _split(count, *_distinct(where, person[keep]))
    staff_persons = _split(count, *_distinct(where[of_staff], person[keep][of_staff]))
    stamps = stamps_of(code[keep], second[keep], gone, of_staff)
    ordered = np.lexsort((stamps, where))
    stamp_of = _split(count, where[ordered], stamps[ordered])
    owner_of = _split(count, where[ordered], person[keep][ordered])
    made = [
        Tally(n, n - left[i], left[i], staffed[i], int(last[i]), 1, persons[i], staff_persons[i]) if n else Tally()
        for i, n in enumerate(scans)
    ]
    return made, [Seen(stamps, owners) for stamps, owners in zip(stamp_of, owner_of, strict=True)]


def more(tally: Tally, seen: Seen, stamps: U64, person: U64, second: I64, out: Mask, staff: Mask) -> tuple[Tally, Seen]:
    """A venue day and scans that were added to it, where none was ever taken back; `stamps` by `stamps_of`. The same
    objects when it had all of them."""
    order = np.argsort(stamps, kind="stable")
    ordered = stamps[order]
    place = np.searchsorted(seen.stamps, ordered)
    fresh = ~stands_at(place, ordered, seen.stamps)
    fresh[1:] &= ordered[1:] != ordered[:-1]
    new, place = order[fresh], place[fresh]
    if not len(new):
        return tally, seen
    grown = Seen(*_inserted(place, (seen.stamps, ordered[fresh]), (seen.owners, person[new])))
    left, of_staff = int(np.count_nonzero(out[new])), staff[new]
    return (
        Tally(
            tally.scans + len(new),
            tally.came + len(new) - left,
            tally.left + left,
            tally.staff + int(np.count_nonzero(of_staff)),
            max(tally.last, int(second[new].max())),
            1,
            _added(tally.persons, person[new]),
            _added(tally.staff_persons, person[new][of_staff]),
        ),
        grown,
    )


def _inserted(place: I64, *columns: tuple[U64, U64]) -> list[U64]:
    """np.insert of (had, more) for columns with the same places: a busy minute does this for thousands of venues, and
    what np.insert looks at first takes longer than the work."""
    rows = place + np.arange(len(place))
    old = np.ones(len(columns[0][0]) + len(place), bool)
    old[rows] = False
    made = []
    for had, more_ in columns:
        column = np.empty(len(old), np.uint64)
        column[rows], column[old] = more_, had
        made.append(column)
    return made


def _added(among: U64, values: U64) -> U64:
    """Sorted numbers and some more, each once."""
    if not len(values):
        return among
    values = distinct(values)
    place = np.searchsorted(among, values)
    fresh = ~stands_at(place, values, among)
    if not fresh.any():
        return among
    return _inserted(place[fresh], (among, values[fresh]))[0]


def _distinct(where: I64, who: U64) -> tuple[I64, U64]:
    """Each pair once, sorted."""
    order = np.lexsort((who, where))
    where, who = where[order], who[order]
    fresh = np.ones(len(who), bool)
    fresh[1:] = (where[1:] != where[:-1]) | (who[1:] != who[:-1])
    return where[fresh], who[fresh]


def _split(count: int, where: I64, values: U64) -> list[U64]:
    """Values by place; `where` is sorted. Copies, or the smallest of them would keep all in memory."""
    bounds = np.searchsorted(where, np.arange(count + 1)).tolist()
    return [values[i:j].copy() for i, j in pairwise(bounds)]


def stamps_of(code: U64, second: I64, out: Mask, staff: Mask) -> U64:
    """A number for each scan, the same for the same scan (rule 1) and another for another one."""
    flags = (out.astype(np.uint64) << np.uint64(1)) | staff.astype(np.uint64)
    h: U64 = code ^ (((second.astype(np.uint64) << np.uint64(2)) | flags) * np.uint64(0x9E3779B97F4A7C15))
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def total(parts: Iterable[Tally]) -> Tally:
    """Several venues as one: a person who was at two of them is one person."""
    parts = [part for part in parts if part.scans]
    if len(parts) < 2:
        return parts[0] if parts else Tally()
    return Tally(
        scans=sum(p.scans for p in parts),
        came=sum(p.came for p in parts),
        left=sum(p.left for p in parts),
        staff=sum(p.staff for p in parts),
        last=max(p.last for p in parts),
        venues=sum(p.venues for p in parts),
        persons=_union([p.persons for p in parts]),
        staff_persons=_union([p.staff_persons for p in parts]),
    )


def _union(sets: list[U64]) -> U64:
    return sets[0] if len(sets) == 1 else distinct(np.concatenate(sets))


def ancestors(start: str | None, parent: Mapping[str, str | None]) -> list[str]:
    """The chain of parents, `start` included, nearest first. A circle in a registry ends where it closes."""
    found: list[str] = []
    at = start
    while at is not None and at not in found:
        found.append(at)
        at = parent.get(at)
    return found
