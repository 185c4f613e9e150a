"""Rule 11: what a venue counts on a day, and what days, areas and organisations make of it.

Every figure is worked out from sets of scans and registries, never added up as messages come (rule 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_NOBODY: U64 = np.empty(0, np.uint64)


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


def tally(code: U64, person: U64, second: I64, out: Mask, staff: Mask, void: Mask) -> Tally:
    """Scans of one venue and local day, as they lie there: some twice, some taken back. `person` by rule 2."""
    if not len(code):
        return Tally()
    order = np.lexsort((~void, staff, out, second, code))
    same = np.zeros(len(order), bool)
    same[1:] = True
    for column in (code, second, out, staff):
        ordered = column[order]
        same[1:] &= ordered[1:] == ordered[:-1]
    # The void one comes first among equals, so that the first of each group tells whether the group counts.
    keep = order[~same & ~void[order]]
    if not len(keep):
        return Tally()
    gone, of_staff = out[keep], staff[keep]
    return Tally(
        scans=len(keep),
        came=int((~gone).sum()),
        left=int(gone.sum()),
        staff=int(of_staff.sum()),
        last=int(second[keep].max()),
        venues=1,
        persons=np.unique(person[keep]),
        staff_persons=np.unique(person[keep][of_staff]),
    )


def total(parts: Iterable[Tally]) -> Tally:
    """Several venues as one: a person who was at two of them is one person."""
    parts = [part for part in parts if part.scans]
    if not parts:
        return Tally()
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
    return sets[0] if len(sets) == 1 else np.unique(np.concatenate(sets))


def ancestors(start: str | None, parent: Mapping[str, str | None]) -> list[str]:
    """The chain of parents, `start` included, nearest first. A circle in a registry ends where it closes."""
    found: list[str] = []
    at = start
    while at is not None and at not in found:
        found.append(at)
        at = parent.get(at)
    return found
