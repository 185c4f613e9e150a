"""A small versioned table in Redis, with a copy in each worker that is brought up to date by what changed.

Used for what every worker needs whole and which changes seldom: venues, cases, infectious spans. Row and version move
in one script, so a copy that was read at version v holds every write up to v: "write, then look" (architecture.md,
section 2) rests on that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from streams.ports import Call, Store

Row = TypeVar("Row")
_REMEMBERED = 64  # changes of a copy, for whoever worked with it as it was
_TOO_MANY = 10_000


class Table(Generic[Row]):
    """`rows`: field → decoded row, as of `version`. `decode(field, bytes)` makes a row of what Redis holds."""

    def __init__(self, name: str, decode: Callable[[str, bytes], Row]) -> None:
        self._keys = tuple(f"tv:{{{name}}}:{part}" for part in ("rows", "log", "version"))
        self._decode = decode
        self.version = 0
        self.rows: dict[str, Row] = {}
        self._news: deque[tuple[int, set[str]]] = deque(maxlen=_REMEMBERED)
        self._told_from = 0

    def since(self) -> Call:
        """Asks for what changed since this copy; `take` the reply."""
        return Call("table_since", self._keys, (self.version,))

    def take(self, reply: list[bytes]) -> set[str]:
        """Bring the copy up to date; the fields that changed."""
        version = int(reply[0])
        if version <= self.version:  # another batch of this worker refreshed meanwhile, further than this reply
            return set()
        changed = set()
        for name, value in zip(reply[1::2], reply[2::2], strict=True):
            field = name.decode()
            changed.add(field)
            if value:
                self.rows[field] = self._decode(field, value)
            else:
                self.rows.pop(field, None)
        self.version = version
        if len(changed) > _TOO_MANY:
            self._news.clear()
            self._told_from = version
        elif changed:
            if len(self._news) == _REMEMBERED:
                self._told_from = self._news[0][0]
            self._news.append((version, changed))
        return changed

    def changed_since(self, version: int) -> set[str] | None:
        """The fields that changed in this copy after it was as of `version`; None when that is too long ago to tell.

        What `refresh` returns does not say it: several work with one copy, and whoever comes first takes the news.
        """
        if version < self._told_from:
            return None
        return {field for at, fields in self._news if at > version for field in fields}

    async def refresh(self, store: Store) -> set[str]:
        """Bring the copy up to date; the fields that changed. One cheap call when nothing did."""
        (reply,) = await store.run([self.since()])
        return self.take(reply)

    async def read(self, store: Store, field: str) -> bytes:
        """The row as it is in Redis now, b"" when there is none."""
        (value,) = await store.run([Call("HGET", (self._keys[0],), (field,))])
        return value or b""

    async def read_many(self, store: Store, fields: Iterable[str]) -> dict[str, bytes]:
        """Those that are there, as they are in Redis now."""
        names = list(fields)
        if not names:
            return {}
        (rows,) = await store.run([Call("HMGET", self._keys[:1], tuple(names))])
        return {name: row for name, row in zip(names, rows, strict=True) if row}

    async def put(self, store: Store, field: str, expected: bytes, row: bytes) -> bool:
        """Set (b"" = delete) if the row still is `expected`; False when somebody else was faster.

        A reply that was lost and asked for again finds the new row in place, and is true as well.
        """
        (done,) = await store.run([Call("table_put", self._keys, (field, expected, row))])
        return bool(done)

    async def put_many(self, store: Store, changes: Mapping[str, tuple[bytes, bytes]]) -> set[str]:
        """The same of several: field → (expected, row). Those where somebody else was faster."""
        calls = [Call("table_put", self._keys, (field, *change)) for field, change in changes.items()]
        replies = await store.run(calls)
        return {field for field, done in zip(changes, replies, strict=True) if not done}
