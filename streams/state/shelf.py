"""Rows by key in Redis, looked up when needed: for what is too much for a copy in every worker (see table.py for that).

    tv:shelf:NAME:{1f}   hash  field (bytes) → row

A row changes only from what it was expected to be, so the greatest of several writers stays, whoever came last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

from streams.ports import Call, Store
from streams.state.layout import BUCKETS, tag


class Shelf:
    """The same `read`, `read_many`, `put` and `put_many` as a Table has."""

    def __init__(self, name: str) -> None:
        self._keys = [f"tv:shelf:{name}:{tag(bucket)}" for bucket in range(BUCKETS)]

    def _key(self, field: bytes) -> str:
        return self._keys[crc32(field) % BUCKETS]

    def _by_key(self, fields: Iterable[bytes]) -> dict[str, list[bytes]]:
        groups: dict[str, list[bytes]] = {}
        for field in fields:
            groups.setdefault(self._key(field), []).append(field)
        return groups

    def question(self, field: bytes) -> Call:
        """Whose reply is the row, or None."""
        return Call("HGET", (self._key(field),), (field,))

    async def read(self, store: Store, field: bytes) -> bytes:
        """The row as it is in Redis now, b"" when there is none."""
        (row,) = await store.run([self.question(field)])
        return row or b""

    async def read_many(self, store: Store, fields: Iterable[bytes]) -> dict[bytes, bytes]:
        """Those that are there."""
        return (await read_shelves(store, (self, fields)))[0]

    async def put(self, store: Store, field: bytes, expected: bytes, row: bytes) -> bool:
        """Set if the row still is `expected` (b"" = none); False when somebody else was faster."""
        (done,) = await store.run([Call("shelf_put", (self._key(field),), (field, expected, row))])
        return bool(done)

    async def put_many(self, store: Store, changes: Mapping[bytes, tuple[bytes, bytes]]) -> set[bytes]:
        """The same of several: field → (expected, row). Those where somebody else was faster."""
        calls = [Call("shelf_put", (self._key(field),), (field, *change)) for field, change in changes.items()]
        replies = await store.run(calls)
        return {field for field, done in zip(changes, replies, strict=True) if not done}

    async def drop(self, store: Store, fields: Iterable[bytes]) -> None:
        """Take rows away, whatever they are."""
        await store.run([Call("HDEL", (key,), tuple(names)) for key, names in self._by_key(fields).items()])

    def set_many(self, rows: Mapping[bytes, bytes]) -> list[Call]:
        """Calls that write rows, for those that never change."""
        return [
            Call("HSET", (key,), tuple(word for field in names for word in (field, rows[field])))
            for key, names in self._by_key(rows).items()
        ]


async def read_shelves(
    store: Store, *wanted: tuple[Shelf, Iterable[bytes]], after: Sequence[Call] = ()
) -> list[dict[bytes, bytes]]:
    """Rows of several shelves in one go: those that are there. `after`: what is to be done first, at least where it is
    of the same field (calls of one slot keep their order, in a cluster too)."""
    groups = [(at, key, names) for at, (of, fields) in enumerate(wanted) for key, names in of._by_key(fields).items()]
    replies = await store.run([*after, *(Call("HMGET", (key,), tuple(names)) for _, key, names in groups)])
    found: list[dict[bytes, bytes]] = [{} for _ in wanted]
    for (at, _, names), rows in zip(groups, replies[len(after) :], strict=True):
        found[at].update((name, row) for name, row in zip(names, rows, strict=True) if row)
    return found
