"""One record in a spool file: a head, a checksum, key and value. A torn one is told by its checksum.

| bytes | |
|---|---|
| 4 | 0xFF "TV1": no text in UTF-8 holds it, so nothing that a client sends looks like a frame |
| 4 | CRC-32 of all that follows |
| 4 | length of all that follows |
| 8 | number of the record: one more than that of the record before, gaps are allowed |
| 8 | when the gateway received it, ms since the epoch |
| 2 | scans in it |
| 2 | length of the key |
| | the key, the value |
"""

from __future__ import annotations

import struct
from typing import NamedTuple
from zlib import crc32

MAGIC = b"\xffTV1"
_FRONT = struct.Struct(">4sI")
_HEAD = struct.Struct(">IQQHH")
OVERHEAD = _FRONT.size + _HEAD.size
"""Bytes that a record needs beside its key and value."""


class Record(NamedTuple):
    """What is to be published: `key` = gateway_id, `value` = one scan or an array; `received_ms` since the epoch."""

    key: bytes
    value: bytes
    scans: int
    received_ms: int

    @property
    def size(self) -> int:
        return OVERHEAD + len(self.key) + len(self.value)


class Frame(NamedTuple):
    """A record in its file: `number` in the spool, `end` = place of the byte after it."""

    number: int
    record: Record
    end: int


def encode(number: int, record: Record) -> bytes:
    """The bytes of one record."""
    size = _HEAD.size + len(record.key) + len(record.value)
    rest = _HEAD.pack(size, number, record.received_ms, record.scans, len(record.key)) + record.key + record.value
    return _FRONT.pack(MAGIC, crc32(rest)) + rest


def frame_at(data: bytes, at: int) -> Frame | None:
    """The whole record that begins at `at`; None when there is none, or not all of it."""
    if len(data) - at < OVERHEAD or data[at : at + 4] != MAGIC:
        return None
    checksum = _FRONT.unpack_from(data, at)[1]
    start = at + _FRONT.size
    size, number, received_ms, scans, key_length = _HEAD.unpack_from(data, start)
    end = start + size
    if size < _HEAD.size + key_length or end > len(data) or crc32(memoryview(data)[start:end]) != checksum:
        return None
    key_end = start + _HEAD.size + key_length
    return Frame(number, Record(data[start + _HEAD.size : key_end], data[key_end:end], scans, received_ms), end)


def frames(data: bytes, at: int = 0, limit: int | None = None) -> list[Frame]:
    """The whole records from `at` on, one behind the other, at most `limit`."""
    found: list[Frame] = []
    while limit is None or len(found) < limit:
        frame = frame_at(data, at)
        if frame is None:
            break
        found.append(frame)
        at = frame.end
    return found


def resume(data: bytes, at: int) -> int:
    """Where after a damaged place the next whole record begins; the end of `data` when there is none."""
    while True:
        at = data.find(MAGIC, at + 1)
        if at < 0:
            return len(data)
        if frame_at(data, at) is not None:
            return at
