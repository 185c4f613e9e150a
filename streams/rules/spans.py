"""Unions of half-open spans, by group, in columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]


class Merged(NamedTuple):
    """Maximal spans. `order` sorts the input; `first[i]` = where, in that order, the members of span i begin."""

    order: I64
    first: I64
    start: I64
    end: I64


def merged(group: I64, part: I64, start: I64, end: I64) -> Merged:
    """Touching and overlapping spans of one (group, part) as one; ordered by group, part, start."""
    order = np.lexsort((end, start, part, group))
    group, part, start, end = group[order], part[order], start[order], end[order]
    if not len(order):
        return Merged(order, order, start, end)
    new_group = np.zeros(len(order), bool)
    new_group[1:] = (group[1:] != group[:-1]) | (part[1:] != part[:-1])
    # One running maximum over all groups: each group is lifted above the one before it.
    lift = np.cumsum(new_group).astype(np.int64) << 35
    reached = np.maximum.accumulate(end + lift)
    fresh = np.ones(len(order), bool)
    fresh[1:] = (start + lift)[1:] > reached[:-1]
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(order)) - 1
    return Merged(order, first, start[first], reached[last] - lift[last])


def pairs_of_ranges(low: I64, high: I64) -> tuple[I64, I64]:
    """Ranges [low[i], high[i]) → every (i, number in range i), by i."""
    count = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(low)), count)
    within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return which, low[which] + within
