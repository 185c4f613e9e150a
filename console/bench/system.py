"""Kafka and Redis of the benchmark's own, on free ports, with their data in a folder that is gone afterwards."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from aiokafka.admin import AIOKafkaAdminClient

from console.trouble import Trouble
from streams.runtime.embedded import EmbeddedKafka, EmbeddedRedis
from streams.runtime.settings import Settings
from streams.runtime.topics import TOPICS, ensure_topics

PARTITIONS = 4
PATIENCE = 60.0
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
        await self._topics(settings)
        return settings

    async def _topics(self, settings: Settings) -> None:
        """Make them, and wait until every client will see them: on a busy machine that takes the broker a while."""
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
        await admin.start()
        try:
            # A peer's changelogs too: thousands of partitions would make the broker slower from turn to turn.
            old = [topic for topic in await admin.list_topics() if not topic.startswith("__")]
            if old:
                await admin.delete_topics(old)
            await ensure_topics(settings, PARTITIONS)
            made = [settings.topic_prefix + topic.name for topic in TOPICS]
            deadline = time.monotonic() + PATIENCE
            while any(entry["error_code"] for entry in await admin.describe_topics(made)):
                if time.monotonic() > deadline:
                    raise Trouble(f"Kafka did not make its topics within {PATIENCE:.0f} s")
                await asyncio.sleep(0.1)
        finally:
            await admin.close()

    def pids(self) -> dict[str, int]:
        assert self.redis is not None
        return {"redis": self.redis.pid, "kafka": self.kafka.pid}
