"""Two people who are contacts of many cases each turn out to be one, while scans of them and of others flow in.

Each case was at a place of its own. One was at the places of half of the cases, the other at those of the other half;
at some, one's in and the other's out are of no account until they are of one person. At the end: the brute force.
The size of the issue: TRUYVET_TEST_CASES=50 TRUYVET_TEST_RATE=2000 (a minute).
"""

from __future__ import annotations

import asyncio
import datetime
import os
import random
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson

from console.publishing import Publisher
from tests.pipeline import test_spine as spine
from tests.pipeline.answers import check_answer, check_revisions
from tests.pipeline.system import Servers, System
from tests.pipeline.test_spine import REPORT, YESTERDAY, at, pseudonym

CASES = int(os.environ.get("TRUYVET_TEST_CASES", "8"))  # of each of the two
RATE = int(os.environ.get("TRUYVET_TEST_RATE", "500"))  # scans a second
SECONDS = 3.0  # before the link, and after it
ONE, OTHER = "079003000001", "079003000002"
CODES = [f"079004{n:06}" for n in range(2 * CASES)]
CROWD = [f"079005{n:06}" for n in range(400)]


def scan(code: str, venue: str, when: str, days_before: int, direction: str = "in") -> dict[str, Any]:
    day = YESTERDAY - datetime.timedelta(days=days_before)
    return {**spine.scan(code, venue, when, direction), "scanned_at": f"{day}T{when}:00+07:00"}


def place(n: int) -> str:
    return f"place-{n}"


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def visits() -> list[dict[str, Any]]:
    """Of the cases and of the two. Cases are somewhere from 12:00 to 13:00. On two days the two meet them; on the day
    before, one comes at 9:00 (for half an hour, as far as anybody knows) and the other leaves at 16:00."""
    scans = []
    for n, code in enumerate(CODES):
        days = 2 if n % 3 == 0 else n % 2
        one, other = (ONE, OTHER) if n < CASES else (OTHER, ONE)
        scans += [scan(code, place(n), "12:00", days), scan(code, place(n), "13:00", days, "out")]
        if n % 3 == 0:
            scans += [scan(one, place(n), "09:00", days), scan(other, place(n), "16:00", days, "out")]
        else:
            scans += [scan(one, place(n), "12:05", days), scan(one, place(n), "12:35", days, "out")]
    return scans


def passing(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Scans of the flow: at a place of the cases or elsewhere, by the crowd; the first ones of the two as well, after
    they were met and not so many that theirs would be taken for shared cards."""
    for n in count():
        where = place(rng.randrange(2 * CASES)) if rng.random() < 0.2 else f"elsewhere-{rng.randrange(50)}"
        way = rng.choice(("in", "in", "in", "out"))
        if n % 100 < 2 and n < 100 * 10:
            yield scan((ONE, OTHER)[n % 2], where, clock(rng.randrange(12 * 60 + 40, 20 * 60)), 0, way)
        else:
            yield scan(rng.choice(CROWD), where, clock(rng.randrange(8 * 60, 17 * 60)), rng.randrange(3), way)


async def flow(system: System, seconds: float, scans: Iterator[dict[str, Any]]) -> int:
    """Scans at RATE, in records of ten; how many."""
    sent, began = 0, time.monotonic()
    async with Publisher(system.settings(), "scans") as out:
        while (now := time.monotonic() - began) < seconds:
            while sent < now * RATE:
                await out.add(orjson.dumps(list(islice(scans, 10))))
                sent += 10
            await out.flush()
            await asyncio.sleep(0.02)
    return sent


async def flow_and_link(system: System, rng: random.Random) -> int:
    flowing = asyncio.create_task(flow(system, 2 * SECONDS, passing(rng)))
    await asyncio.sleep(SECONDS)
    link = {"op": "link", "code": ONE, "same_as": OTHER, "at": at("20:00"), "by": "An"}
    await asyncio.to_thread(system.publish, "people", [link], key="code")
    return await flowing


def test_nothing_is_missed_and_nothing_stale(servers: Servers, tmp_path: Path) -> None:
    rng = random.Random("links under load")
    with System(servers, tmp_path) as system:
        for _ in range(2):
            system.worker()
        system.publish("scans", visits())
        system.publish(
            "cases", [{**REPORT, "case_id": f"c{n}", "person": code} for n, code in enumerate(CODES)], key="case_id"
        )
        system.settle()
        before = {record["person"] for record in system.exposures().values() if record["status"] != "withdrawn"}
        assert {pseudonym(ONE), pseudonym(OTHER)} <= before

        assert asyncio.run(flow_and_link(system, rng)) >= RATE * SECONDS
        system.settle(180)
        wanted = check_answer(system)
        check_revisions(system)
        goes_by, gone = sorted((pseudonym(ONE), pseudonym(OTHER)))
        found = [record for record in wanted.exposures.values() if record["person"] in (goes_by, gone)]
        assert {record["person"] for record in found} == {goes_by} and len(found) == 2 * CASES
