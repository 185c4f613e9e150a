"""The Redis of the settings, for one command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from streams.runtime.redis import RedisStore

if TYPE_CHECKING:
    from streams.runtime.settings import Settings
    from streams.steps.rebuild import Work

_PATIENCE = 3.0
"""seconds: somebody sits in front of the terminal"""

_AT_ONCE = 3
"""partitions that a rebuild reads: what each holds in memory is a few fetches"""


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
            await log.clock.set(store)
            generation = await rebuild(
                store,
                log,
                log.partitions("scans"),
                lambda name: make_worker(settings, store, log, name),
                tell,
                _several,
            )
        finally:
            await log.close()
    return generation.id


async def _several(work: Sequence[Work]) -> None:
    """All of it, `_AT_ONCE` at a time; the first that fails ends the rest."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Work) -> None:
        async with places:
            await each()

    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(one(each))
