"""Real check-ins (Gowalla, New York, 2009-2010) as a day's messages of the pipeline; what the data have not is drawn.

The file holds 73,610 rows of user, time, place, venue. Drawn by the seed: which code a person shows (four forms), what
kind of venue each is and whether anybody registered it, check-outs, staff, cases. Exact duplicates, re-scans within
minutes, impossible moves and a user with 238 check-ins a day are in the data as they came.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.pipeline.answers import Sent
from tests.reference.messages import VENUE_TYPES
from tests.simulation.badmessages import bad_record, bad_scan

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "gowalla_nyc_even.tsv.gz"
ROWS = 73_610
DAY = 86400


class Checkin(NamedTuple):
    user: int
    second: int
    venue: str


def read_rows() -> list[Checkin]:
    """All rows. Raises AssertionError with words where the file is not there: this test is not skipped."""
    assert FILE.exists(), f"{FILE} is missing: the real data lie beside the checkout, in ../shared/data"
    rows = []
    with gzip.open(FILE, "rt") as lines:
        for line in lines:
            user, time, _, _, venue = line.rstrip("\n").split("\t")
            second = int(datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
            rows.append(Checkin(int(user), second, f"g{venue}"))
    return rows


@dataclass
class Messages:
    """`early` and `late`: registrations before and after the scans; `late` has the corrected ones too."""

    early: list[Sent]
    scans: list[Sent]
    cases: list[Sent]
    late: list[Sent]


def make_messages(rows: list[Checkin], seed: int, cases: int) -> Messages:
    rng = Random(f"{seed}/checkins")
    early, late = _venues(rng, sorted({row.venue for row in rows}))
    codes = {user: _forms(rng, user) for user in sorted({row.user for row in rows})}
    contents = _scans(rng, rows, codes)
    return Messages(early, _records(rng, contents), _cases(rng, rows, codes, cases), late)


def _forms(rng: Random, user: int) -> list[str]:
    """What may be read of one person; whatever differs is no part of the code (rule 2)."""
    twelve, thirteen = f"{790_000_000_000 + user}", f"{user:013}"
    return rng.choice(
        (
            [twelve],
            [twelve, f" {twelve}\n", f"{twelve}|0|Người|01011990|Nam|Phố|02022022"],
            [f"079|Người {user}|01011990|1|{twelve}|", f"079|NGUOI|01/01/1990|0|{twelve}|x"],
            [f"HC{thirteen}", f"hc{thirteen}|Người|2022"],
            [f"thẻ {user}", f"the\u0309 {user} "],
        )
    )


def _venues(rng: Random, names: list[str]) -> tuple[list[Sent], list[Sent]]:
    """Six in seven are registered, a third of them with figures of their own; some twice, some late."""
    early, late = [], []
    for name in names:
        if rng.random() < 1 / 7:
            continue
        content: dict[str, Any] = {
            "venue_id": name,
            "name": f"Quán {name}",
            "type": rng.choice(VENUE_TYPES),
            "registered_at": "2009-01-01T00:00:00Z",
        }
        if rng.random() < 1 / 3:
            content["dwell_minutes"] = rng.randint(5, 300)
            content["max_stay_minutes"] = rng.randint(5, 900)
            content["linger_minutes"] = rng.choice((0, 0, 10, 60))
        made = [content]
        if rng.random() < 0.05:  # registered anew; the older row may come last
            made.append({**content, "type": rng.choice(VENUE_TYPES), "updated_at": "2010-01-01T00:00:00Z"})
            rng.shuffle(made)
        for one in made:
            value = json.dumps(one, ensure_ascii=False).encode()
            (late if rng.random() < 0.1 else early).append(Sent("venues", name.encode(), value))
    return early, late


def _scans(rng: Random, rows: list[Checkin], codes: dict[int, list[str]]) -> list[tuple[int, bytes]]:
    """(second, scan). Each row is an in, one in thirty the out of a visit nobody saw begin; a quarter check out."""
    staff = {(row.user, row.venue) for row in rows if rng.random() < 0.005}
    found = []
    for number, row in enumerate(rows):

        def scan(second: int, direction: str, of: Checkin = row, n: int = number) -> tuple[int, bytes]:
            content: dict[str, Any] = {
                "scan_id": f"s{n}",
                "venue_id": of.venue,
                "person": rng.choice(codes[of.user]),
                "scanned_at": second * 1000 + rng.randrange(1000),
                "gateway_id": f"gw{of.user % 20}",
            }
            if direction == "out":
                content["direction"] = "out"
            if (of.user, of.venue) in staff:
                content["role"] = "staff"
            return second, json.dumps(content, ensure_ascii=False).encode()

        found.append(scan(row.second, "out" if rng.random() < 1 / 30 else "in"))
        if rng.random() < 0.25:
            found.append(scan(row.second + 60 * rng.randint(3, 500), "out"))
    return found


def _records(rng: Random, scans: list[tuple[int, bytes]]) -> list[Sent]:
    """Shuffled, one in ten twice, half of them in gateways' batches, bad ones between. Each record has the time of its
    youngest scan, as a gateway that sends at once would stamp it."""
    scans = scans + rng.sample(scans, len(scans) // 10)
    rng.shuffle(scans)
    made = []
    at = 0
    while at < len(scans):
        size = 1 if rng.random() < 0.95 else rng.randint(2, 40)
        some = scans[at : at + size]
        at += size
        bodies = [body for _, body in some]
        good = json.loads(bodies[0])
        if size > 1 and rng.random() < 0.1:
            bodies.insert(rng.randrange(size), bad_scan(rng, good))
        value = b"[" + b",".join(bodies) + b"]" if size > 1 else bodies[0]
        stamp = max(second for second, _ in some) * 1000 + 999
        made.append(Sent("scans", rng.choice((None, b"gw1", b"gw2")), value, stamp))
        kind = rng.random()
        if kind < 0.003:
            bad, headers = bad_record(rng, value)
            made.append(Sent("scans", None, bad, stamp, headers))
        elif kind < 0.006:
            early = (some[0][0] - 301 - rng.randrange(9)) * 1000
            made.append(Sent("scans", None, bodies[0] if size == 1 else some[0][1], early))
    return made


def _cases(rng: Random, rows: list[Checkin], codes: dict[int, list[str]], count: int) -> list[Sent]:
    """Persons who were where others were on the same day, most of them; any others for the rest."""
    there: dict[tuple[str, int], set[int]] = defaultdict(set)
    for row in rows:
        there[row.venue, row.second // DAY].add(row.user)
    met = [row for row in rows if len(there[row.venue, row.second // DAY]) > 2]
    chosen = rng.sample(met, count * 3 // 4) + rng.sample(rows, count - count * 3 // 4)
    made = []
    for number, row in enumerate(chosen):
        sampled = row.second + rng.randrange(3 * DAY)
        content: dict[str, Any] = {
            "case_id": f"case-{number}",
            "person": rng.choice(codes[row.user]),
            "status": "confirmed",
            "sampled_at": sampled * 1000,
            "reported_at": (sampled + DAY) * 1000,
            "reported_by": "desk",
        }
        if rng.random() < 0.6:
            content["onset_at"] = (row.second + rng.randrange(-2 * DAY, DAY)) * 1000
        if rng.random() < 0.2:
            content["isolated_at"] = (sampled + rng.randrange(DAY)) * 1000
        made.append(Sent("cases", content["case_id"].encode(), json.dumps(content, ensure_ascii=False).encode()))
    return made
