"""A desk with 1,000 cases and 100,000 standing exposures: their ledger in a real Redis, the page in its own process.

python -m tests.browser.big REDIS_URL FOLDER FD     serves it on the listening socket FD
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from redis import Redis

from console.times import LOCAL
from streams.rules.codes import pseudonym_text
from streams.state.standing import EXPOSURE

CASES, EXPOSURES, LARGEST = 1000, 100_000, 5_095
AREAS, VENUES, PARTITIONS = 300, 2000, 4


def sizes() -> Iterator[tuple[str, int]]:
    """Case, and how many exposures of it stand: one large one, and 95 each of the others."""
    yield "C-0000", LARGEST
    for n in range(1, CASES):
        yield f"C-{n:04d}", (EXPOSURES - LARGEST) // (CASES - 1)


def partition(case_id: str) -> int:
    return zlib.crc32(case_id.encode()) % PARTITIONS


def exposure(case_id: str, number: int) -> dict[str, Any]:
    digest = sha256(f"{case_id}/{number}".encode()).digest()
    score = round(0.5 + (digest[0] * 256 + digest[1]) / 512, 2)
    band = "high" if score >= 60 else "medium" if score >= 20 else "low"
    episodes = [
        {"venue_id": f"V-{(digest[2] * 256 + digest[3 + e]) % VENUES}", "venue_type": "restaurant",
         "start": f"2026-01-0{5 + e}T0{e + 1}:00:00Z", "end": f"2026-01-0{5 + e}T0{e + 1}:40:00Z",
         "direct_seconds": 2400, "indirect_seconds": 0, "inferred": False, "conflict": False, "role": "visitor",
         "case_role": "visitor"}
        for e in range(2)
    ]  # fmt: skip
    return {
        "exposure_id": digest.hex()[:32], "revision": 1, "status": "raised", "case_id": case_id,
        "person": pseudonym_text(digest[:16]), "level": "F1", "minutes": 15 + digest[4], "direct_minutes": 15,
        "indirect_minutes": 0, "first_at": episodes[0]["start"], "last_at": episodes[-1]["end"],
        "episodes": episodes, "score": score, "band": band,
        "score_parts": [{"episode": e, "direct_seconds": 2400, "indirect_seconds": 0, "infectiousness": 1.0,
                         "setting": 1.2, "points": 48.0} for e in range(2)],
        "advice": {"follow_up_until": "2026-01-20", "test_on": "2026-01-11", "reason": "not vaccinated"},
        "policy": "vn-11042", "certainty": "co-presence", "issued_at": "2026-01-07T00:00:00Z",
    }  # fmt: skip


def fill(url: str) -> int:
    """The ledger and the counters; how many exposures."""
    client, total = Redis.from_url(url), 0
    for case_id, many in sizes():
        slot = f"{{e{partition(case_id):02d}}}"
        records = [exposure(case_id, number) for number in range(many)]
        with client.pipeline(transaction=False) as pipe:
            bodies = {EXPOSURE + bytes.fromhex(r["exposure_id"]): json.dumps(r).encode() for r in records}
            pipe.hset(f"tv:body:{slot}:{case_id}", mapping=bodies)  # type: ignore[arg-type]
            bands = {band: sum(r["band"] == band for r in records) for band in ("high", "medium", "low")}
            pipe.hset(f"tv:count:{slot}:{case_id}", mapping={"f1": many, "held": 0, **bands})
            pipe.execute()
        total += many
    today = datetime.datetime.now(LOCAL).date().isoformat()
    with client.pipeline(transaction=False) as pipe:
        pipe.hset("tv:pub:tracing", mapping={"cases_open": CASES, "f1": EXPOSURES, "high": 5, "medium": 6, "low": 7})
        pipe.hset("tv:pub:meta", mapping={"schema": 1, "state": "ready", "lag_records": 0})
        pipe.hset(f"tv:pub:day:{today}", mapping={"scans": 9_000_000, "persons": 2_000_000, "venues_active": VENUES})
        for area in range(AREAS):
            figures = {"scans": 30_000 + area, "venues_active": 6, "venues_registered": 7, "population": 9000}
            pipe.hset(f"tv:pub:area:A{area}:{today}", mapping=figures)
            pipe.zadd(f"tv:pub:rank:commune:{today}", {f"A{area}": 30_000 + area})
        pipe.execute()
    client.close()
    return total


def serve(url: str, folder: Path, fd: int) -> None:
    import socket

    from console.deskpage.desk import Desk
    from console.deskpage.server import serve as answer
    from streams.runtime.settings import Settings

    desk = Desk(Settings(kafka="127.0.0.1:1", redis=url), folder, dict, following=False)
    take = desk.board.take
    for number, (case_id, many) in enumerate(sizes()):
        status = {"case_id": case_id, "revision": 1, "state": "open" if number % 10 else "held", "f1": many, "held": 0,
                  "window_start": "2026-01-03T00:00:00Z", "window_end": "2026-01-13T00:00:00Z", "policy": "vn-11042",
                  "evaluated_at": f"2026-01-07T00:{number % 60:02d}:00Z"}  # fmt: skip
        take("case-status", partition(case_id), case_id.encode(), json.dumps(status).encode())
        for visit in range(20):
            day = f"2026-01-{3 + visit % 9:02d}"
            alert = {"alert_id": f"{case_id}/{visit}", "revision": 1, "status": "raised", "case_id": case_id,
                     "venue_id": f"V-{(number * 7 + visit) % VENUES}", "start": f"{day}T08:00:00Z",
                     "end": f"{day}T09:00:00Z", "people": 40, "f1": 30}  # fmt: skip
            take("venue-alerts", partition(case_id), b"", json.dumps(alert).encode())
    desk.board.caught_up = True

    async def on_record(by: str, subject: str, reason: str, case_id: str | None = None) -> None:
        """There is no Kafka here; what a line costs there is measured in the tests of the day."""

    desk.looks.on_record = on_record  # type: ignore[method-assign]
    answer(desk, socket.socket(fileno=fd))


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # there is no Kafka, which the page says
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
