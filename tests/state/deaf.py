"""A log that nobody hears."""

from __future__ import annotations

from collections.abc import Sequence

from streams.ports import Out
from tests.simulation.kafka import Kafka


class DeafLog:
    """What the steps send goes nowhere; what they read back is the world's own."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka

    async def send(self, records: Sequence[Out]) -> None: ...

    def partition_of(self, topic: str, key: bytes) -> int:
        return 0

    async def origin(self, topic: str, partition: int, offset: int) -> bytes | None:
        return self._kafka.partition(topic, partition).records[offset].value
