"""A small made-up town for tests that break things on the way: 24 people, 6 places, two days that are just over.

Small enough for the brute force to be asked many times, dense enough that whatever is lost, done twice or done in
another order changes an exposure: everybody meets everybody, cases are corrected and withdrawn, places are registered
late and anew, scans are taken back, some of it comes twice and some of it is refused.
"""

from __future__ import annotations

import json
import time
from random import Random
from typing import Any

from tests.pipeline.answers import Sent
from tests.simulation.badmessages import bad_scan

DAY = 86400
TYPES = ("restaurant", "market", "office", "shop", "bar", "vehicle")


class Town:
    """`messages`: all of it, in an order drawn by the seed; `slices(n)` the same in n parts."""

    def __init__(self, seed: int, *, scans: int = 500, cases: int = 6) -> None:
        self._rng = Random(f"{seed}/town")
        self._begin = (int(time.time()) - 2 * DAY) // 3600 * 3600
        self._people = [self._code(number) for number in range(24)]
        self._places = [f"place-{number}" for number in range(6)]
        made = self._scans(scans) + self._venues() + self._cases(cases)
        made += self._rng.sample(made, len(made) // 10)
        self._rng.shuffle(made)
        self.messages = made

    def slices(self, count: int) -> list[list[Sent]]:
        size = -(-len(self.messages) // count)
        return [self.messages[at : at + size] for at in range(0, len(self.messages), size)]

    @staticmethod
    def _code(number: int) -> str:
        twelve = f"{79_400_000_000 + number:012}"
        return (twelve, f"079|Tên|01011990|1|{twelve}|", f"HC{number:013}", f"thẻ số {number}")[number % 4]

    def _moment(self) -> int:
        """Mostly two busy lunches, an hour and a half each, of full minutes."""
        rng = self._rng
        if rng.random() < 0.15:
            return self._begin + rng.randrange(2 * DAY // 60 - 120) * 60
        return self._begin + rng.choice((6 * 3600, DAY)) + rng.randrange(90) * 60 + rng.choice((0, 0, 0, 30))

    def _scans(self, count: int) -> list[Sent]:
        rng, made = self._rng, []
        while len(made) < count:
            content: dict[str, Any] = {
                "scan_id": f"s{len(made)}",
                "venue_id": rng.choice(self._places),
                "person": rng.choice(self._people),
                "scanned_at": self._moment() * 1000,
                "gateway_id": f"g{rng.randrange(4)}",
                "direction": rng.choice(("in", "in", "out")),
                "role": "staff" if rng.random() < 0.05 else "visitor",
            }
            several = [content]
            if rng.random() < 0.06:
                several.append({**content, "void": True})
            values = [_json(one) for one in several]
            if rng.random() < 0.03:
                values.append(bad_scan(rng, content))
            if rng.random() < 0.2:
                made.append(Sent("scans", None, b"[" + b",".join(values) + b"]"))
            else:
                made += [Sent("scans", None, value) for value in values]
        return made

    def _venues(self) -> list[Sent]:
        rng, made = self._rng, []
        for place in self._places[1:]:  # nobody registers the first
            for version in range(rng.choice((1, 2, 4))):
                content = {
                    "venue_id": place,
                    "name": "Quán",
                    "type": rng.choice(TYPES),
                    "registered_at": (self._begin - 9 * DAY) * 1000,
                    "updated_at": (self._begin - 9 * DAY) * 1000 + version,
                }
                if rng.random() < 0.4:
                    content |= {"dwell_minutes": rng.randint(10, 90), "linger_minutes": rng.choice((0, 15))}
                made.append(Sent("venues", place.encode(), _json(content)))
        return made

    def _cases(self, count: int) -> list[Sent]:
        rng, made = self._rng, []
        for number in range(count):
            person = rng.choice(self._people)
            for version in range(rng.choice((1, 2, 3))):
                content = {
                    "case_id": f"case-{number}",
                    "person": person if rng.random() < 0.9 else rng.choice(self._people),
                    "status": "withdrawn" if version and rng.random() < 0.3 else "confirmed",
                    "sampled_at": (self._begin + rng.choice((DAY, 2 * DAY - 3600))) * 1000,
                    "reported_at": (self._begin + DAY) * 1000,
                    "reported_by": "desk",
                    "updated_at": (self._begin + DAY) * 1000 + version,
                }
                if rng.random() < 0.5:
                    content["onset_at"] = (self._begin + rng.randrange(0, DAY, 3600)) * 1000
                if rng.random() < 0.2:
                    content["isolated_at"] = (self._begin + rng.randrange(DAY, 2 * DAY, 3600)) * 1000
                made.append(Sent("cases", b"case-%d" % number, _json(content)))
        return made


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
