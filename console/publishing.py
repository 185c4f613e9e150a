"""Publish many records fast: in whole batches built here, since aiokafka's send() costs a task's work a record."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections import deque
from typing import TYPE_CHECKING, Any

from console.trouble import Trouble, no_kafka

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

_BATCH_BYTES = 256 << 10
_IN_FLIGHT = 24
RECORD_LIMIT = 1_000_000
"""Longest value that a 1 MiB topic takes, with room for the record's own head."""


class Publisher:
    """Publishes records without a key, spread evenly over the partitions of one topic.

    `async with Publisher(settings, "scans") as out: await out.add(value)`; leaving it waits until all are acknowledged
    by every replica. aiokafka's errors come out of `add` and of the end of the block.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        self.settings, self._name, self.topic = settings, topic, settings.topic_prefix + topic
        self.records = 0
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._next = 0

    async def __aenter__(self) -> Publisher:
        self._partitions = (await partitions_of(self.settings, self._name))[self._name]
        self._producer = await start_producer(self.settings, max_batch_size=_BATCH_BYTES, linger_ms=0)
        self._batch = self._producer.create_batch()
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            await self._producer.stop()

    async def add(self, value: bytes, timestamp: int | None = None) -> None:
        """One record; `timestamp` in ms since the epoch, None = now."""
        # append() says None when the batch is full; a batch's first record always fits.
        if self._batch.append(key=None, value=value, timestamp=timestamp) is None:
            await self._send()
            self._batch.append(key=None, value=value, timestamp=timestamp)
        self.records += 1

    async def flush(self) -> None:
        """Wait until everything added is acknowledged."""
        if self._batch.record_count():
            await self._send()
        while self._waiting:
            await self._waiting.popleft()

    async def _send(self) -> None:
        full, self._batch = self._batch, self._producer.create_batch()
        full.close()
        partition = self._next % self._partitions
        self._next += 1
        self._waiting.append(await self._producer.send_batch(full, self.topic, partition=partition))
        while len(self._waiting) > _IN_FLIGHT:
            await self._waiting.popleft()


async def start_producer(settings: Settings, **more: Any) -> Any:
    """A started producer that writes each record once, acknowledged by all replicas. Raises Trouble: no Kafka."""
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka,
        acks="all",
        enable_idempotence=True,
        max_request_size=(1 << 20) + 4096,
        **settings.kafka_security,
        **more,
    )
    await _start(producer, settings)
    return producer


async def start_consumer(settings: Settings, **more: Any) -> Any:
    """A started aiokafka consumer of no group, that sees committed records only. Raises Trouble: no Kafka."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        **settings.kafka_security,
        **more,
    )
    await _start(consumer, settings)
    return consumer


async def start_admin(settings: Settings) -> Any:
    """A started aiokafka admin client; to be closed. Raises Trouble: no Kafka."""
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, **settings.kafka_security)
    await _start(admin, settings)
    return admin


async def _start(client: Any, settings: Settings) -> None:
    from aiokafka.errors import KafkaError

    try:
        await client.start()
    except (KafkaError, OSError, CancelledError) as error:
        # An unfinished client warns about itself when it is collected.
        await (client.stop() if hasattr(client, "stop") else client.close())
        if isinstance(error, CancelledError):
            raise
        if isinstance(error, KafkaError) and "uthenti" in type(error).__name__:
            raise Trouble(f"Kafka at {settings.kafka} refuses the sign-in of these settings") from None
        raise no_kafka(settings) from None


async def send_keyed(settings: Settings, topic: str, records: list[tuple[str | None, bytes]]) -> None:
    """Publish records with their keys to Kafka's own partition for each key, and wait for the acknowledgements."""
    await partitions_of(settings, topic)
    producer = await start_producer(settings)
    try:
        waiting = [
            await producer.send(settings.topic_prefix + topic, value, key=key.encode() if key is not None else None)
            for key, value in records
        ]
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def partitions_of(settings: Settings, *topics: str) -> dict[str, int]:
    """How many partitions topics have. Raises Trouble when one is missing: a producer would wait for it for ever."""
    admin = await start_admin(settings)
    try:
        found = await admin.describe_topics([settings.topic_prefix + topic for topic in topics])
    finally:
        await admin.close()
    many = {entry["topic"]: len(entry["partitions"]) for entry in found if not entry["error_code"]}
    for topic in topics:
        if settings.topic_prefix + topic not in many:
            where = f"{settings.topic_prefix}{topic} on {settings.kafka}"
            raise Trouble(f"there is no topic {where}: run `truyvet topics` first")
    return {topic: many[settings.topic_prefix + topic] for topic in topics}
