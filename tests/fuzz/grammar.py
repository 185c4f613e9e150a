"""Good messages of every input topic: the published examples (schemas/examples), with ids, codes and times drawn anew
from pools, so that what is accepted hangs together: people meet, cases are corrected, codes are linked and erased."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from random import Random
from typing import Any

from tests.pipeline.system import KEY
from tests.reference.codes import canonical, pseudonym

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
TOPICS = {
    "scans": "scan",
    "venues": "venue",
    "organisations": "organisation",
    "gateways": "gateway",
    "coverage": "coverage",
    "cases": "case",
    "people": "person",
    "decisions": "decision",
    "policies": "policy",
    "evaluate": "evaluate",
    "combine": "combine",
}
"""Topic → its folder of examples. The last two are our own; whoever reaches Kafka can write to them all the same."""

KEYS = {"venues": "venue_id", "cases": "case_id", "gateways": "gateway_id", "policies": "id", "evaluate": "case_id"}

DAY = 86_400
CANARY = re.compile("07960(?:[0-9]{7}| số|%20s)")
"""In every code that is drawn here: found anywhere but in a sealed payload, it is a leak."""


def _examples(name: str) -> list[dict[str, Any]]:
    found = []
    for file in sorted((EXAMPLES / name).glob("*.json")):
        if not file.name.startswith(("unknown-big", "unknown-half")):  # no Python holds these
            content = json.loads(file.read_bytes())
            found += content if isinstance(content, list) else [content]
    assert found, f"no examples of {name}"
    return found


class Grammar:
    """`size`: about how many messages there will be; the pools grow with it, so that a million of them do not meet
    in the same six places, nor all gateways get closed for good."""

    def __init__(self, rng: Random, size: int) -> None:
        self._rng = rng
        self._examples = {topic: _examples(name) for topic, name in TOPICS.items()}
        self._now = int(time.time())
        self._people, self._places = max(size // 10, 60), max(size // 60, 12)
        self._cases, self._gateways = max(size // 5000, 30), max(size // 100, 200)

    def message(self, topic: str, *, erasing: bool = False) -> dict[str, Any]:
        """Of `people`: an erasure if `erasing`, and else none."""
        some = self._examples[topic]
        if topic == "people":
            some = [one for one in some if (one["op"] == "erase") == erasing]
        content = dict(self._rng.choice(some))
        for name in content:
            if content[name] is not None:
                content[name] = self._anew(topic, name, content[name])
        return content

    def code(self) -> str:
        number = self._rng.randrange(self._people)
        twelve = f"{79_600_000_000 + number:012}"
        return (twelve, f"079|Tên|01011990|1|{twelve}|", f"HC07960{number:08}", f"thẻ 07960 số {number}")[number % 4]

    def key(self, topic: str, content: dict[str, Any]) -> bytes:
        """As a sender chooses it. Records of `people` and `decisions` have ids of their own: each is a fact, and what
        comes under a key again replaces nothing there (docs/readings.md), which the reference reads otherwise."""
        if topic in ("people", "decisions"):
            return b"n%d" % self._rng.getrandbits(60)
        name = KEYS.get(topic)
        if topic == "combine":
            name = "person" if "person" in content else "venue_id"
        found = content.get(name) if name else f"k{self._rng.randrange(5_000)}"
        if topic == "combine" and "person" not in content:
            found = f"venue/{found}"
        return str(found).encode()

    def pseudonym(self) -> str:
        return pseudonym(canonical(self.code()), KEY.encode())

    def _anew(self, topic: str, name: str, value: Any) -> Any:
        rng = self._rng
        if topic == "combine" and name == "person":
            return self.pseudonym()
        if name == "persons":
            return [self.pseudonym() for _ in range(rng.choice((0, 1, 1, 3, 40)))]
        if name == "venue_id":
            return f"place-{rng.randrange(self._places)}"
        if name in ("person", "code", "same_as"):
            return self.code()
        if name == "case_id":
            return f"case-{rng.randrange(self._cases)}"
        if name == "gateway_id":
            return f"g{rng.randrange(self._gateways)}"
        if name in ("scanned_at", "onset_at", "sampled_at", "isolated_at", "negative_at", "at", "registered_at"):
            return self._moment()
        if name in ("reported_at", "updated_at"):
            return (self._now - rng.randrange(2 * DAY)) * 1000 + rng.randrange(1000)
        return value

    def stamp(self) -> int:
        """A record's own time, which a terminal without a clock sets as well: of 1970, of another year, an hour ahead
        (more than that Kafka does not take)."""
        old = (0, 1, 999, 946_684_800_000, (self._now - 400 * DAY) * 1000)
        return self._rng.choice((*old, *((self._now + s) * 1000 + 1 for s in (-22 * DAY, -DAY, 1500, 3000))))

    def _moment(self) -> Any:
        """In the last eight days, mostly two hours of one of them; in one of the forms that are allowed."""
        rng = self._rng
        back = rng.randrange(8 * DAY) if rng.random() < 0.4 else rng.randrange(2, 5) * DAY + rng.randrange(7200)
        second = self._now - back
        if rng.random() < 0.7:
            return second * 1000
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)) + rng.choice(("Z", ".5Z", "+00:00"))
