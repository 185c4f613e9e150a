"""The files of a spool: `<first number>.seg`, 20 digits, only ever appended to by the process that made them."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from console.gateway.frames import Frame, frames, resume

logger = logging.getLogger("truyvet.gateway")

_SUFFIX = ".seg"
_DIGITS = 20


@dataclass
class Segment:
    """One file: `size` = bytes of it that are safely on the disk, `first` = number of its first record."""

    path: Path
    first: int
    size: int

    def read(self, at: int, most: int | None = None) -> bytes:
        """Bytes from `at` on, up to what is safe and to `most`. Raises OSError."""
        length = self.size - at if most is None else min(most, self.size - at)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, length, at)
        finally:
            os.close(descriptor)


class Row:
    """All segments, oldest first; `bytes` = how many of them are safe on the disk."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self.segments = deque(segments)
        self.bytes = sum(segment.size for segment in self.segments)


def found_in(folder: Path) -> list[Segment]:
    """The segments that are there, oldest first."""
    names = sorted(p for p in folder.glob("*" + _SUFFIX) if len(p.stem) == _DIGITS and p.stem.isdigit())
    return [Segment(path, int(path.stem), path.stat().st_size) for path in names]


def cut_torn_end(segment: Segment) -> int | None:
    """Cut off what a sudden end left behind the last whole record, which nobody was told is safe.

    The number of the last record, None when there is none. Records behind a damaged place in the middle stay: only a
    disk that went wrong makes one, and what is whole was perhaps confirmed. Raises OSError.
    """
    data = segment.read(0)
    last: Frame | None = None
    at = 0
    while at < len(data):
        run = frames(data, at)
        if run:
            last = run[-1]
        at = run[-1].end if run else resume(data, at)
    end = last.end if last else 0
    if end < segment.size:
        with segment.path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
        segment.size = end
    return last.number if last else None


def create(folder: Path, first: int) -> tuple[Segment, int]:
    """A new segment and its descriptor; the name is on the disk by then. Raises OSError, and leaves nothing."""
    path = folder / f"{first:0{_DIGITS}}{_SUFFIX}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        sync_folder(folder)
    except OSError:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return Segment(path, first, 0), descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Append and wait until the disk has it. Raises OSError; how much is there then nobody knows."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fdatasync(descriptor)


def cut_back(segment: Segment, descriptor: int) -> None:
    """After a failed write: cut the file to what is safe of it. Never raises."""
    try:
        os.ftruncate(descriptor, segment.size)
        os.fsync(descriptor)
    except OSError as error:
        # What is left there is whole or torn, has numbers of its own, and was refused: publishing it does no harm.
        logger.warning("cannot cut %s back: %s", segment.path.name, error.strerror)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
