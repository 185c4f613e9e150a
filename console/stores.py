"""The Redis of the settings, for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
