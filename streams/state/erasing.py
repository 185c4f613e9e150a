"""Destroying what was erased, on both sides of the contact graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from streams.ports import Call, Store
from streams.rules.days import LOCAL_OFFSET
from streams.rules.distinct import distinct
from streams.state import layout
from streams.state.graph import Facts, read_persons
from streams.state.layout import I64, tokens_of
from streams.state.shards import read_days


async def erase(store: Store, until: Mapping[bytes, int]) -> set[bytes]:
    """Destroy the scans of these codes (token → last second, UTC) under their person and under their venues; the
    tokens that have later scans, which stay.

    The venue side first: a death in between leaves the person side, from which it is done again.
    """
    days = np.array(sorted(await read_days(store)), np.int64)
    tokens = tokens_of(b"".join(until))
    if not len(days) or not len(tokens):
        return set()
    owner, day = np.repeat(tokens, len(days)), np.tile(days, len(tokens))
    records = await read_persons(store, owner, day)
    limit = np.repeat(np.array(list(until.values()), np.int64), len(days))[records.owner]
    later = set(map(bytes, layout.token_bytes(distinct(owner[records.owner[records.second > limit]]))))
    doomed = np.flatnonzero(records.second <= limit)
    if not len(doomed):
        return later
    person, at = owner[records.owner[doomed]], day[records.owner[doomed]]
    second = records.second[doomed] + LOCAL_OFFSET - at * 86400
    flags = records.out[doomed], records.staff[doomed], records.void[doomed]
    venue = records.other[doomed]
    await store.run(_removals(b"", venue, at, layout.pack_records(person, second, *flags)))
    await store.run(_removals(b"p", person, at, layout.pack_records(venue, second, *flags)))
    return later


async def erase_these(store: Store, facts: Facts) -> None:
    """Take scans out that were just written, on both sides, whatever the person side has: who erased between the two
    found them under their person, and under their venue they came only then. They would have lain there for good."""
    local = facts.second + LOCAL_OFFSET
    day, second = local // 86400, local % 86400
    flags = facts.out, facts.staff, facts.void
    await store.run(_removals(b"", facts.venue, day, layout.pack_records(facts.person, second, *flags)))
    await store.run(_removals(b"p", facts.person, day, layout.pack_records(facts.venue, second, *flags)))


def _removals(side: bytes, owner: layout.U64, day: I64, records: layout.Bytes) -> list[Call]:
    """One call a key: `remove` with the records to take out."""
    groups: dict[tuple[int, int], list[bytes]] = {}
    for who, when, record in zip(owner.tolist(), day.tolist(), records, strict=True):
        groups.setdefault((who, when), []).append(bytes(record))
    calls = []
    for (who, when), gone in groups.items():
        name = who.to_bytes(8, "big")
        if side == b"p":
            key, field = layout.person_place(name, when)
            calls.append(Call("remove", (key,), (field, b"".join(gone))))
        else:
            place = layout.venue_prefix(name[0] >> 3, when) + name
            calls.append(Call("remove", (place,), (b"", b"".join(gone))))
    return calls
