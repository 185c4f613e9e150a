"""Destroying what was erased, on both sides of the contact graph, and forgetting what is too old.

tv:days   set   local days (4 hexadecimal digits) of which there are scans: where to look for a person's
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from streams.ports import Call, Store
from streams.rules.days import LOCAL_OFFSET
from streams.state import layout
from streams.state.graph import read_persons
from streams.state.layout import I64, tokens_of

_DAYS = "tv:days"


async def add_days(store: Store, days: Iterable[int]) -> None:
    """Say that there are scans of these local days; before the scans are written."""
    await store.run([Call("SADD", (_DAYS,), tuple(f"{day:04x}" for day in days))])


async def read_days(store: Store) -> list[int]:
    (found,) = await store.run([Call("SMEMBERS", (_DAYS,))])
    return sorted(int(day, 16) for day in found)


async def erase(store: Store, until: Mapping[bytes, int]) -> int:
    """Destroy the scans of these codes (token → last second, UTC) under their person and under their venues; how many.

    The venue side first: a death in between leaves the person side, from which it is done again.
    """
    days = np.array([day for day in await read_days(store) if day <= _day(max(until.values(), default=0))], np.int64)
    tokens = tokens_of(b"".join(until))
    if not len(days) or not len(tokens):
        return 0
    owner, day = np.repeat(tokens, len(days)), np.tile(days, len(tokens))
    records = await read_persons(store, owner, day)
    limit = np.repeat(np.array(list(until.values()), np.int64), len(days))[records.owner]
    doomed = np.flatnonzero(records.second <= limit)
    if not len(doomed):
        return 0
    person, at = owner[records.owner[doomed]], day[records.owner[doomed]]
    second = records.second[doomed] + LOCAL_OFFSET - at * 86400
    flags = records.out[doomed], records.staff[doomed], records.void[doomed]
    venue = records.other[doomed]
    await store.run(_removals(b"", venue, at, layout.pack_records(person, second, *flags)))
    await store.run(_removals(b"p", person, at, layout.pack_records(venue, second, *flags)))
    return len(doomed)


def _removals(side: bytes, owner: layout.U64, day: I64, records: layout.Bytes) -> list[Call]:
    """One call a key: `remove` with the records to take out."""
    groups: dict[tuple[int, int], list[bytes]] = {}
    for who, when, record in zip(owner.tolist(), day.tolist(), records, strict=True):
        groups.setdefault((who, when), []).append(bytes(record))
    calls = []
    for (who, when), gone in groups.items():
        name = who.to_bytes(8, "big")
        if side == b"p":
            key = f"tv:p:{layout.tag(name[0] >> 3)}:{when:04x}{name[1]:02x}"
            calls.append(Call("remove", (key,), (name, b"".join(gone))))
        else:
            venue_key = f"tv:v:{layout.tag(name[0] >> 3)}:{when:04x}".encode() + name
            calls.append(Call("remove", (venue_key,), (b"", b"".join(gone))))
    return calls


def _day(second: int) -> int:
    return (second + LOCAL_OFFSET) // 86400


async def forget_day(store: Store, day: int) -> int:
    """Destroy every scan of a local day; how many keys. Again changes nothing."""
    gone = 0
    for bucket in range(layout.BUCKETS):
        prefix = f"tv:p:{layout.tag(bucket)}:{day:04x}"
        gone += sum(await store.run([Call("UNLINK", (f"{prefix}{sub:02x}",)) for sub in range(256)]))
        places = [name async for name in _fields(store, f"tv:n:{layout.tag(bucket)}")]
        venue = f"tv:v:{layout.tag(bucket)}:{day:04x}".encode()
        for at in range(0, len(places), 500):
            gone += sum(await store.run([Call("UNLINK", (venue + name,)) for name in places[at : at + 500]]))
    await store.run([Call("SREM", (_DAYS,), (f"{day:04x}",))])
    return gone


async def _fields(store: Store, key: str):  # type: ignore[no-untyped-def]
    """The fields of a hash, a piece at a time (nobody is kept waiting)."""
    cursor = 0
    while True:
        (reply,) = await store.run([Call("HSCAN", (key,), (cursor, "COUNT", 1000))])
        cursor = int(reply[0])
        pairs = reply[1]
        for field in list(pairs)[::2] if isinstance(pairs, list) else list(pairs):
            yield field
        if cursor == 0:
            return
