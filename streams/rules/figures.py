"""The figures of venues that rules 3 and 5 go by: the venue's own first, else its type's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streams.rules.policy import Policy

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class VenueFigures:
    """Seconds, int64 by venue index. `reach` = the longest piece that any scan there can mean, staff included."""

    dwell: I64
    max_stay: I64
    linger: I64
    reach: I64

    @classmethod
    def of(
        cls,
        policy: Policy,
        types: Sequence[str],
        dwell_minutes: Sequence[int | None],
        max_stay_minutes: Sequence[int | None],
        linger_minutes: Sequence[int | None],
    ) -> VenueFigures:
        """Figures of venues with these types and own figures (None = the type's). A type unknown counts as `other`."""
        kinds = [policy.venue_type(name) for name in types]
        dwell = _seconds(dwell_minutes, [kind.dwell for kind in kinds])
        max_stay = np.maximum(_seconds(max_stay_minutes, [kind.max_stay for kind in kinds]), dwell)
        reach = np.maximum(max_stay, max(policy.staff_dwell, policy.staff_max_stay))
        return cls(dwell, max_stay, _seconds(linger_minutes, [kind.linger for kind in kinds]), reach)

    @classmethod
    def empty(cls, count: int) -> VenueFigures:
        """`count` venues, all figures 0, to be filled."""
        return cls(*(np.zeros(count, np.int64) for _ in range(4)))

    def fill(self, index: I64, other: VenueFigures) -> None:
        """Venue i of `other` is venue index[i] here."""
        self.dwell[index] = other.dwell
        self.max_stay[index] = other.max_stay
        self.linger[index] = other.linger
        self.reach[index] = other.reach

    def take(self, index: I64) -> VenueFigures:
        """Venue i of the result is venue index[i] here."""
        return VenueFigures(self.dwell[index], self.max_stay[index], self.linger[index], self.reach[index])

    def __len__(self) -> int:
        return len(self.dwell)


def _seconds(own: Sequence[int | None], of_type: Sequence[int]) -> I64:
    pairs = zip(own, of_type, strict=True)
    return np.array([(kind if minutes is None else minutes) * 60 for minutes, kind in pairs], np.int64)
