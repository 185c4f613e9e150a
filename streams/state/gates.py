"""What each gateway sent, as it came: facts do not keep their gateway, so this is counted a batch at a time.

    tv:gates:{03}   hash   of partition 3 of `scans`: until      offset up to which its records are counted
                                                      g GATEWAY  day, scans, rejects, last record, last scan, offset

The counts and the offset up to which they count are one key and move in one script: a batch that is delivered again
counts once, and a Redis that lost its last second lost both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.ports import Call, Store

MANY = 2_000


class Gate(NamedTuple):
    """`day`: local day (of the records) that `scans` and `rejects` are of, the newest one; `last_record`, `last_scan`:
    seconds UTC, 0 = none; `offset_ms`: median of `scanned_at` less the record's timestamp in the newest batch."""

    day: int
    scans: int
    rejects: int
    last_record: int
    last_scan: int
    offset_ms: int | None


def _key(partition: int) -> str:
    return f"tv:gates:{{{partition:02d}}}"


async def read_until(store: Store, partitions: Iterable[int]) -> list[int]:
    replies = await store.run([Call("HGET", (_key(p),), ("until",)) for p in partitions])
    return [int(reply or 0) for reply in replies]


async def add(store: Store, partition: int, known: int, until: int, found: Iterable[tuple[str, Gate]]) -> int:
    """Add what records [known, until) hold. The offset up to which it is counted now: `until`, or where somebody else
    came; then nothing was added."""
    args: list[bytes | str | int] = [known, until]
    for name, gate in found:
        args += [name, *gate[:5], "" if gate.offset_ms is None else gate.offset_ms]
    (reply,) = await store.run([Call("gates_add", (_key(partition),), tuple(args))])
    return int(reply)


async def read(store: Store, partition: int) -> dict[str, Gate]:
    (flat,) = await store.run([Call("HGETALL", (_key(partition),))])
    pairs = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
    return {name[1:].decode(): _gate(value) for name, value in pairs if name[:1] == b"g"}


def _gate(value: bytes) -> Gate:
    *numbers, offset = value.decode().split(" ")
    day, scans, rejects, record, scan = map(int, numbers)
    return Gate(day, scans, rejects, record, scan, int(offset) if offset else None)


async def drop(store: Store, partition: int, names: list[str]) -> None:
    for at in range(0, len(names), MANY):
        await store.run([Call("HDEL", (_key(partition),), tuple(f"g{name}" for name in names[at : at + MANY]))])


def joined(a: Gate, b: Gate) -> Gate:
    """The same gateway in two partitions."""
    newer = max(a, b, key=lambda gate: gate.last_record)
    day = max(a.day, b.day)
    return Gate(
        day,
        sum(gate.scans for gate in (a, b) if gate.day == day),
        sum(gate.rejects for gate in (a, b) if gate.day == day),
        newer.last_record,
        max(a.last_scan, b.last_scan),
        newer.offset_ms,
    )
