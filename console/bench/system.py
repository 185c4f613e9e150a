"""Kafka and Redis of the benchmark's own, on free ports, with their data in a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from streams.runtime.embedded import EmbeddedKafka, EmbeddedRedis
from streams.runtime.settings import Settings
from streams.runtime.topics import ensure_topics

PARTITIONS = 4
KEY = b"a key of the benchmark, of no use elsewhere"


class System:
    """`async with System() as system`. `await system.fresh("name.")` = topics with that prefix and an empty Redis."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="truyvet-bench-")
        self._data = Path(self._folder.name)
        self.kafka = EmbeddedKafka(self._data / "kafka")
        self.redis: EmbeddedRedis | None = None
        self._stores = 0

    async def __aenter__(self) -> System:
        try:
            self.kafka.start()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        if self.redis is not None:
            self.redis.stop()
        self.kafka.stop()
        self._folder.cleanup()

    async def fresh(self, prefix: str) -> Settings:
        """Settings for topics and a Redis that nothing was written to yet."""
        if self.redis is not None:
            self.redis.stop()
        self._stores += 1
        # A server of its own each time: memory and append-only file of the one before would be measured too.
        self.redis = EmbeddedRedis(self._data / f"redis-{self._stores}")
        self.redis.start()
        settings = replace(
            Settings.load({"TRUYVET_KAFKA": self.kafka.address, "TRUYVET_REDIS": self.redis.url}, run_file=None),
            key=KEY,
            topic_prefix=prefix,
            partitions=PARTITIONS,
        )
        await ensure_topics(settings, PARTITIONS)
        return settings

    def pids(self) -> dict[str, int]:
        assert self.redis is not None
        return {"redis": self.redis.pid, "kafka": self.kafka.pid}
