"""Scans on disk until Kafka has them: `add` returns when they are safe there; `take` and `done` are for one reader."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from console.gateway.committing import Committer, SpoolFull
from console.gateway.cursor import Cursor
from console.gateway.frames import Frame, Record, frame_at, frames, resume
from console.gateway.segments import Row, Segment, cut_torn_end, found_in, sync_folder

logger = logging.getLogger("truyvet.gateway")

CHUNK_BYTES = 1 << 20  # more than the longest record has
LEAST_AGE = 1.0  # seconds that a segment takes records before it goes because all of it is published


class SpoolTaken(Exception):
    """Another process works with this folder."""


class Spool:
    """`Spool(folder, limit)` and `start()` on the event loop, then `add`, `take` and `done`, in the end `close()`."""

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
        self._row = Row(found_in(folder))
        self._news = asyncio.Event()
        self.committer = Committer(folder, self._row, self._recover(), self._news)
        self._at = 0  # in the first segment: where the next record to take begins
        self._taken: tuple[int, int] | None = None  # (place, number) behind what was taken
        self.damaged_bytes = 0

    def _recover(self) -> int:
        """Tidy up after a sudden end; the number of the next record."""
        following = self._cursor.number
        segments = self._row.segments
        if segments:
            newest = segments[-1]
            last = cut_torn_end(newest)
            following = max(following, newest.first if last is None else last + 1)
            if newest.size == 0:
                newest.path.unlink()
                segments.pop()
        while len(segments) > 1 and segments[1].first <= self._cursor.number:
            segments.popleft().path.unlink()
        sync_folder(self._folder)
        self._row.bytes = sum(segment.size for segment in segments)
        return following

    def start(self) -> None:
        self.committer.start()

    # -- what is there

    @property
    def bytes(self) -> int:
        """On the disk, in segments."""
        return self._row.bytes

    @property
    def empty(self) -> bool:
        """Whether all that is safe on the disk was published."""
        return self._row.bytes <= self._at

    @property
    def records(self) -> int:
        """How many records wait to be published (those of failed writes count until the spool is empty)."""
        return 0 if self.empty else self.committer.following - max(self._cursor.number, self._row.segments[0].first)

    def oldest_ms(self) -> int | None:
        """When the oldest record was received that waits to be published. Raises OSError."""
        for place, segment in enumerate(list(self._row.segments)):
            at = 0 if place else self._at
            frame = frame_at(segment.read(at, CHUNK_BYTES), 0) if at < segment.size else None
            if frame is not None:
                return frame.record.received_ms
        return None

    def room_for(self, size: int) -> bool:
        return self._row.bytes + self.committer.waiting_bytes + size <= self.limit

    # -- in

    async def add(self, records: Sequence[Record]) -> None:
        """Return when the records are safe on the disk, all or none. Raises SpoolFull, SpoolBusy, OSError."""
        size = sum(record.size for record in records)
        if not self.room_for(size):
            raise SpoolFull(of_disk=False)
        await self.committer.add(records, size)

    # -- out

    async def take(self) -> list[Frame]:
        """The oldest records that are not published, some at least; waits for them. Raises OSError: cannot be read.

        The next call gives the same ones, or what `done` left.
        """
        while True:
            self._news.clear()
            segments = self._row.segments
            if segments and self._at < segments[0].size:
                found = await asyncio.to_thread(self._read, segments[0])
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
        segments, active = self._row.segments, self.committer.active
        if self.committer.writing or not segments or self._at < segments[0].size:
            return False
        segment = segments[0]
        if active is not None and active.segment is segment:
            young = active.made + LEAST_AGE - time.monotonic()
            if young > 0:
                asyncio.get_running_loop().call_later(young, self._news.set)
                return False
            self.committer.finish()
        segments.popleft()
        self._row.bytes -= segment.size
        self._at = 0
        try:
            await asyncio.to_thread(segment.path.unlink, True)
        except OSError as error:  # the next start deletes it
            logger.warning("cannot delete %s: %s", segment.path.name, error.strerror)
        return True

    async def close(self) -> None:
        """What waits for the disk gets there; what is published is deleted; the folder is free for another process."""
        await self.committer.close()
        while self._row.segments and await self._let_go():
            pass
        self._cursor.sync()
        self._cursor.close()
        os.close(self._lock)
