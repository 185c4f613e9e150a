"""How many records the workers have before them, for `tv:pub:meta`."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

from streams.runtime.exits import LogDown
from streams.runtime.kafka import KafkaLog
from streams.runtime.redis import RedisStore
from streams.runtime.topics import INPUTS, INTERNAL
from streams.state.generation import read_offsets

PATIENCE = 3.0  # seconds: figures are of more use than the word that they are exact
STUCK = 2.0

Place = tuple[str, int]


class Lag:
    """Ends of topics less what was taken in.

    At the end of a partition there may be no record at all, only the mark of a transaction, which nobody ever takes in.
    So where nothing moves it is looked whether there is a record.
    """

    def __init__(self, store: RedisStore, log: KafkaLog) -> None:
        self._store, self._log = store, log
        self._since: dict[Place, tuple[int, int, float]] = {}  # taken in, end, seen first at
        self._nothing: dict[Place, tuple[int, int]] = {}

    async def records(self) -> int | None:
        """None when Kafka does not say."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._records()
        except (LogDown, TimeoutError):
            return None

    async def _records(self) -> int:
        ends = await self._log.ends((*INPUTS, *INTERNAL))
        done = await read_offsets(self._store)
        left = 0
        for place, end in ends.items():
            at = done.get(place, 0)
            if at >= end or self._nothing.get(place) == (at, end):
                continue
            if await self._stuck(place, at, end) and await self._empty(place, at):
                self._nothing[place] = (at, end)
                continue
            left += end - at
        return left

    async def _stuck(self, place: Place, at: int, end: int) -> bool:
        had = self._since.get(place)
        if had is None or had[:2] != (at, end):
            self._since[place] = (at, end, time.monotonic())
            return False
        return time.monotonic() - had[2] >= STUCK

    async def _empty(self, place: Place, at: int) -> bool:
        self._since.pop(place)  # not again before it was stuck for as long
        async with aclosing(self._log.tail(*place, at, committed=True)) as chunks:
            async for chunk in chunks:
                return not chunk
        return True
