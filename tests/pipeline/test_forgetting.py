"""Forgetting end to end: data of January 2022, replayed under the `stream` clock, on a real Kafka and Redis.

"Now" is the newest record of `scans`. The case's window begins on 8 January; so it closes on the 29th, and what ended
on the 10th at 13:00 ends with tombstones on 1 February at 13:00.
"""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

import orjson

from streams.runtime.redis import RedisStore
from tests.pipeline.system import Servers, System, wait_until
from tests.pipeline.test_spine import BINH, CASE, VENUES, pseudonym

DAY = 86_400


def second(day: int, clock: str, month: int = 1) -> int:
    return int(datetime.datetime.fromisoformat(f"2022-{month:02}-{day:02}T{clock}:00+07:00").timestamp())


def scan(person: str, at: int, direction: str = "in", venue: str = "pho") -> dict[str, Any]:
    return {
        "scan_id": f"{at}",
        "venue_id": venue,
        "person": person,
        "scanned_at": at * 1000,
        "gateway_id": "g1",
        "direction": direction,
    }


def tell(system: System, *scans: dict[str, Any]) -> None:
    """Each record carries its scan's own time, as it did when it was made."""
    for content in scans:
        system.publish("scans", [content], at_ms=content["scanned_at"])


def last(system: System, topic: str) -> dict[bytes | None, Any]:
    reads = system.kafka.read(system.prefix + topic, partitions=system.partitions)
    return {read.key: orjson.loads(read.value) if read.value else None for read in reads}


def counted(system: System, date: str) -> int:
    """Scans of a day, as the dashboards have them."""

    async def ask() -> int:
        store = await RedisStore.open(system.redis.url, patience=5.0)
        try:
            return int(await store.client.hget(f"tv:pub:day:{date}", "scans") or 0)
        finally:
            await store.close()

    return asyncio.run(ask())


def ended(system: System, topic: str) -> bool:
    return all(content is None for content in last(system, topic).values())


def days(system: System) -> set[str]:
    """Local days of which scans lie in Redis, on either side of the graph."""

    async def ask() -> set[str]:
        store = await RedisStore.open(system.redis.url, patience=5.0)
        try:
            found = [key async for key in store.client.scan_iter("tv:[pv]:*", count=1000)]
            dates = {int(key[10:14], 16) for key in found}
            return {str(datetime.date(1970, 1, 1) + datetime.timedelta(days=day)) for day in dates}
        finally:
            await store.close()

    return asyncio.run(ask())


def test_old_data_closes_and_ends_by_its_own_time(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path, env={"TRUYVET_RETENTION_CLOCK": "stream"}) as system:
        worker = system.worker()
        system.publish("venues", VENUES, key="venue_id")
        stays = [(CASE, "12:00", "13:00"), (BINH, "12:20", "13:10")]
        for person, begin, end in stays:
            tell(system, scan(person, second(10, begin)), scan(person, second(10, end), "out"))
        report = {
            "case_id": "c1",
            "person": CASE,
            "status": "confirmed",
            "sampled_at": second(10, "18:00") * 1000,
            "onset_at": second(10, "08:00") * 1000,
            "reported_at": second(10, "19:00") * 1000,
            "reported_by": "desk",
        }
        system.publish("cases", [report], key="case_id")
        system.settle()
        (exposure,) = last(system, "exposures").values()
        assert (exposure["status"], exposure["person"], exposure["minutes"]) == ("raised", pseudonym(BINH), 40)
        assert last(system, "case-status")[b"c1"]["state"] == "open"

        # The 29th, 07:59: still open. 08:00: closed; nothing else is said.
        stranger = "079001990500"
        tell(system, scan(stranger, second(29, "07:59"), venue="cho"))
        system.settle()
        assert last(system, "case-status")[b"c1"]["state"] == "open"
        tell(system, scan(stranger, second(29, "08:00"), venue="cho"))
        wait_until(lambda: last(system, "case-status")[b"c1"]["state"] == "closed", 30)
        assert list(last(system, "exposures").values()) == [exposure]
        assert last(system, "case-status")[b"c1"]["f1"] == 1

        # A gateway that was cut off tells more of the 10th: it is accepted, and changes nothing.
        count = len(system.records("exposures"))
        tell(system, scan("079001990501", second(10, "12:00")), scan("079001990501", second(10, "13:00"), "out"))
        system.settle()
        assert len(system.records("exposures")) == count and system.records("rejects") == []
        assert days(system) == {"2022-01-10", "2022-01-29"}

        # 1 February, 13:00: its own age ends the exposure, and the follow-up with it; nothing is withdrawn.
        tell(system, scan(stranger, second(1, "13:00", month=2), venue="cho"))
        wait_until(lambda: ended(system, "exposures"), 30)
        wait_until(lambda: ended(system, "followups"), 30)
        wait_until(lambda: ended(system, "venue-alerts"), 30)
        assert all(record["status"] != "withdrawn" for record in system.records("exposures"))
        wait_until(lambda: counted(system, "2022-01-10") == 6, 30)
        # The day of the scans goes when all of it is older than 22 days; until then it is kept whole.
        assert "2022-01-10" in days(system)
        tell(system, scan(stranger, second(2, "00:00", month=2), venue="cho"))
        wait_until(lambda: "2022-01-10" not in days(system), 30)
        assert days(system) == {"2022-01-29", "2022-02-01", "2022-02-02"}

        # What comes of a day that is forgotten does not stay there.
        tell(system, scan("079001990502", second(10, "12:00")))
        system.settle()
        wait_until(lambda: "2022-01-10" not in days(system), 30)
        assert last(system, "case-status")[b"c1"]["state"] == "closed"
        # And the day's figures stand as they were when it was forgotten, as long as the dashboards keep them.
        wait_until(lambda: counted(system, "2022-02-02") == 1, 30)
        assert counted(system, "2022-01-10") == 6
        assert worker.terminate() == 0
