"""Plain access to a Kafka for tests: topics, records, offsets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import TopicPartition

from streams.ports import Read

PARTITIONS = 4

Result = TypeVar("Result")


class Kafka:
    """Plain access to one Kafka, one asyncio.run a call: nothing of the system under test in it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def make_topic(self, name: str, partitions: int = PARTITIONS, **config: str) -> str:
        async def make(admin: AIOKafkaAdminClient) -> None:
            await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])

        self._admin(make)
        return name

    def produce(
        self,
        topic: str,
        values: Iterable[bytes],
        *,
        partitions: int = PARTITIONS,
        compression: str | None = None,
        batch: int = 500,
        rate: float | None = None,
    ) -> int:
        """Value i goes to partition i % partitions, in order; `rate` = records a second. Returns how many."""

        async def run() -> int:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.address, compression_type=compression, max_batch_size=900_000, acks="all"
            )
            await producer.start()
            try:
                sent, began = 0, time.monotonic()
                pending: list[asyncio.Future[Any]] = []
                lanes: list[list[bytes]] = [[] for _ in range(partitions)]

                async def flush(lane: int) -> None:
                    builder = producer.create_batch()
                    for value in lanes[lane]:
                        if builder.append(key=None, value=value, timestamp=None) is None:
                            builder.close()
                            pending.append(await producer.send_batch(builder, topic, partition=lane))
                            builder = producer.create_batch()
                            builder.append(key=None, value=value, timestamp=None)
                    builder.close()
                    pending.append(await producer.send_batch(builder, topic, partition=lane))
                    lanes[lane].clear()

                for value in values:
                    lane = sent % partitions
                    lanes[lane].append(value)
                    sent += 1
                    if len(lanes[lane]) >= batch:
                        await flush(lane)
                        if rate is not None:
                            await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
                for lane in range(partitions):
                    if lanes[lane]:
                        await flush(lane)
                await asyncio.gather(*pending)
                return sent
            finally:
                await producer.stop()

        return asyncio.run(run())

    def send(self, topic: str, records: Sequence[tuple[bytes | None, bytes]], timestamp_ms: int | None = None) -> None:
        """(key, value) each to Kafka's own partition for the key."""

        async def run() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self.address, acks="all")
            await producer.start()
            try:
                sent = [await producer.send(topic, value, key=key, timestamp_ms=timestamp_ms) for key, value in records]
                await asyncio.gather(*sent)
            finally:
                await producer.stop()

        asyncio.run(run())

    def ends(self, topic: str, partitions: int = PARTITIONS) -> dict[int, int]:
        async def ask(consumer: AIOKafkaConsumer) -> dict[int, int]:
            found = await consumer.end_offsets([TopicPartition(topic, p) for p in range(partitions)])
            return {place.partition: end for place, end in found.items()}

        return self._consumer(ask)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        async def ask(admin: AIOKafkaAdminClient) -> dict[int, int]:
            try:
                found = await admin.list_consumer_group_offsets(group)
            except GroupCoordinatorNotAvailableError:  # a broker that never had a group: nothing is committed
                return {}
            return {tp.partition: at.offset for tp, at in found.items() if tp.topic == topic and at.offset >= 0}

        return self._admin(ask)

    def read(self, topic: str, *, committed: bool = True, partitions: int = PARTITIONS) -> list[Read]:
        """All records of a topic as it is now."""

        async def run() -> list[Read]:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.address,
                isolation_level="read_committed" if committed else "read_uncommitted",
                auto_offset_reset="earliest",
            )
            await consumer.start()
            try:
                places = [TopicPartition(topic, p) for p in range(partitions)]
                consumer.assign(places)
                ends = await consumer.end_offsets(places)
                await consumer.seek_to_beginning(*places)
                found: list[Read] = []
                while any([await consumer.position(p) < ends[p] for p in places]):
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found += [Read(r.offset, r.key, r.value, r.timestamp, r.headers) for r in records]
                return found
            finally:
                await consumer.stop()

        return asyncio.run(run())

    def delete_before(self, topic: str, offsets: dict[int, int]) -> None:
        """DeleteRecords: the log of these partitions begins later."""
        from aiokafka.admin.records_to_delete import RecordsToDelete

        async def delete(admin: AIOKafkaAdminClient) -> None:
            await admin.delete_records({TopicPartition(topic, p): RecordsToDelete(o) for p, o in offsets.items()})

        self._admin(delete)

    def _admin(self, work: Callable[[AIOKafkaAdminClient], Coroutine[Any, Any, Result]]) -> Result:
        async def run() -> Result:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
            await admin.start()
            try:
                return await work(admin)
            finally:
                await admin.close()

        return asyncio.run(run())

    def _consumer(self, work: Callable[[AIOKafkaConsumer], Coroutine[Any, Any, Result]]) -> Result:
        async def run() -> Result:
            consumer = AIOKafkaConsumer(bootstrap_servers=self.address)
            await consumer.start()
            try:
                return await work(consumer)
            finally:
                await consumer.stop()

        return asyncio.run(run())
