"""The Redis of the settings, for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from streams.runtime.redis import RedisStore

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

_PATIENCE = 3.0
"""seconds: somebody sits in front of the terminal"""


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[RedisStore]:
    """Raises StoreDown when no Redis answers."""
    store = await RedisStore.open(settings.redis, patience=_PATIENCE)
    try:
        yield store
    finally:
        await store.close()


async def rebuild_with(settings: Settings, tell: Callable[[str, int, int], None]) -> str:
    """Rebuild the Redis state from Kafka; returns the new generation's id. `tell(stage, done, total)` is called as it
    goes. Raises what streams.steps.rebuild, Kafka and Redis raise; it may be begun again."""
    from streams.runtime.kafka import KafkaLog
    from streams.runtime.serving import make_worker
    from streams.steps.rebuild import rebuild

    async with open_store(settings) as store:
        log = await KafkaLog.open(settings)
        try:
            generation = await rebuild(
                store, log, log.partitions("scans"), lambda name: make_worker(settings, store, log, name), tell
            )
        finally:
            await log.close()
    return generation.id
