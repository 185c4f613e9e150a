"""How far a spool was published: a number in 12 bytes, rewritten in place.

It may lag (then something is published again, which the pipeline bears), and must never lead. So it is written after
each acknowledgement, where a kill -9 cannot take it back, and brought to the disk once a second. One that is torn or
lost counts as 0: everything that is still there is published again.
"""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from zlib import crc32

_FORM = struct.Struct(">QI")
_SYNC_EACH = 1.0  # seconds


class Cursor:
    """`number`: all records below it are published."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.number = _read(self._descriptor)
        self._write()  # has its place on the disk from now on, also when the disk is full
        self._synced = 0.0

    def move(self, number: int) -> None:
        """Remember that all records below `number` are published. Raises OSError."""
        self.number = number
        self._write()
        if time.monotonic() - self._synced > _SYNC_EACH:
            self.sync()

    def _write(self) -> None:
        os.pwrite(self._descriptor, _FORM.pack(self.number, crc32(self.number.to_bytes(8, "big"))), 0)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)
        self._synced = time.monotonic()

    def close(self) -> None:
        os.close(self._descriptor)


def _read(descriptor: int) -> int:
    data = os.pread(descriptor, _FORM.size, 0)
    if len(data) < _FORM.size:
        return 0
    number, checksum = _FORM.unpack(data)
    return int(number) if crc32(data[:8]) == checksum else 0
