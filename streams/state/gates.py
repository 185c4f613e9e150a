"""What each gateway sent, as it came: facts do not keep their gateway, so this is counted a batch at a time.

    tv:gates:{03}   hash   of partition 3 of `scans`: until      offset up to which its records are counted
                                                      g GATEWAY  the numbers of a Gate

The counts and the offset up to which they count are one key and move in one script: a batch that is delivered again
counts once, and a Redis that lost its last second lost both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.ports import Call, Store
from streams.state.replies import pairs_of

MANY = 2_000


class Gate(NamedTuple):
    """`day`: local day (of the records) that `scans` and `rejects` are of, the newest one. `newest`: timestamp (ms) of
    the newest record; `last_scan`: seconds UTC; `offset_ms`: median of `scanned_at` less the timestamp in the newest
    record with a scan, whose timestamp is `offset_at` (ms). 0 = none."""

    day: int
    scans: int
    rejects: int
    newest: int
    last_scan: int
    offset_at: int
    offset_ms: int


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
        args += [name, *gate]
    (reply,) = await store.run([Call("gates_add", (_key(partition),), tuple(args))])
    return int(reply)


async def read(store: Store, partition: int) -> dict[str, Gate]:
    (flat,) = await store.run([Call("HGETALL", (_key(partition),))])
    return {name[1:].decode(): Gate(*map(int, value.split(b" "))) for name, value in pairs_of(flat) if name[:1] == b"g"}


async def drop(store: Store, partition: int, names: list[str]) -> None:
    for at in range(0, len(names), MANY):
        await store.run([Call("HDEL", (_key(partition),), tuple(f"g{name}" for name in names[at : at + MANY]))])


def joined(a: Gate, b: Gate) -> Gate:
    """The same gateway in two partitions."""
    day = max(a.day, b.day)
    return Gate(
        day,
        sum(gate.scans for gate in (a, b) if gate.day == day),
        sum(gate.rejects for gate in (a, b) if gate.day == day),
        max(a.newest, b.newest),
        max(a.last_scan, b.last_scan),
        *max((gate.offset_at, gate.offset_ms) for gate in (a, b)),
    )
