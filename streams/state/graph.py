"""The contact graph in Redis: scans as facts, under their person and under their venue.

Everything written here is a set insertion: it commutes and may be repeated (rule 0), which is what lets any number of
workers, redeliveries and zombies write at the same time. Nothing here reads before it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streams.ports import Call, Store
from streams.rules.days import LOCAL_OFFSET
from streams.state import layout
from streams.state.layout import I64, U64, Mask, Records


class TokenClash(Exception):
    """Two different persons or venues have one token. Never seen; merging them in silence would be worse than stopping."""


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
    entry = np.empty((len(facts), 25), np.uint8)
    entry[:, :4] = layout.hex_of(day, 4)
    entry[:, 4:6] = layout.hex_of(layout.sub_of(facts.person), 2)
    entry[:, 6:14] = layout.token_bytes(facts.person)
    entry[:, 14:] = layout.pack_records(facts.venue, second, facts.out, facts.staff, facts.void)
    parts = _by_bucket(entry, facts.person, day)
    replies = await store.run(
        [Call("add_person", (f"tv:p:{layout.tag(b)}:", f"tv:w:{layout.tag(b)}"), (blob,)) for b, blob, _ in parts]
    )
    known = np.zeros(len(facts), bool)
    for (_, _, places), reply in zip(parts, replies, strict=True):
        if reply[0]:
            known[places] = np.frombuffer(reply[0], np.uint8) == ord("1")
    calls = _venue_calls("add_venue", facts, day, second, np.flatnonzero(~known))
    if known.any():
        calls += _venue_calls("add_venue_known", facts, day, second, np.flatnonzero(known))
    await store.run(calls)
    return [reply[1:] for reply in replies]


def _venue_calls(script: str, facts: Facts, day: I64, second: I64, of: I64) -> list[Call]:
    entry = np.empty((len(of), 23), np.uint8)
    entry[:, :4] = layout.hex_of(day[of], 4)
    entry[:, 4:12] = layout.token_bytes(facts.venue[of])
    entry[:, 12:] = layout.pack_records(
        facts.person[of], second[of], facts.out[of], facts.staff[of], facts.void[of]
    )
    return [
        Call(script, (f"tv:v:{layout.tag(b)}:",), (blob,)) for b, blob, _ in _by_bucket(entry, facts.venue[of], day[of])
    ]


def _by_bucket(entry: layout.Bytes, owner: U64, day: I64) -> list[tuple[int, bytes, I64]]:
    """Entries cut into one blob a bucket, sorted so that equal shards and owners are neighbours; and their indices."""
    width = entry.shape[1]
    whole = np.ascontiguousarray(entry).view(f"V{width}").ravel()
    bucket = layout.bucket_of(owner)
    order = np.lexsort((owner, day, bucket))  # the owner's first byte holds the bucket, so this is bytes' order too
    whole, bucket = whole[order], bucket[order]
    return [(b, whole[i:j].tobytes(), order[i:j]) for b, i, j in layout.slices_by_bucket(bucket)]


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


def mark_calls(kind: bytes, case: bytes, persons: U64, first_day: I64, last_day: I64) -> list[Call]:
    """Mark persons uint64[n] as watched by a case on local days [first_day, last_day] int64[n]. Idempotent; only grows."""
    n = len(persons)
    entry = np.empty((n, 21), np.uint8)
    entry[:, :8] = layout.token_bytes(persons)
    entry[:, 8:17] = np.frombuffer(kind + case, np.uint8)
    entry[:, 17:19] = first_day.astype(">u2").view(np.uint8).reshape(n, 2)
    entry[:, 19:21] = last_day.astype(">u2").view(np.uint8).reshape(n, 2)
    return [Call("mark", (f"tv:w:{layout.tag(b)}",), (blob,)) for b, blob, _ in _by_bucket(entry, persons, first_day)]


async def read_persons(store: Store, persons: U64, days: I64) -> Records:
    """The scans of (person, local day) pairs, voids included. `owner` of a record = the index of its pair."""
    entry = np.empty((len(persons), 14), np.uint8)
    entry[:, :4] = layout.hex_of(days, 4)
    entry[:, 4:6] = layout.hex_of(layout.sub_of(persons), 2)
    entry[:, 6:] = layout.token_bytes(persons)
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
        Call("GET", (f"tv:v:{layout.tag(b)}:{day:04x}".encode() + bytes(name),))
        for b, day, name in zip(layout.bucket_of(venues).tolist(), days.tolist(), names, strict=True)
    ]
    return Records(await store.run(calls), days)


def _in_buckets(owner: U64) -> list[tuple[int, int, int, I64]]:
    bucket = layout.bucket_of(owner)
    order = np.argsort(bucket, kind="stable")
    return [(b, i, j, order) for b, i, j in layout.slices_by_bucket(bucket[order])]


async def add_names(store: Store, prefix: str, names: dict[bytes, bytes]) -> None:
    """Keep what tokens stand for: `tv:i:` person → rest of the pseudonym (by sub shard), `tv:n:` venue → venue_id."""
    groups: dict[str, list[bytes]] = {}
    for token, name in names.items():
        key = f"{prefix}{layout.tag(token[0] >> 3)}" + (f":{token[1]:02x}" if prefix == PERSONS else "")
        groups.setdefault(key, []).extend((token, name))
    replies = await store.run([Call("add_names", (key,), tuple(args)) for key, args in groups.items()])
    if any(replies):
        raise TokenClash(f"two entries of {prefix} have one 8-byte token; the second was not taken")


async def read_names(store: Store, prefix: str, tokens: Sequence[bytes]) -> dict[bytes, bytes]:
    """Token → name of those that are known."""
    groups: dict[str, list[bytes]] = {}
    for token in tokens:
        key = f"{prefix}{layout.tag(token[0] >> 3)}" + (f":{token[1]:02x}" if prefix == PERSONS else "")
        groups.setdefault(key, []).append(token)
    replies = await store.run([Call("HMGET", (key,), tuple(fields)) for key, fields in groups.items()])
    return {
        token: name
        for fields, reply in zip(groups.values(), replies, strict=True)
        for token, name in zip(fields, reply, strict=True)
        if name is not None
    }


PERSONS, VENUES = "tv:i:", "tv:n:"
