"""Reading topics back: ends, tails, single records; with consumers of no group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from streams.ports import Read
from streams.runtime.exits import LogDown

CHUNK = 5000  # records
POLL_MS = 200


class Readers:
    """`client`: aiokafka's settings for any client. `patience`: seconds without progress until LogDown."""

    def __init__(self, client: Mapping[str, Any], prefix: str, patience: float) -> None:
        self._client, self._prefix, self._patience = client, prefix, patience
        self._open: set[AIOKafkaConsumer] = set()
        self._asking: AIOKafkaConsumer | None = None
        self._starting = asyncio.Lock()

    async def close(self) -> None:
        for consumer in list(self._open):
            await self._stop(consumer)

    async def end(self, topic: str, partition: int) -> int:
        return (await self.ends([(topic, partition)]))[topic, partition]

    async def ends(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The last stable offsets of several (topic, partition), in one request a broker."""
        async with self._starting:
            if self._asking is None:
                self._asking = await self._start(committed=True)
        found = await self._asking.end_offsets([TopicPartition(self._prefix + topic, n) for topic, n in places])
        plain = len(self._prefix)
        return {(place.topic[plain:], place.partition): int(end) for place, end in found.items()}

    async def one(self, topic: str, partition: int, offset: int) -> bytes | None:
        """The record at `offset`, None when retention or compaction took it."""
        reads = self.tail(topic, partition, offset, committed=False, limit=offset + 1)
        try:
            async for chunk in reads:
                return chunk[0].value if chunk[0].offset == offset else None
        finally:
            await reads.aclose()
        return None

    async def tail(
        self, topic: str, partition: int, start: int, *, committed: bool, limit: int | None = None
    ) -> AsyncGenerator[list[Read], None]:
        """Chunks of records in [start, the end as it is now, at most `limit`). `committed=False` shows aborted ones."""
        place = TopicPartition(self._prefix + topic, partition)
        consumer = None
        try:
            consumer = await self._start(committed=committed)
            consumer.assign([place])
            end = int((await consumer.end_offsets([place]))[place])
            begin = int((await consumer.beginning_offsets([place]))[place])
            end = end if limit is None else min(end, limit)
            at = max(start, begin)
            consumer.seek(place, at)
            moved = time.monotonic()
            while at < end:
                found = (await consumer.getmany(place, timeout_ms=POLL_MS, max_records=CHUNK)).get(place, [])
                # Past the last record lie the end markers of transactions, which are no records: the position tells.
                before, at = at, int(await consumer.position(place))
                if at > before:
                    moved = time.monotonic()
                elif time.monotonic() - moved > self._patience:
                    raise LogDown(f"nothing to read from {topic}/{partition} at offset {at}, before its end at {end}")
                chunk = [Read(r.offset, r.key, r.value, r.timestamp, r.headers) for r in found if r.offset < end]
                if chunk:
                    yield chunk
        except KafkaError as error:
            raise LogDown(f"cannot read {topic}/{partition}: {type(error).__name__}") from error
        finally:
            if consumer is not None:
                await self._stop(consumer)

    async def _start(self, *, committed: bool) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed" if committed else "read_uncommitted",
            fetch_max_wait_ms=100,
            retry_backoff_ms=10,  # the first question about a topic is always asked twice
        )
        self._open.add(consumer)  # before the start: one that fails must be stopped as well
        try:
            await consumer.start()
        except BaseException:
            await self._stop(consumer)
            raise
        return consumer

    async def _stop(self, consumer: AIOKafkaConsumer) -> None:
        self._open.discard(consumer)
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(3.0):
                await consumer.stop()
