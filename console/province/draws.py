"""Random draws that are the same on every machine and every numpy.

numpy promises the raw bits of PCG64 for one seed, but not what its `Generator` methods make of them, and floating
sums and logarithms may differ by processor. So every draw here is whole-number arithmetic on those raw bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_HALF = np.uint64(32)


class Draws:
    """One independent stream of draws, named by a seed and further whole numbers (what for, which day)."""

    def __init__(self, seed: int, *name: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, *name]))

    def below(self, bound: int | Ints, size: int) -> Ints:
        """`size` whole numbers, each evenly in [0, bound); `bound` (one, or one for each) is 1 … 2**31."""
        high = self._bits.random_raw(size) >> _HALF
        scaled: Ints = ((high * np.asarray(bound, dtype=np.uint64)) >> _HALF).astype(np.int64)
        return scaled

    def between(self, low: int, high: int, size: int) -> Ints:
        """`size` whole numbers evenly in [low, high]."""
        return low + self.below(high - low + 1, size)

    def bell(self, low: int, high: int, size: int) -> Ints:
        """`size` whole numbers in [low, high], most of them near the middle (the sum of three even draws)."""
        third, rest = divmod(high - low, 3)
        total = self.below(third + 1, size) + self.below(third + 1, size) + self.below(third + 1 + rest, size)
        return low + total

    def chance(self, per_10000: int | Ints, size: int) -> Mask:
        """`size` yes or no, yes with the given share of 10,000 (one, or one for each)."""
        drawn: Mask = self.below(10_000, size) < per_10000
        return drawn

    def weighted(self, weights: Ints, size: int) -> Ints:
        """`size` positions in `weights` (whole, not all 0), each as often as its weight says."""
        running = np.cumsum(weights)
        return np.searchsorted(running, self.below(int(running[-1]), size), side="right").astype(np.int64)

    def shuffled(self, count: int) -> Ints:
        """The numbers 0 … count-1 in a drawn order."""
        # A stable sort keeps equal draws in their own order, whatever sorting code numpy picks for this processor.
        return np.argsort(self.below(2**31, count), kind="stable").astype(np.int64)
