"""One clock for all workers of a system: Redis's.

Pauses, and what is to be looked at again at a time, are written by one worker and read by the next owner of the
partition. Where their clocks are an hour apart, a case's status would come an hour late; and Kafka refuses records that
say they are more than an hour ahead of its own clock.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from streams.ports import Call

if TYPE_CHECKING:
    from streams.runtime.redis import RedisStore

logger = logging.getLogger("truyvet.worker")

_SLOW_MS = 250  # an answer that took longer says nothing of now
_WARN_MS = 5000


class SharedClock:
    """This machine's clock, set by Redis's: now, and each time `set` is called."""

    def __init__(self) -> None:
        self._behind_ms = 0
        self._was_set = self._said = False

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._behind_ms

    async def set(self, store: RedisStore) -> None:
        """Raises StoreDown, StoreChanged."""
        asked = time.monotonic_ns()
        ((seconds, micros),) = await store.servers[0].run([Call("TIME", ())])
        took_ms = (time.monotonic_ns() - asked) // 1_000_000
        if took_ms > _SLOW_MS and self._was_set:
            return
        self._was_set = True
        self._behind_ms = int(seconds) * 1000 + int(micros) // 1000 - time.time_ns() // 1_000_000
        if abs(self._behind_ms) > _WARN_MS and not self._said:
            self._said = True
            how = "behind" if self._behind_ms > 0 else "ahead of"
            logger.warning(
                "this machine's clock is %d s %s that of Redis, which is the one that counts",
                abs(self._behind_ms) // 1000,
                how,
            )
