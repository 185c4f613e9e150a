"""The `Log` port on a real Kafka: publishing, in transactions where a case partition has one writer, and reading back.

aiokafka tries a failed request again by itself, for as long as `Settings.patience`; what is left then is raised as
LogDown, and the worker ends without committing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import CoordinationType
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.partitioner import DefaultPartitioner

from streams.ports import Fenced, Out, Read
from streams.runtime.clock import SharedClock
from streams.runtime.exits import LogDown
from streams.runtime.process import CannotStart
from streams.runtime.readers import Readers
from streams.runtime.settings import Settings
from streams.runtime.topics import TOPICS

NEW_TOPICS = 5.0  # seconds until a broker knows of topics that were made just now
BATCH_BYTES = 512 << 10  # a topic takes batches of up to 1 MiB
REQUEST_BYTES = (2 << 20) + 65536  # a reject may be that long (messages.md)
# What a dead worker left open hides what follows it, until the next owner of the partition ends it, or this time
TRANSACTION_MS = 30_000

Result = TypeVar("Result")


class KafkaLog:
    """`await KafkaLog.open(settings)`, then the methods of `streams.ports.Log`, then `close`."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.topic_prefix
        self._client: dict[str, Any] = {"bootstrap_servers": settings.kafka, **settings.kafka_security}
        self._patience = settings.patience
        self._readers = Readers(self._client, self._prefix, self._patience)
        self._writers: dict[tuple[str, int], AIOKafkaProducer] = {}
        self._partitioner = DefaultPartitioner()
        self._where = settings.kafka
        self._partitions: dict[str, int] = {}
        self.clock = SharedClock()
        """What records say of when they were made; this machine's until a worker sets it."""
        self.sent: Callable[[Sequence[Out]], None] | None = None
        """Told of every record that Kafka acknowledged, for whoever counts them."""

    @staticmethod
    async def open(settings: Settings) -> KafkaLog:
        """Raises KafkaConnectionError when no Kafka answers, CannotStart when a topic is missing."""
        log = KafkaLog(settings)
        log._producer = AIOKafkaProducer(**log._options(), enable_idempotence=True)
        try:
            await log._producer.start()
            await log._count_partitions()
            # Makes a new broker set its transactions up now, which takes half a second, and not with the first case.
            with suppress(KafkaError):
                await log._producer.client.coordinator_lookup(CoordinationType.TRANSACTION, "tv")
        except BaseException:
            await log.close()
            raise
        return log

    _producer: AIOKafkaProducer

    async def close(self) -> None:
        """What is still on its way gets a moment; a Kafka that is away must not keep a worker from ending."""
        for client in (self._producer, *self._writers.values()):
            with suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(3.0):
                    await client.stop()
        await self._readers.close()

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; KeyError when it is not there."""
        return self._partitions[topic]

    def _options(self) -> dict[str, Any]:
        return {
            **self._client,
            "acks": "all",
            "linger_ms": 0,
            "max_batch_size": BATCH_BYTES,
            "max_request_size": REQUEST_BYTES,
            "request_timeout_ms": int(self._patience * 1000),
        }

    async def _count_partitions(self) -> None:
        """Asked once: a client that is told to use a topic which is not there waits for it, and says nothing."""
        names = [topic.name for topic in TOPICS]
        admin = AIOKafkaAdminClient(**self._client)
        until = time.monotonic() + NEW_TOPICS
        try:
            await admin.start()
            while True:
                found = await admin.describe_topics([self._prefix + name for name in names])
                there = {e["topic"]: len(e["partitions"]) for e in found if not e["error_code"]}
                missing = [name for name in names if self._prefix + name not in there]
                if not missing or time.monotonic() > until:
                    break
                await asyncio.sleep(0.2)
        finally:
            await admin.close()
        if missing:
            raise CannotStart(f"topics are missing at {self._where} ({', '.join(missing)}): run `truyvet topics` first")
        self._partitions = {name: there[self._prefix + name] for name in names}

    # -- publishing

    async def send(self, records: Sequence[Out]) -> None:
        """Publish (acks=all) and return when every record is acknowledged. Raises LogDown."""
        await self._patiently(self._send(self._producer, records))
        if self.sent is not None:
            self.sent(records)

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Out]) -> None:
        """In batches built here: aiokafka's own send() costs some 12 us of work a record."""
        places: dict[tuple[str, int], list[Out]] = {}
        for out in records:
            number = out.partition if out.partition is not None else self._place(out)
            places.setdefault((out.topic, number), []).append(out)
        await asyncio.gather(*[self._send_to(producer, *place, outs) for place, outs in places.items()])

    async def _send_to(self, producer: AIOKafkaProducer, topic: str, number: int, records: list[Out]) -> None:
        acknowledged: list[asyncio.Future[Any]] = []
        batch, now = producer.create_batch(), self.clock.now_ms()
        for out in records:
            # append() says None when the batch is full; a batch's first record always fits.
            headers = list(out.headers)
            if batch.append(key=out.key, value=out.value, timestamp=now, headers=headers) is None:
                acknowledged.append(await self._send_batch(producer, batch, topic, number))
                batch = producer.create_batch()
                batch.append(key=out.key, value=out.value, timestamp=now, headers=headers)
        acknowledged.append(await self._send_batch(producer, batch, topic, number))
        await asyncio.gather(*acknowledged)

    async def _send_batch(self, producer: AIOKafkaProducer, batch: Any, topic: str, number: int) -> asyncio.Future[Any]:
        batch.close()
        return await producer.send_batch(batch, self._prefix + topic, partition=number)

    def _place(self, out: Out) -> int:
        return (
            random.randrange(self._partitions[out.topic]) if out.key is None else self.partition_of(out.topic, out.key)
        )

    def partition_of(self, topic: str, key: bytes) -> int:
        """Where Kafka's default partitioner puts a key."""
        numbers = list(range(self._partitions[topic]))
        return int(self._partitioner(key, numbers, numbers))

    # -- the one writer of a partition

    async def fence(self, partition: int, *, line: str = "e") -> None:
        """A new epoch for the partition's transactional id: the broker ends what a former owner left open, and refuses
        whatever it still sends, so that nothing of it can come after what we read back next."""
        former = self._writers.pop((line, partition), None)
        if former is not None:
            with suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(3.0):
                    await former.stop()
        writer = AIOKafkaProducer(
            **self._options(),
            transactional_id=f"{self._prefix}tv-{line}-{partition}",
            transaction_timeout_ms=TRANSACTION_MS,
        )
        self._writers[line, partition] = writer  # before the start, so that close() finds it
        await self._patiently(writer.start())

    async def publish(self, partition: int, records: Sequence[Out], *, line: str = "e") -> None:
        """All records in one transaction of the partition's writer. Raises Fenced, LogDown."""
        writer = self._writers.get((line, partition))
        if writer is None:
            raise Fenced(f"this worker never fenced partition {partition}")
        await self._patiently(self._publish(writer, records))
        if self.sent is not None:
            self.sent(records)

    async def _publish(self, writer: AIOKafkaProducer, records: Sequence[Out]) -> None:
        await writer.begin_transaction()
        await self._send(writer, records)
        await writer.commit_transaction()

    # -- reading back

    async def end(self, topic: str, partition: int) -> int:
        """The last stable offset: what lies before it is decided."""
        return await self._patiently(self._readers.end(topic, partition))

    async def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """The last stable offset of each partition of these topics."""
        places = [(topic, number) for topic in topics for number in range(self._partitions[topic])]
        return await self._patiently(self._readers.ends(places))

    def tail(self, topic: str, partition: int, start: int, *, committed: bool) -> AsyncGenerator[list[Read], None]:
        """Records from `start` to the end as it is at the first fetch, in chunks. Raises LogDown."""
        return self._readers.tail(topic, partition, start, committed=committed)

    async def origin(self, topic: str, partition: int, offset: int) -> bytes | None:
        """The value of one record, None when it is no longer kept."""
        return await self._patiently(self._readers.one(topic, partition, offset))

    async def _patiently(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result; Kafka's errors in our words. Some of aiokafka's requests are tried for ever, hence the limit."""
        try:
            async with asyncio.timeout(self._patience + 5.0):
                return await work
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise Fenced("another worker writes to this partition now") from error
        except (KafkaError, TimeoutError) as error:
            raise LogDown(f"Kafka does not take or give records: {type(error).__name__}") from error
