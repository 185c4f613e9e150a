"""The local days of which there are scans, and destroying all of one.

    tv:days   hash   day (4 hexadecimal digits) → how often a worker told that it has scans of it
                     swept → how often days were forgotten

Every worker remembers which days it told, so that a scan costs nothing here. When a day is forgotten that memory is
void: a scan of it that comes after would lie there for ever, since nobody would know of the day. So forgetting counts
up `swept` first, and a worker that sees another count after it wrote scans tells their days again; and a day goes out
of the table only if nobody told it meanwhile. Either the scans are destroyed with their day, or the day is still known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from streams.ports import Call, Store
from streams.state import dirty, layout
from streams.state.graph import VENUES
from streams.state.replies import pairs_of

_DAYS, _SWEPT = "tv:days", "swept"
_MANY = 256


async def add_days(store: Store, days: Iterable[int]) -> None:
    """Say that there are scans of these local days; before the scans are written."""
    await store.run([Call("HINCRBY", (_DAYS,), (f"{day:04x}", 1)) for day in days])


async def read_days(store: Store) -> dict[int, int]:
    """Local days with scans → how often they were told."""
    (flat,) = await store.run([Call("HGETALL", (_DAYS,))])
    return {int(day, 16): int(count) for day, count in pairs_of(flat) if day != _SWEPT.encode()}


def swept() -> Call:
    """Asks how often days were forgotten."""
    return Call("HGET", (_DAYS,), (_SWEPT,))


async def forget_day(store: Store, day: int, told: int) -> None:
    """Destroy every scan of a local day (`told`: as `read_days` has it). Again changes nothing.

    Many short calls: UNLINK takes a key out at once and frees it beside, and nobody waits for all of them.
    """
    await store.run([Call("HINCRBY", (_DAYS,), (_SWEPT, 1))])
    for bucket in range(layout.BUCKETS):
        prefix = f"tv:p:{layout.tag(bucket)}:{day:04x}"
        for at in range(0, layout.SUBS, _MANY):
            subs = range(at, min(at + _MANY, layout.SUBS))
            await store.run([Call("UNLINK", tuple(f"{prefix}{sub:04x}" for sub in subs))])
        place = layout.venue_prefix(bucket, day)
        async for names in _fields(store, f"{VENUES}{layout.tag(bucket)}"):
            for at in range(0, len(names), _MANY):
                await store.run([Call("UNLINK", tuple(place + name for name in names[at : at + _MANY]))])
    await store.run([dirty.forget(day)])
    await store.run([Call("day_forgotten", (_DAYS,), (f"{day:04x}", told))])


async def forget_marks(store: Store, bucket: int, cursor: int, first_day: int, first_own_day: int) -> int:
    """Take away some watch marks of a bucket whose last day lies before; the next cursor, 0 when through.

    `first_day` counts for contacts, `first_own_day` for the persons of cases.
    """
    args = (cursor, 500, first_day, first_own_day)
    (after,) = await store.run([Call("unmark", (f"tv:w:{layout.tag(bucket)}",), args)])
    return int(after)


async def _fields(store: Store, key: str) -> AsyncIterator[list[bytes]]:
    """The fields of a hash, a piece at a time."""
    cursor = 0
    while True:
        (reply,) = await store.run([Call("HSCAN", (key,), (cursor, "COUNT", 1000))])
        cursor, pairs = int(reply[0]), reply[1]
        names = list(pairs) if isinstance(pairs, dict) else pairs[::2]
        if names:
            yield names
        if cursor == 0:
            return
