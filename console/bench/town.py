"""A load to trace in: fourteen days of a town whose busy places are as busy in a town of any size.

A fifth of all scans are at busy venues (markets, say), one for each 50,000 scans: some 700 check-ins a day each. So a
case that goes to the same places meets as many people among a million scans as among ten.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

DAYS = 14
SCANS_A_PERSON = 16
SCANS_A_BUSY_VENUE = 50_000
BUSY_SHARE = 0.2
A_RECORD = 50
DAY, LOCAL = 86_400, 7 * 3_600
_CHUNK = 250_000
_I64 = npt.NDArray[np.int64]
Number = TypeVar("Number", int, npt.NDArray[np.int64])


class Columns(NamedTuple):
    """Scans: numbers of venues, numbers on cards, seconds UTC, whether it is a check-out."""

    venue: _I64
    code: _I64
    at: _I64
    out: npt.NDArray[np.bool_]


class Town:
    """The same scans for the same size and day, on the local `days` before `until` (seconds UTC).
    `venues_from`: the number of its first venue; another town has other venues, and the same people."""

    def __init__(
        self, scans: int, until: int, seed: int = 5, venues_from: int = 0, days: int = DAYS, people_from: int = 0
    ) -> None:
        self.venues_from, self.days, self.people_from = venues_from, days, people_from
        self.scans = scans
        self.people = max(scans // SCANS_A_PERSON, 100)
        self.busy = max(scans // SCANS_A_BUSY_VENUE, 3)
        self.quiet = max(scans // 350, 10)
        self.first_day = (until + LOCAL) // DAY - days
        self._seed = seed

    def records(self) -> Iterator[tuple[bytes, int]]:
        """Values for `scans` (arrays of up to 50) and how many scans each holds, in no order of time."""
        first = 0
        for columns in self.columns():
            yield from _arrays(first, *columns)
            first += len(columns.venue)

    def columns(self) -> Iterator[Columns]:
        """The same scans in the same order, some 250,000 at a time."""
        rng = np.random.default_rng(self._seed)
        for first in range(0, self.scans, _CHUNK):
            n = min(_CHUNK, self.scans - first)
            busy = rng.random(n) < BUSY_SHARE
            venue = np.where(busy, rng.integers(0, self.busy, n), self.busy + rng.integers(0, self.quiet, n))
            day = self.first_day + rng.integers(0, self.days, n)
            at = day * DAY - LOCAL + rng.integers(6 * 3_600, 22 * 3_600, n)
            out = rng.random(n) < 0.2
            code = code_number(self.people_from + rng.integers(0, self.people, n))
            yield Columns(self.venues_from + venue, code, at, out)

    def code(self, person: int) -> bytes:
        return b"%012d" % code_number(self.people_from + person)

    def stay(self, day: int, hour: float, hours: float) -> tuple[int, int]:
        """Begin and end (seconds UTC) of an outing on one of the days (0 to 13)."""
        begin = int((self.first_day + day) * DAY - LOCAL + hour * 3_600)
        return begin, begin + int(hours * 3_600)

    def outing(self, person: int, day: int, hour: float, venue: int, hours: float, number: int) -> bytes:
        """Two scans of a person in one record: in at a venue on one of the days (0 to 13), and out again."""
        begin, end = self.stay(day, hour, hours)
        scans = [(begin, b""), (end, b',"direction":"out"')]
        return b"[%s]" % b",".join(
            _scan(number * 2 + i, self.venues_from + venue, self.code(person), text, more)
            for i, (text, more) in enumerate((time_text(at), more) for at, more in scans)
        )


def code_number(person: Number) -> Number:
    """The code on the card of a person (or of many), which is a number of twelve digits."""
    return 10_000_000 + 7 * person


def time_text(second: int) -> bytes:
    return str(np.datetime64(second, "s")).encode() + b"Z"


def _arrays(first: int, venue: _I64, code: _I64, at: _I64, out: npt.NDArray[np.bool_]) -> Iterator[tuple[bytes, int]]:
    times = np.datetime_as_string(at.astype("datetime64[s]")).tolist()
    scans = [
        _scan(first + i, v, b"%012d" % c, t.encode() + b"Z", b',"direction":"out"' if o else b"")
        for i, (v, c, t, o) in enumerate(zip(venue.tolist(), code.tolist(), times, out.tolist(), strict=True))
    ]
    for i in range(0, len(scans), A_RECORD):
        part = scans[i : i + A_RECORD]
        yield b"[" + b",".join(part) + b"]", len(part)


def _scan(number: int, venue: int, code: bytes, at: bytes, more: bytes) -> bytes:
    return b'{"scan_id":"t-%09d","venue_id":"VN-%06d","person":"%s","scanned_at":"%s","gateway_id":"gw-1"%s}' % (
        number,
        venue,
        code,
        at,
        more,
    )
