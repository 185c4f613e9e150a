"""From the spool to Kafka, in order: round by round, the next one only when Kafka has acknowledged the last.

Of a partition at most one batch is on its way, so nothing can overtake what failed: the first time that each record is
in the topic, it stands behind those of its gateway that came before it. Kafka may be away for hours: aiokafka's
idempotent producer goes on trying; one that has tried for PATIENCE is given up for a new one, which asks the settings'
servers anew, and the round is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

from aiokafka.errors import InvalidTimestampError, KafkaError
from aiokafka.partitioner import DefaultPartitioner

from console.gateway.frames import Record
from console.gateway.spool import Spool
from console.publishing import partitions_of, start_producer
from console.trouble import Trouble, kafka_at
from streams.runtime.settings import Settings

logger = logging.getLogger("truyvet.gateway")

TOPIC = "scans"
PATIENCE = 30.0  # seconds for one round
SLOW = 5.0  # seconds: a round that takes longer tells that Kafka is away
GATHER = 0.005  # seconds between two rounds: one record costs as much as a hundred
PROBE_EACH = 5.0  # seconds, while there is nothing to publish
REQUEST_MS = 10_000
BATCH_BYTES = 900_000  # a topic takes 1 MiB; the longest record has 768 KiB
_PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds before trying again
_REMEMBERED = 100_000


class Publisher:
    """`run()` until cancelled, then `close()`. `published` counts scans, `trouble` says why none goes out."""

    def __init__(self, settings: Settings, spool: Spool) -> None:
        self._settings, self._spool = settings, spool
        self._topic = settings.topic_prefix + TOPIC
        self._producer: Any = None
        self._partitioner = DefaultPartitioner()
        self._numbers: list[int] = []
        self._places: dict[bytes, int] = {}
        self._began: float | None = None  # the round that is on its way
        self._failures = 0
        self._reached = False
        self.published = 0
        self.trouble = "not connected yet"

    @property
    def reachable(self) -> bool:
        """Whether Kafka answered lately."""
        slow = self._began is not None and time.monotonic() - self._began > SLOW
        return self._reached and not slow

    async def run(self) -> None:
        """Publish for ever; ends by cancellation."""
        while True:
            records = await self._take()
            while not await self._try(self._send(records)):
                await asyncio.sleep(_PAUSES[min(self._failures, len(_PAUSES)) - 1])
            self.published += sum(record.scans for record in records)
            await self._spool.done()
            await asyncio.sleep(GATHER)

    async def _take(self) -> list[Record]:
        """What is to be published next; looks after Kafka while there is nothing."""
        while True:
            taking = asyncio.ensure_future(self._spool.take())
            try:
                while not (await asyncio.wait([taking], timeout=PROBE_EACH))[0]:
                    await self._try(self._probe())
                return [frame.record for frame in taking.result()]
            except OSError as error:  # scans are taken all the same; a person has to look after the disk
                self.trouble = f"the spool cannot be read: {error.strerror}"
                logger.error("%s", self.trouble)
                await asyncio.sleep(PROBE_EACH)
            finally:
                taking.cancel()

    async def _try(self, work: Any) -> bool:
        """Do it with a producer; whether it worked. After a failure the producer is given up."""
        self._began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                with kafka_at(self._settings):
                    await work
        except (Trouble, KafkaError, OSError, TimeoutError) as error:
            words = _words(error)
            if words != self.trouble:
                logger.warning("nothing goes out: %s", words)
            self.trouble, self._reached = words, False
            self._failures += 1
            await self.close()
            return False
        finally:
            self._began = None
        if self.trouble:
            logger.info("Kafka takes scans")
        self.trouble, self._reached, self._failures = "", True, 0
        return True

    async def _open(self) -> Any:
        if self._producer is None:
            await partitions_of(self._settings, TOPIC)  # a producer would wait for a missing topic, and say nothing
            self._producer = await start_producer(
                self._settings, linger_ms=0, max_batch_size=BATCH_BYTES, request_timeout_ms=REQUEST_MS
            )
        return self._producer

    async def _probe(self) -> None:
        producer = await self._open()
        await producer.client.fetch_all_metadata()

    async def _send(self, records: list[Record]) -> None:
        """Return when every record is acknowledged by all replicas."""
        producer = await self._open()
        numbers = sorted(await producer.partitions_for(self._topic))
        if numbers != self._numbers or len(self._places) > _REMEMBERED:
            self._numbers, self._places = numbers, {}
        lanes: dict[int, list[Record]] = {}
        for record in records:
            lanes.setdefault(self._place(record.key), []).append(record)
        sent = [asyncio.ensure_future(self._send_lane(producer, n, lane)) for n, lane in lanes.items()]
        try:
            await asyncio.gather(*sent)
        finally:
            for lane in sent:
                lane.cancel()

    def _place(self, key: bytes) -> int:
        """Kafka's own partition for the key."""
        number = self._places.get(key)
        if number is None:
            number = self._places[key] = int(self._partitioner(key, self._numbers, self._numbers))
        return number

    async def _send_lane(self, producer: Any, number: int, records: list[Record]) -> None:
        batch = producer.create_batch()
        for record in records:
            # append() says None when the batch is full; a batch's first record always fits.
            parts = {"key": record.key, "value": record.value, "timestamp": record.received_ms}
            if batch.append(**parts) is None:
                batch.close()
                await (await producer.send_batch(batch, self._topic, partition=number))
                batch = producer.create_batch()
                batch.append(**parts)
        batch.close()
        await (await producer.send_batch(batch, self._topic, partition=number))

    async def close(self, patience: float = 2 * REQUEST_MS / 1000) -> None:
        """Give the producer up, in so many seconds. What it had on its way may arrive or not: nobody was told."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        # stop() alone waits until all is delivered: with Kafka away, for ever.
        producer._sender.sender_task.cancel()
        with suppress(TimeoutError, KafkaError, OSError):
            async with asyncio.timeout(patience):
                await producer.stop()


def _words(error: Exception) -> str:
    if isinstance(error, Trouble):
        return error.format_message()
    if isinstance(error, InvalidTimestampError):
        return "Kafka refuses a record's time: is the clock of this machine right?"
    return type(error).__name__
