"""The contact graph in Redis: scans as facts, under their person and under their venue.

Everything written here is a set insertion: it commutes and may be repeated (rule 0), which is what lets any number of
workers, redeliveries and zombies write at the same time. Nothing here reads before it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from streams.ports import Call, Store
from streams.rules.days import LOCAL_OFFSET
from streams.state import layout
from streams.state.layout import I64, U64, Mask, Records


class TokenClash(Exception):
    """Two persons or venues have one token. Never seen; merging them in silence would be worse than stopping."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Accepted scans as columns of equal length: tokens uint64, `second` int64 UTC, flags bool."""

    person: U64
    venue: U64
    second: I64
    out: Mask
    staff: Mask
    void: Mask

    def __len__(self) -> int:
        return len(self.person)


async def write(store: Store, facts: Facts) -> list[list[bytes]]:
    """Put the facts in, person side first; the watch marks met there, as `marks_of` takes them.

    What was new on the person side is appended to the venue side unread. What was not, somebody wrote before, and that
    somebody may have died before its venue side: it is looked for there and added where it is missing.
    """
    local = facts.second + LOCAL_OFFSET
    day, second = local // 86400, local % 86400
    order, parts = _sorted(facts.person, day)
    person = facts.person[order]
    entry = np.empty((len(facts), _PERSON_ENTRY), np.uint8)
    entry[:, 0], entry[:, 9], entry[:, 18] = _TEXT | 8, _TEXT | 8, _TEXT | layout.RECORD
    entry[:, 1:5] = layout.hex_of(day[order])
    entry[:, 5:9] = layout.hex_of(layout.sub_of(person))
    entry[:, 10:18] = layout.token_bytes(person)
    entry[:, 19:] = _records(facts, facts.venue, second, order)
    replies = await store.run(
        [
            Call(
                "add_person",
                (f"tv:p:{layout.tag(b)}:", f"tv:w:{layout.tag(b)}"),
                (_array(3 * (j - i)) + entry[i:j].tobytes(),),
            )
            for b, i, j in parts
        ]
    )
    known = np.zeros(len(facts), bool)
    for (_, i, j), reply in zip(parts, replies, strict=True):
        if reply[0]:
            known[order[i:j]] = np.frombuffer(reply[0], np.uint8) == ord("1")
    calls = _venue_calls("add_venue", facts, day, second, np.flatnonzero(~known))
    if known.any():
        calls += _venue_calls("add_venue_known", facts, day, second, np.flatnonzero(known))
    await store.run(calls)
    return [reply[1:] for reply in replies]


def _venue_calls(script: str, facts: Facts, day: I64, second: I64, of: I64) -> list[Call]:
    order, parts = _sorted(facts.venue[of], day[of])
    of = of[order]
    if not len(of):
        return []
    venue, day = facts.venue[of], day[of]
    records = _records(facts, facts.person, second, of)
    first = np.flatnonzero(np.concatenate([[True], (venue[1:] != venue[:-1]) | (day[1:] != day[:-1])]))
    place = np.empty((len(first), _VENUE_ENTRY), np.uint8)
    place[:, 0], place[:, 13] = _TEXT | 12, _UINT32
    place[:, 1:5] = layout.hex_of(day[first])
    place[:, 5:13] = layout.token_bytes(venue[first])
    place[:, 14:] = np.diff(first, append=len(of)).astype(">u4").view(np.uint8).reshape(-1, 4)
    calls = []
    for b, i, j in parts:
        p, q = np.searchsorted(first, (i, j)).tolist()
        blobs = (_array(2 * (q - p)) + place[p:q].tobytes(), records[i:j].tobytes())
        calls.append(Call(script, (f"tv:v:{layout.tag(b)}:",), blobs))
    return calls


# MessagePack, as far as the scripts' arguments need it: short texts, numbers of 4 bytes, an array.
_TEXT, _UINT32 = 0xA0, 0xCE
_PERSON_ENTRY, _VENUE_ENTRY = 30, 18


def _array(length: int) -> bytes:
    return b"\xdd" + length.to_bytes(4)


def _records(facts: Facts, other: U64, second: I64, order: I64) -> layout.Bytes:
    return layout.pack_records(other[order], second[order], facts.out[order], facts.staff[order], facts.void[order])


def _sorted(owner: U64, day: I64) -> tuple[I64, list[tuple[int, int, int]]]:
    """The order that makes equal buckets, and in them equal days and owners, neighbours; each bucket's part of it."""
    bucket = layout.bucket_of(owner)
    order = np.lexsort((owner, day, bucket))
    return order, layout.slices_by_bucket(bucket[order])


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody watches a person: kind (OWN or WATCH), the case's token, first and last local day that matter."""

    kind: bytes
    case: bytes
    first_day: int
    last_day: int


def marks_of(replies: Sequence[list[bytes]]) -> dict[bytes, list[Mark]]:
    """Replies of the person calls → person token → marks."""
    found: dict[bytes, list[Mark]] = {}
    for reply in replies:
        for token, blob in zip(reply[::2], reply[1::2], strict=True):
            found[token] = [
                Mark(
                    blob[i : i + 1],
                    blob[i + 1 : i + 9],
                    int.from_bytes(blob[i + 9 : i + 11]),
                    int.from_bytes(blob[i + 11 : i + 13]),
                )
                for i in range(0, len(blob), layout.MARK)
            ]
    return found


async def read_marks(store: Store, persons: Iterable[bytes]) -> dict[bytes, list[Mark]]:
    """Person token → marks, of those persons (tokens or pseudonyms) that somebody watches."""
    groups: dict[int, list[bytes]] = {}
    for person in persons:
        groups.setdefault(person[0] >> 3, []).append(person[:8])
    calls = [Call("HMGET", (f"tv:w:{layout.tag(b)}",), tuple(tokens)) for b, tokens in groups.items()]
    replies = await store.run(calls)
    found = []
    for tokens, blobs in zip(groups.values(), replies, strict=True):
        found += [word for token, blob in zip(tokens, blobs, strict=True) if blob for word in (token, blob)]
    return marks_of([found])


