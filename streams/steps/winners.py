"""Who wins (messages.md): of all records with one key the one with the greatest (`updated_at`, value bytes), whatever
came last; of what is said of a person or an exposure the newest `at` before that (rules 7 and 8). For records that hold
a code, whose bytes are not kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from streams.ports import Log, Store
from streams.rules.codes import Pseudonymiser

Origin = tuple[str, int, int]


class Stamped(Protocol):
    """What a row says of the record that it came from. `origin` = topic, partition, offset."""

    @property
    def rank(self) -> tuple[int, ...]:
        """What decides before the records' bytes do."""
        ...

    @property
    def digest(self) -> bytes: ...
    @property
    def origin(self) -> Origin: ...


class Keeper(Protocol):
    """A Table or a Shelf."""

    async def read(self, store: Store, field: Any) -> bytes: ...
    async def read_many(self, store: Store, fields: Iterable[Any]) -> dict[Any, bytes]: ...
    async def put(self, store: Store, field: Any, expected: bytes, row: bytes) -> bool: ...
    async def put_many(self, store: Store, changes: Mapping[Any, tuple[bytes, bytes]]) -> set[Any]: ...


Row = TypeVar("Row", bound=Stamped)
New = TypeVar("New")


def record_digest(pseudonymiser: Pseudonymiser, value: bytes) -> bytes:
    """16 bytes that tell records apart. Keyed like a pseudonym: a plain digest would let anybody guess the code."""
    return pseudonymiser.digest("record " + sha256(value).hexdigest())


async def win(
    store: Store,
    log: Log,
    keeper: Keeper,
    field: Any,
    new: Row,
    value: bytes,
    encode: Callable[[Row], bytes],
    decode: Callable[[bytes], Row],
) -> None:
    """Put the row in the keeper unless a greater one is there; `value` = the record that it came from."""
    await win_all(store, log, keeper, {field: [(new, value)]}, encode, decode)


async def win_all(
    store: Store,
    log: Log,
    keeper: Keeper,
    new: Mapping[Any, Sequence[tuple[Row, bytes]]],
    encode: Callable[[Row], bytes],
    decode: Callable[[bytes], Row],
) -> None:
    """The same of several fields, each with rows and their records."""

    async def greatest(row: bytes, several: Sequence[tuple[Row, bytes]]) -> bytes:
        for each, value in several:
            if not row or await beats(log, each, value, decode(row)):
                row = encode(each)
        return row

    await change_all(store, keeper, new, greatest)


async def change_all(
    store: Store, keeper: Keeper, new: Mapping[Any, New], changed: Callable[[bytes, New], Awaitable[bytes]]
) -> None:
    """Make of each field's row (b"" = none) and of what is new what `changed` makes of them, in two questions for all
    of them; again where somebody else changed a row meanwhile."""
    while new:
        had = await keeper.read_many(store, new)
        changes = {}
        for field, what in new.items():
            before = had.get(field, b"")
            after = await changed(before, what)
            if after != before:
                changes[field] = before, after
        slower = await keeper.put_many(store, changes) if changes else set()
        new = {field: what for field, what in new.items() if field in slower}


async def beats(log: Log, new: Stamped, value: bytes, old: Stamped) -> bool:
    """Whether the record `value` is greater than the one that the old row came from."""
    if (told := _told(new, old)) is not None:
        return told
    other = await log.origin(*old.origin)
    return value > other if other is not None else new.digest > old.digest


async def greater(log: Log, one: Stamped, other: Stamped) -> bool:
    """Whether the record of `one` is greater, neither record being at hand. Where they tie and one is gone: no."""
    if (told := _told(one, other)) is not None:
        return told
    first, second = await log.origin(*one.origin), await log.origin(*other.origin)
    return first is not None and second is not None and first > second


def _told(one: Stamped, other: Stamped) -> bool | None:
    """Whether the first is greater, as far as rows tell. None: their records' bytes decide. They hold a code, so they
    are not kept, and have to be read again."""
    if one.rank != other.rank:
        return one.rank > other.rank
    return False if one.digest == other.digest else None
