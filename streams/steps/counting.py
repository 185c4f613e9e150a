"""Who counts, and what happens when counting goes wrong.

The worker that has the first partition of `evaluate` counts for all. Two may believe to be that one for some seconds: a
worker that was paused writes what it had in mind, over newer figures, and nobody would ever look again. So each looks
for its own name before and after a round; who finds another's puts his own there and begins anew with all that is kept,
and so does the other one, until the former owner learns that the partition is gone.

Counting must not stop tracing: a fault in it is said once, shown as `degraded`, and tried again from the start.
"""

from __future__ import annotations

import logging
from uuid import uuid4

from streams.ports import Fenced, StoreChanged, StoreDown
from streams.state import dirty
from streams.steps.publicmeta import DEGRADED, say
from streams.steps.rollup import Rollup
from streams.steps.worker import Worker

logger = logging.getLogger("truyvet.counters")
PAUSE_MS = 10_000  # after a fault


class Counting:
    """`tick()` each second. What the store raises is the worker's to deal with; nothing else gets out."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._name = uuid4().hex
        self._rollup: Rollup | None = None
        self._said = ""
        self._again_at = 0

    async def tick(self) -> None:
        if self.worker.clock.now_ms() < self._again_at:
            return
        try:
            await self._round()
        except (StoreDown, StoreChanged, Fenced):
            self._rollup = None
            raise
        except Exception as error:
            await self._failed(error)
        else:
            self._said = ""

    async def _round(self) -> None:
        store = self.worker.store
        if await dirty.take_over(store, self._name) or self._rollup is None:
            self._rollup = Rollup(self.worker)
        await self._rollup.tick()
        if await dirty.take_over(store, self._name):
            self._rollup = None

    async def _failed(self, error: Exception) -> None:
        """A fault of ours, or data that nobody foresaw. No words of it: they may hold what was read."""
        self._rollup = None
        self._again_at = self.worker.clock.now_ms() + PAUSE_MS
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_qualname}:{where.tb_lineno}" if where is not None else "?"
        said = f"{type(error).__name__} in {place}"
        if said != self._said:
            self._said = said
            logger.error("the counters stand still: %s; tracing goes on, and counting is tried again", said)
        await say(self.worker.store, DEGRADED, self.worker.clock.now_ms())
