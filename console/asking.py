"""A worker that only asks: for commands that work something out of what Redis holds, and write nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from console.auditing import open_log
from console.stores import open_store
from console.trouble import Trouble

if TYPE_CHECKING:
    from streams.runtime.settings import Settings
    from streams.steps.worker import Worker


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[Worker]:
    """Raises Trouble when Redis holds no state that may be believed, or Kafka does not answer."""
    from streams.runtime.serving import make_worker
    from streams.steps.worker import ready_generation

    async with open_store(settings) as store, open_log(settings) as log:
        generation = await ready_generation(store)
        if generation is None:
            raise Trouble("Redis holds no state that is ready: see `truyvet status`")
        yield make_worker(settings, store, log, generation.id)
