"""A load to measure with: scans of a made-up province, the same bytes for the same seed and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PEOPLE, VENUES, DAYS = 50_000, 2_000, 3
VENUES_OF_A_GATEWAY = 40
DAY = 86_400
LOCAL = 7 * 3_600
_BY_HOUR = np.array([1, 3, 6, 5, 3, 3, 4, 3, 2, 2, 3, 5, 6, 5, 4, 3, 1], float)  # from 5 to 22 o'clock


@dataclass(frozen=True, slots=True)
class Load:
    """`scans[i]` is one JSON object, in order of time; `gateway[i]` is the number of the gateway that sends it.

    `content` int64[5, n] is what makes a scan the scan that it is (rule 1).
    """

    scans: list[bytes]
    gateway: list[int]
    content: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scans)

    def first(self, scans: int) -> Load:
        return Load(self.scans[:scans], self.gateway[:scans], self.content[:, :scans])

    def records(self, size: int) -> list[bytes]:
        """Values of records: one scan each, or arrays of `size` scans of one gateway (its last may be shorter)."""
        if size == 1:
            return self.scans
        open_: dict[int, list[bytes]] = {}
        done = []
        for gateway, scan in zip(self.gateway, self.scans, strict=True):
            waiting = open_.setdefault(gateway, [])
            waiting.append(scan)
            if len(waiting) == size:
                done.append(_array(waiting))
                waiting.clear()
        return done + [_array(rest) for rest in open_.values() if rest]


class Province:
    """`people` persons and `venues` venues; a few venues are visited by thousands and most by some (1/rank)."""

    def __init__(self, seed: int = 7, people: int = PEOPLE, venues: int = VENUES) -> None:
        self._rng = np.random.default_rng(seed)
        self._codes = 1_000_000_000 + self._rng.permutation(people * 17)[:people]
        weight = 1 / (self._rng.permutation(venues) + 5.0)
        self._weight = weight / weight.sum()

    def everybody(self, until: int) -> Load:
        """One scan of each person: after it a system has met all of them."""
        return self._load(np.arange(len(self._codes)), until)

    def days(self, scans: int, until: int) -> Load:
        """Scans of the `DAYS` local days before the one of `until` (seconds UTC).

        People go out between 5 and 22 o'clock, most in the morning and after work. One scan in five is an out, one in
        twenty is of staff.
        """
        return self._load(self._rng.integers(0, len(self._codes), scans), until)

    def _load(self, person: npt.NDArray[np.int64], until: int) -> Load:
        rng, n = self._rng, len(person)
        venue = rng.choice(len(self._weight), n, p=self._weight)
        hour = 5 + rng.choice(len(_BY_HOUR), n, p=_BY_HOUR / _BY_HOUR.sum())
        day = (until + LOCAL) // DAY - DAYS + rng.integers(0, DAYS, n)
        at = np.sort(day * DAY + hour * 3_600 + rng.integers(0, 3_600, n) - LOCAL)
        gateway = venue // VENUES_OF_A_GATEWAY
        out, staff = rng.random(n) < 0.2, rng.random(n) < 0.05
        columns = (gateway, venue, self._codes[person], out, staff)
        times = np.datetime_as_string(at.astype("datetime64[s]")).tolist()
        scans = [
            b'{"scan_id":"g%03d-%07d","venue_id":"VN-%05d","person":"%012d","scanned_at":"%sZ","gateway_id":"gw-%03d"%s%s}'
            % (g, i, v, p, t.encode(), g, b',"direction":"out"' if o else b"", b',"role":"staff"' if s else b"")
            for i, (t, g, v, p, o, s) in enumerate(zip(times, *(c.tolist() for c in columns), strict=True))
        ]
        return Load(scans, gateway.tolist(), np.stack([at, venue, person, out, staff]))


def distinct(*loads: Load) -> int:
    """How many different scans they are: so many must be in the graph afterwards."""
    return int(np.unique(np.concatenate([load.content for load in loads], axis=1), axis=1).shape[1])


def _array(scans: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(scans) + b"]"
