"""Scans on disk until Kafka has them: `add` returns when they are safe there, `take` and `done` let one reader follow.

All that wait at one time share one write and one fsync (group commit): while the disk works, the next group gathers.
The state is touched on the event loop alone; the writing thread gets bytes and a descriptor. A write that failed leaves
perhaps some of its bytes: its segment is cut back and closed, and its numbers are never used again.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from console.gateway.cursor import Cursor
from console.gateway.frames import Frame, Record, encode, frame_at, frames, resume
from console.gateway.segments import Segment, create, cut_back, cut_torn_end, found_in, sync_folder, write_all

logger = logging.getLogger("truyvet.gateway")

SEGMENT_BYTES = 4 << 20
CHUNK_BYTES = 1 << 20  # more than the longest record has
MEMORY_BYTES = 32 << 20  # of records that wait for the disk
LEAST_AGE = 1.0  # seconds that a segment takes records before it goes because all of it is published
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SpoolFull(Exception):
    """No room: the spool's own limit (`of_disk` False), or the disk's."""

    def __init__(self, of_disk: bool) -> None:
        super().__init__("the disk is full" if of_disk else "the spool has reached its limit")
        self.of_disk = of_disk


class SpoolBusy(Exception):
    """More waits for the disk than is kept in memory."""


class SpoolTaken(Exception):
    """Another process works with this folder."""


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


class Spool:
    """`Spool(folder, limit)`, `start()` on the event loop, then `add`, `take` and `done`, in the end `close()`."""

    def __init__(self, folder: Path, limit: int) -> None:
        """`limit`: bytes of all segments. Cuts off a torn end. Raises OSError, SpoolTaken."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder, self.limit = folder, limit
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise SpoolTaken(f"another gateway works with {folder}") from None
        self._cursor = Cursor(folder / "cursor")
        self._segments = deque(found_in(folder))
        self._next = self._recover()
        self.bytes = sum(segment.size for segment in self._segments)
        self._at = 0  # in the first segment: where the next record to take begins
        self._taken: tuple[int, int] | None = None  # (place, number) behind what was taken
        self._active: Active | None = None
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._writing = False
        self._wake, self._news = asyncio.Event(), asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "spool")
        self.damaged_bytes = 0
        self.trouble = ""
        """why the disk took nothing the last time; empty when it did"""

    def _recover(self) -> int:
        """The number of the next record."""
        following = self._cursor.number
        if self._segments:
            newest = self._segments[-1]
            last = cut_torn_end(newest)
            following = max(following, newest.first if last is None else last + 1)
            if newest.size == 0:
                newest.path.unlink()
                self._segments.pop()
        while len(self._segments) > 1 and self._segments[1].first <= self._cursor.number:
            self._segments.popleft().path.unlink()
        sync_folder(self._folder)
        return following

    # -- what is there

    @property
    def empty(self) -> bool:
        """Whether all that is safe on the disk was published."""
        return self.bytes <= self._at

    @property
    def records(self) -> int:
        """How many records wait to be published (those of failed writes count until the spool is empty)."""
        return 0 if self.empty else self._next - max(self._cursor.number, self._segments[0].first)

    def oldest_ms(self) -> int | None:
        """When the oldest record was received that waits to be published."""
        for segment in list(self._segments):
            at = self._at if segment is self._segments[0] else 0
            frame = frame_at(segment.read(at, CHUNK_BYTES), 0) if at < segment.size else None
            if frame is not None:
                return frame.record.received_ms
        return None

    def room_for(self, size: int) -> bool:
        return self.bytes + self._waiting_bytes + size <= self.limit

    # -- in

    def start(self) -> None:
        self.committing = asyncio.create_task(self._commit_groups())

    async def add(self, records: Sequence[Record]) -> None:
        """Return when the records are safe on the disk, all or none. Raises SpoolFull, SpoolBusy, OSError."""
        size = sum(record.size for record in records)
        if not self.room_for(size):
            raise SpoolFull(of_disk=False)
        if self._waiting_bytes + size > MEMORY_BYTES:
            raise SpoolBusy
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(records, size, safe))
        self._waiting_bytes += size
        self._wake.set()
        await safe

    async def _commit_groups(self) -> None:
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
        first = self._next
        made = []
        for records, _, _ in group:
            for record in records:
                made.append(encode(self._next, record))
                self._next += 1
        failure: Exception | None = None
        self._writing = True
        try:
            await self._write(first, b"".join(made))
        except OSError as error:
            self.trouble = os.strerror(error.errno) if error.errno else type(error).__name__
            failure = SpoolFull(of_disk=True) if error.errno in FULL else error
        else:
            self.trouble = ""
        self._writing = False
        for _, size, safe in group:
            self._waiting_bytes -= size
            if safe.done():  # who asked has gone
                continue
            if failure is None:
                safe.set_result(None)
            else:
                safe.set_exception(failure)
        self._news.set()

    async def _write(self, first: int, data: bytes) -> None:
        in_thread = asyncio.get_running_loop().run_in_executor
        if self._active is not None and self._active.segment.size + len(data) > SEGMENT_BYTES:
            self._finish()
        if self._active is None:
            segment, descriptor = await in_thread(self._thread, create, self._folder, first)
            self._active = Active(segment, descriptor, time.monotonic())
            self._segments.append(segment)
        active = self._active
        try:
            await in_thread(self._thread, write_all, active.descriptor, data)
        except OSError:
            # What a failed fsync left is in no known state: nothing is appended to this segment again.
            await in_thread(self._thread, cut_back, active.segment, active.descriptor)
            self._finish()
            raise
        active.segment.size += len(data)
        self.bytes += len(data)

    def _finish(self) -> None:
        """Close the active segment: the next record begins a new one."""
        if self._active is not None:
            os.close(self._active.descriptor)
            self._active = None

    # -- out

    async def take(self) -> list[Frame]:
        """The oldest records that are not published, some at least; waits for them. Raises OSError: cannot be read.

        The next call gives the same ones, or what `done` left.
        """
        while True:
            self._news.clear()
            if self._segments and self._at < self._segments[0].size:
                found = await asyncio.to_thread(self._read, self._segments[0])
                if found:
                    self._taken = (found[-1].end, found[-1].number + 1)
                    return found
            elif not await self._let_go():
                await self._news.wait()

    def _read(self, segment: Segment) -> list[Frame]:
        """What is to be published of a chunk; moves on over what is published already, and over damage."""
        start = self._at
        run = frames(segment.read(start, CHUNK_BYTES))
        if not run:
            skipped = resume(segment.read(start), 0)
            logger.error("%s: %d damaged bytes at %d are left out", segment.path.name, skipped, start)
            self.damaged_bytes += skipped
            self._at = start + skipped
            return []
        found = [f._replace(end=start + f.end) for f in run if f.number >= self._cursor.number]
        if not found:
            self._at = start + run[-1].end
        return found

    async def done(self) -> None:
        """What was taken last is acknowledged by Kafka: move the cursor, let go of what nobody needs."""
        assert self._taken is not None
        self._at, number = self._taken
        self._taken = None
        try:
            await asyncio.to_thread(self._cursor.move, number)
        except OSError as error:  # it lags now: after a crash something is published again
            logger.warning("cannot note how far it was published: %s", error.strerror)
        await self._let_go()

    async def _let_go(self) -> bool:
        """Delete the first segment if all of it is published (a code lies here no longer than it must)."""
        if self._writing or not self._segments or self._at < self._segments[0].size:
            return False
        segment = self._segments[0]
        if self._active is not None and self._active.segment is segment:
            young = self._active.made + LEAST_AGE - time.monotonic()
            if young > 0:
                asyncio.get_running_loop().call_later(young, self._news.set)
                return False
            self._finish()
        self._segments.popleft()
        self.bytes -= segment.size
        self._at = 0
        try:
            await asyncio.to_thread(segment.path.unlink, True)
        except OSError as error:  # the next start deletes it
            logger.warning("cannot delete %s: %s", segment.path.name, error.strerror)
        return True

    async def close(self) -> None:
        """What waits for the disk gets there; what is published is deleted; the folder is free for another process."""
        while (self._waiting or self._writing) and not self.committing.done():
            await asyncio.sleep(0.01)
        self.committing.cancel()
        self._thread.shutdown()
        self._finish()
        while self._segments and await self._let_go():
            pass
        self._cursor.sync()
        self._cursor.close()
        os.close(self._lock)
