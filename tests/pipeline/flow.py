"""What a province scans meanwhile, from a process of its own: people and places that no case of a test has to do with,
so that the brute force may leave them out. Their records carry a header.

    python -m tests.pipeline.flow ADDRESS TOPIC RATE SECONDS     prints how many scans Kafka has, at its end
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from console.bench.town import Town

if TYPE_CHECKING:
    from tests.pipeline.answers import Found  # the process of its own need not read all that this brings

HEADER = ("meanwhile", b"1")
ELSEWHERE = 500_000


def meanwhile(record: Found) -> bool:
    """Whether it is one of these."""
    return HEADER in record.headers


async def flow(address: str, topic: str, rate: int, seconds: int) -> int:
    """At `rate` scans a second, in records of 50; what could not be sent while the broker was away is sent after."""
    town = Town(rate * seconds, int(time.time()), seed=9, venues_from=ELSEWHERE, days=2, people_from=ELSEWHERE)
    town.people = 50_000
    producer = AIOKafkaProducer(
        bootstrap_servers=address, enable_idempotence=True, linger_ms=20, request_timeout_ms=300_000
    )
    await producer.start()
    sent, began, waiting = 0, time.monotonic(), []
    try:
        for number, (value, count) in enumerate(town.records()):
            waiting.append(await producer.send(topic, value, partition=number % 4, headers=[HEADER]))
            sent += count
            if number % 100 == 0:
                await asyncio.gather(*waiting)
                waiting.clear()
                await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
    return sent


if __name__ == "__main__":
    address, topic, rate, seconds = sys.argv[1:]
    print(asyncio.run(flow(address, topic, int(rate), int(seconds))))
