"""Publish lines of scans as a gateway would: one a record or many, at once or in the data's own pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from console.arriving import Arriving
from console.publishing import RECORD_LIMIT, Publisher
from schemas.decoding import decode_scan_records

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

MAX_BATCH = 1_000
_BATCH_BYTES = 768 << 10
"""the contract's limits of one gateway batch (messages.md, `scans`)"""
_LOOK = 1_000


class Replay:
    """Publishes lines to `scans` and counts them.

    A replay corrects nothing: a bad line is published too, and rejected like any gateway's; `bad` says how many.
    `batch` > 1 puts so many scans into one record; what cannot stand in an array (broken JSON, a line that is an array
    itself) travels as a record of its own, so that it harms no neighbour.
    `speed`: seconds of the data's own time for a second of ours; None = as fast as it goes. Lines are sent in file
    order: one that is older than its forerunners goes at once.
    `timestamps`: "now", or "data" = each record carries the time of its (first) scan.
    """

    def __init__(
        self, settings: Settings, *, batch: int = 1, speed: float | None = None, timestamps: str = "now"
    ) -> None:
        self.settings, self.batch, self.speed = settings, batch, speed
        self.data_time = timestamps == "data"
        self.lines = self.scans = self.records = self.bad = self.too_long = 0
        self.oldest: int | None = None
        """seconds since the epoch of the earliest good scan"""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._held_time: int | None = None
        self._began: tuple[float, int] | None = None
        self._tell: Callable[[], None] = lambda: None

    async def run(self, sources: Iterable[Iterable[bytes] | Arriving], tell: Callable[[], None] = lambda: None) -> None:
        """Publish all lines; returns when Kafka has acknowledged every one. `tell` is called every so many lines.

        Lines of an `Arriving` source are sent when they are there, those of others when a batch is full.
        """
        self._tell = tell
        async with Publisher(self.settings, "scans") as out:
            for source in sources:
                if isinstance(source, Arriving):
                    async for lines in source.chunks():
                        await self._lines(out, lines)
                        await self._release(out)
                        await out.flush()
                else:
                    await self._lines(out, source)
            await self._release(out)
            await out.flush()
            self.records = out.records
        tell()

    async def _lines(self, out: Publisher, lines: Iterable[bytes]) -> None:
        source = iter(lines)
        while chunk := list(islice(source, _LOOK)):
            await self._chunk(out, chunk)
            self._tell()
            # Nothing else here is sure to let the sender run: a full buffer is not the only reason to wait.
            await asyncio.sleep(0)

    async def _chunk(self, out: Publisher, lines: list[bytes]) -> None:
        """Some lines, checked together (one by one costs ten times as much), sent in order."""
        columns, problems = decode_scan_records(lines, [()] * len(lines))
        self.lines += len(lines)
        self.scans += len(columns.seconds)
        self.bad += len(problems)
        if len(columns.seconds):
            oldest = int(columns.seconds.min())
            self.oldest = oldest if self.oldest is None else min(self.oldest, oldest)
        seconds: list[int | None] = [None] * len(lines)
        # Backwards, so that the first scan of a line that holds several is the one that stays.
        for at, second in zip(columns.record[::-1].tolist(), columns.seconds[::-1].tolist(), strict=True):
            seconds[at] = second
        broken = {at for at, problem in problems if problem.reason == "not_json"}
        for at, (line, second) in enumerate(zip(lines, seconds, strict=True)):
            if len(line) > RECORD_LIMIT:
                self.too_long += 1
                continue
            if self.speed is not None and second is not None:
                await self._keep_pace(out, second, self.speed)
            if self.batch == 1:
                await out.add(line, self._stamp(second))
            elif at in broken or line.startswith(b"["):
                # Scans before this one in the file leave before it.
                await self._release(out)
                await out.add(line, self._stamp(second))
            else:
                await self._hold(out, line, second)

    async def _hold(self, out: Publisher, line: bytes, second: int | None) -> None:
        """Keep a line for the batch that is being filled."""
        if self._held and self._held_bytes + len(line) + 2 > _BATCH_BYTES:
            await self._release(out)
        if self._held_time is None:
            self._held_time = second
        self._held.append(line)
        self._held_bytes += len(line) + 1
        if len(self._held) >= self.batch:
            await self._release(out)

    async def _release(self, out: Publisher) -> None:
        if self._held:
            await out.add(b"[" + b",".join(self._held) + b"]", self._stamp(self._held_time))
            self._held, self._held_bytes, self._held_time = [], 0, None

    def _stamp(self, second: int | None) -> int | None:
        return second * 1000 if self.data_time and second is not None else None

    async def _keep_pace(self, out: Publisher, second: int, speed: float) -> None:
        if self._began is None:
            self._began = time.monotonic(), second
        due = self._began[0] + (second - self._began[1]) / speed
        wait = due - time.monotonic()
        if wait > 0.02:
            self._tell()
            # Whatever is due must not sit in a half full batch while we sleep.
            await self._release(out)
            await out.flush()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