def mark_calls(kind: bytes, case: bytes, persons: U64, first_day: I64, last_day: I64) -> list[Call]:
    """Mark persons uint64[n] as watched by a case on local days [first_day, last_day] int64[n]. Again is harmless."""
    n = len(persons)
    entry = np.empty((n, 21), np.uint8)
    entry[:, :8] = layout.token_bytes(persons)
    entry[:, 8:17] = np.frombuffer(kind + case, np.uint8)
    entry[:, 17:19] = first_day.astype(">u2").view(np.uint8).reshape(n, 2)
    entry[:, 19:21] = last_day.astype(">u2").view(np.uint8).reshape(n, 2)
    order, parts = _sorted(persons, first_day)
    return [Call("mark", (f"tv:w:{layout.tag(b)}",), (entry[order[i:j]].tobytes(),)) for b, i, j in parts]


async def read_persons(store: Store, persons: U64, days: I64) -> Records:
    """The scans of (person, local day) pairs, voids included. `owner` of a record = the index of its pair."""
    entry = np.empty((len(persons), 16), np.uint8)
    entry[:, :4] = layout.hex_of(days)
    entry[:, 4:8] = layout.hex_of(layout.sub_of(persons))
    entry[:, 8:] = layout.token_bytes(persons)
    calls, places = [], []
    for b, i, j, order in _in_buckets(persons):
        for at in range(i, j, 4000):  # a call of tens of thousands of reads would keep Redis from everybody else
            to = min(at + 4000, j)
            calls.append(Call("read_persons", (f"tv:p:{layout.tag(b)}:",), (entry[order[at:to]].tobytes(),)))
            places.append(order[at:to])
    values: list[bytes | None] = [None] * len(persons)
    for place, reply in zip(places, await store.run(calls), strict=True):
        for index, value in zip(place.tolist(), reply, strict=True):
            values[index] = value
    return Records(values, days)


async def read_venues(store: Store, venues: U64, days: I64) -> Records:
    """The scans of (venue, local day) pairs, voids included. `owner` of a record = the index of its pair."""
    names = layout.token_bytes(venues)
    calls = [
        Call("GET", (layout.venue_prefix(b, day) + bytes(name),))
        for b, day, name in zip(layout.bucket_of(venues).tolist(), days.tolist(), names, strict=True)
    ]
    return Records(await store.run(calls), days)


async def read_venues_from(store: Store, venues: Sequence[bytes], day: int, starts: Sequence[int]) -> list[bytes]:
    """The packed scans of venues (tokens) on a local day, each from a byte on."""
    calls = [
        Call("GETRANGE", (layout.venue_prefix(venue[0] >> 3, day) + venue,), (start, -1))
        for venue, start in zip(venues, starts, strict=True)
    ]
    return await store.run(calls)


def _in_buckets(owner: U64) -> list[tuple[int, int, int, I64]]:
    bucket = layout.bucket_of(owner)
    order = np.argsort(bucket, kind="stable")
    return [(b, i, j, order) for b, i, j in layout.slices_by_bucket(bucket[order])]


async def add_persons(store: Store, digests: Sequence[bytes]) -> None:
    """Keep what person tokens stand for (`tv:i:`): the whole pseudonyms, 16 bytes each. Raises TokenClash."""
    whole = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16)
    calls = [
        Call("add_persons", (f"{PERSONS}{layout.tag(b)}:",), (whole[order[i:j]].tobytes(),))
        for b, i, j, order in _in_buckets(layout.tokens_of(whole[:, :8].tobytes()))
    ]
    await _add(store, "persons", calls)


async def add_venues(store: Store, names: dict[bytes, bytes]) -> None:
    """Keep what venue tokens stand for (`tv:n:`): token → venue_id in UTF-8. Raises TokenClash."""
    groups: dict[int, list[bytes]] = {}
    for token, name in names.items():
        groups.setdefault(token[0] >> 3, []).extend((token, name))
    await _add(
        store, "venues", [Call("add_names", (f"{VENUES}{layout.tag(b)}",), tuple(group)) for b, group in groups.items()]
    )


async def _add(store: Store, whose: str, calls: list[Call]) -> None:
    if any(await store.run(calls)):
        raise TokenClash(f"two {whose} have one 8-byte token; the second was not taken")


async def read_names(store: Store, prefix: str, tokens: Sequence[bytes]) -> dict[bytes, bytes]:
    """Token → name of those that are known."""
    groups: dict[int, list[bytes]] = {}
    for token in tokens:
        groups.setdefault(token[0] >> 3, []).append(token)
    if prefix == PERSONS:
        calls = [Call("read_names", (f"{PERSONS}{layout.tag(b)}:",), (b"".join(g),)) for b, g in groups.items()]
    else:
        calls = [Call("HMGET", (f"{VENUES}{layout.tag(b)}",), tuple(g)) for b, g in groups.items()]
    replies = await store.run(calls)
    return {
        token: name
        for fields, reply in zip(groups.values(), replies, strict=True)
        for token, name in zip(fields, reply, strict=True)
        if name is not None
    }


async def all_venues(store: Store) -> list[bytes]:
    """Tokens of every venue that was ever scanned."""
    replies = await store.run([Call("HKEYS", (f"{VENUES}{layout.tag(b)}",)) for b in range(layout.BUCKETS)])
    return sorted(token for reply in replies for token in reply)


PERSONS, VENUES = "tv:i:", "tv:n:"
