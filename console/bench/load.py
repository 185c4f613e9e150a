"""A load to measure with: scans of a made-up province, the same bytes for the same seed and first day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PEOPLE, VENUES, DAYS = 50_000, 2_000, 3
VENUES_OF_A_GATEWAY = 40
DAY = 86_400
LOCAL = 7 * 3_600


@dataclass(frozen=True, slots=True)
class Load:
    """`scans[i]` is one JSON object, in order of time; `gateway[i]` is the number of the gateway that sends it."""

    scans: list[bytes]
    gateway: list[int]

    def single(self) -> list[bytes]:
        """One scan a record."""
        return self.scans

    def batches(self, size: int) -> list[bytes]:
        """Arrays of `size` scans of one gateway each (its last one may be shorter), in order of their last scan."""
        open_: dict[int, list[bytes]] = {}
        done = []
        for gateway, scan in zip(self.gateway, self.scans, strict=True):
            waiting = open_.setdefault(gateway, [])
            waiting.append(scan)
            if len(waiting) == size:
                done.append(b"[" + b",".join(waiting) + b"]")
                waiting.clear()
        return done + [b"[" + b",".join(rest) + b"]" for rest in open_.values() if rest]


def made(scans: int, until: int, *, seed: int = 7, people: int = PEOPLE, venues: int = VENUES) -> Load:
    """`scans` scans of the `DAYS` local days before the one of `until` (seconds UTC).

    Venues are visited as in life, a few by thousands and most by some (1/rank); people go out between 5 and 22 o'clock,
    most in the morning and after work. One scan in five is an out, one in twenty is of staff.
    """
    rng = np.random.default_rng(seed)
    weight = 1 / (np.arange(venues) + 5.0)
    venue = rng.permutation(venues)[rng.choice(venues, scans, p=weight / weight.sum())]
    hours = np.array([1, 3, 6, 5, 3, 3, 4, 3, 2, 2, 3, 5, 6, 5, 4, 3, 1], float)
    second = (5 + rng.choice(len(hours), scans, p=hours / hours.sum())) * 3_600 + rng.integers(0, 3_600, scans)
    first = (until + LOCAL) // DAY - DAYS
    at = np.sort((first + rng.integers(0, DAYS, scans)) * DAY + second - LOCAL)
    code = 1_000_000_000 + rng.permutation(people * 17)[:people]
    person = code[rng.integers(0, people, scans)]
    gateway = venue // VENUES_OF_A_GATEWAY
    out, staff = rng.random(scans) < 0.2, rng.random(scans) < 0.05
    times = np.datetime_as_string(at.astype("datetime64[s]")).tolist()
    lines = [
        b'{"scan_id":"g%03d-%07d","venue_id":"VN-%05d","person":"%012d","scanned_at":"%sZ","gateway_id":"gw-%03d"%s%s}'
        % (g, i, v, p, t.encode(), g, b',"direction":"out"' if o else b"", b',"role":"staff"' if s else b"")
        for i, (g, v, p, t, o, s) in enumerate(
            zip(gateway.tolist(), venue.tolist(), person.tolist(), times, out.tolist(), staff.tolist(), strict=True)
        )
    ]
    return Load(lines, gateway.tolist())
