"""Group commit: all that wait at one time share one write and one fsync; while the disk works, the next group gathers.

The state is touched on the event loop alone; the writing thread gets bytes and a descriptor. A write that failed leaves
perhaps some of its bytes: its segment is cut back and closed, and its numbers are never used again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from console.gateway.frames import Record, encode
from console.gateway.segments import Row, Segment, create, cut_back, write_all

SEGMENT_BYTES = 4 << 20
MEMORY_BYTES = 32 << 20  # of records that wait for the disk
FORGIVE = 10.0  # seconds after which a write that failed says nothing about the next
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SpoolFull(Exception):
    """No room: the spool's own limit (`of_disk` False), or the disk's."""

    def __init__(self, of_disk: bool) -> None:
        super().__init__("the disk is full" if of_disk else "the spool has reached its limit")
        self.of_disk = of_disk


class SpoolBusy(Exception):
    """More waits for the disk than is kept in memory."""


class Active(NamedTuple):
    """The segment that takes records; `made` on the monotonic clock."""

    segment: Segment
    descriptor: int
    made: float


class Waiting(NamedTuple):
    """Records of one call that wait for the disk; `safe` is set when they are there."""

    records: Sequence[Record]
    size: int
    safe: asyncio.Future[None]


class Committer:
    """Appends to the newest segment of `row`; `following` = number of the next record. `start()` on the event loop."""

    def __init__(self, folder: Path, row: Row, following: int, news: asyncio.Event) -> None:
        """`news` is set whenever more is safe on the disk."""
        self._folder, self._row, self._news = folder, row, news
        self.following = following
        self.active: Active | None = None
        self.writing = False
        self.waiting_bytes = 0
        self._waiting: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "spool")
        self._trouble = ("", 0.0)  # and when, on the monotonic clock

    def start(self) -> None:
        self.task = asyncio.create_task(self._run())

    @property
    def trouble(self) -> str:
        """Why the disk took nothing the last time. Empty when it did, and when that is a while ago: a load balancer
        that asks must see it try again."""
        why, when = self._trouble
        return why if time.monotonic() - when < FORGIVE else ""

    async def add(self, records: Sequence[Record], size: int) -> None:
        """Return when the records are safe on the disk, all or none. Raises SpoolFull, SpoolBusy, OSError."""
        if self.waiting_bytes + size > MEMORY_BYTES:
            raise SpoolBusy
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(records, size, safe))
        self.waiting_bytes += size
        self._wake.set()
        await safe

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._commit(self._group())

    def _group(self) -> list[Waiting]:
        group = [self._waiting.popleft()]
        size = group[0].size
        while self._waiting and size + self._waiting[0].size <= SEGMENT_BYTES:
            group.append(self._waiting.popleft())
            size += group[-1].size
        return group

    async def _commit(self, group: list[Waiting]) -> None:
        first = self.following
        made = []
        for waiting in group:
            for record in waiting.records:
                made.append(encode(self.following, record))
                self.following += 1
        failure: Exception | None = None
        self.writing = True
        try:
            await self._write(first, b"".join(made))
        except OSError as error:
            self._trouble = (os.strerror(error.errno) if error.errno else type(error).__name__, time.monotonic())
            failure = SpoolFull(of_disk=True) if error.errno in FULL else error
        else:
            self._trouble = ("", 0.0)
        self.writing = False
        for _, size, safe in group:
            self.waiting_bytes -= size
            if safe.done():  # who asked has gone
                continue
            if failure is None:
                safe.set_result(None)
            else:
                safe.set_exception(failure)
        self._news.set()

    async def _write(self, first: int, data: bytes) -> None:
        in_thread = asyncio.get_running_loop().run_in_executor
        if self.active is not None and self.active.segment.size + len(data) > SEGMENT_BYTES:
            self.finish()
        if self.active is None:
            segment, descriptor = await in_thread(self._thread, create, self._folder, first)
            self.active = Active(segment, descriptor, time.monotonic())
            self._row.segments.append(segment)
        active = self.active
        try:
            await in_thread(self._thread, write_all, active.descriptor, data)
        except OSError:
            # What a failed fsync left is in no known state: nothing is appended to this segment again.
            await in_thread(self._thread, cut_back, active.segment, active.descriptor)
            self.finish()
            raise
        active.segment.size += len(data)
        self._row.bytes += len(data)

    def finish(self) -> None:
        """Close the active segment: the next record begins a new one."""
        if self.active is not None:
            os.close(self.active.descriptor)
            self.active = None

    async def close(self) -> None:
        """What waits for the disk gets there."""
        while (self._waiting or self.writing) and not self.task.done():
            await asyncio.sleep(0.01)
        self.task.cancel()
        self._thread.shutdown()
        self.finish()
