"""The port to Kafka over the simulation's Kafka in memory, with nothing that waits or fails: for many records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import lru_cache

from streams.ports import Out, Read
from tests.simulation.kafka import Kafka


class MemoryLog:
    """One process's. `now_ms` stamps what it sends."""

    def __init__(self, kafka: Kafka, now_ms: int) -> None:
        self._kafka, self._now_ms = kafka, now_ms
        self._epochs: dict[str, int] = {}
        self._turn = 0
        self._place = lru_cache(100_000)(kafka.partition_of)  # murmur2 in Python takes its time

    async def send(self, records: Sequence[Out]) -> None:
        for out in records:
            self._turn += 1
            number = self._place(out.topic, out.key) if out.key is not None else self._turn
            place = self._kafka.topics[out.topic][number % len(self._kafka.topics[out.topic])]
            place.append(self._now_ms, out.key, out.value, out.headers)

    def partition_of(self, topic: str, key: bytes) -> int:
        return self._place(topic, key)

    async def fence(self, partition: int, *, line: str = "e") -> None:
        self._epochs[f"{line}-{partition}"] = self._kafka.init_producer(f"{line}-{partition}")

    async def publish(self, partition: int, records: Sequence[Out], *, line: str = "e") -> None:
        producer = f"{line}-{partition}"
        epoch = self._epochs[producer]
        for out in records:
            key = out.key or b""
            number = out.partition if out.partition is not None else self._place(out.topic, key)
            assert number == partition, f"{out.topic}: a record of partition {partition} goes to partition {number}"
            self._kafka.write(producer, epoch, out.topic, number, self._now_ms, key, out.value, out.headers)
        self._kafka.commit(producer, epoch)
        self._kafka.finish(producer)

    async def end(self, topic: str, partition: int) -> int:
        return self._kafka.partition(topic, partition).end  # no transaction is ever left open here

    async def tail(self, topic: str, partition: int, start: int, *, committed: bool) -> AsyncIterator[list[Read]]:
        seen = [r for r in self._kafka.partition(topic, partition).records[start:] if r.visible(committed)]
        if seen:
            yield [Read(r.offset, r.key, r.value, r.timestamp, r.headers) for r in seen]

    async def origin(self, topic: str, partition: int, offset: int) -> bytes | None:
        return self._kafka.partition(topic, partition).records[offset].value
