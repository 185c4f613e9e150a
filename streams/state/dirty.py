"""Which venue days there are, which of them changed since they were counted last, who counts, and how far it is.

    tv:seen:4b91        set   venue tokens that were scanned on that local day: a new owner reads no others. A country
                              has more venues than a day sees, and old data more days than anybody has patience for
    tv:dirty:{d}:now    set   local day (2 bytes) · venue token (8): marked after their scans were written
    tv:dirty:{d}:work   set   the same, in hand: they stay there until their figures are published
    tv:dirty:{d}:round  hash  owner   who counts; begun   how many rounds were begun
                              settled the last round that left nothing unwritten of what was there when it began

Marked again while in hand means counted again, so no change is lost between reading a day and publishing it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from streams.ports import Call, Store
from streams.rules.days import local_day
from streams.rules.distinct import distinct
from streams.state.layout import I64, U64, Bytes, token_bytes

_NOW, _WORK, _ROUND = "tv:dirty:{d}:now", "tv:dirty:{d}:work", "tv:dirty:{d}:round"
WIDTH = 10
MANY = 2_000
PAUSE = 50_000  # marks, some 10 ms of work


class Rounds(NamedTuple):
    """Numbers of rounds; 0 = none yet."""

    begun: int
    settled: int


def mark(venue: U64, second: I64) -> list[Call]:
    """Calls that mark the venue days of these scans, and say that they are there."""
    days, calls = local_day(second), []
    for day in distinct(days).tolist():
        of_day, name = distinct(venue[days == day]), day.to_bytes(2)
        entry = np.empty((len(of_day), WIDTH), np.uint8)
        entry[:, :2], entry[:, 2:] = np.frombuffer(name, np.uint8), token_bytes(of_day)
        calls += _add(_NOW, entry) + _add(_seen(name), entry[:, 2:])
    return calls


def _add(key: str, members: Bytes) -> list[Call]:
    """Calls that put rows into a set."""
    words = np.ascontiguousarray(members).view(f"V{members.shape[1]}").ravel().tolist()
    return [Call("SADD", (key,), tuple(words[at : at + MANY])) for at in range(0, len(words), MANY)]


def _seen(day: bytes) -> str:
    return f"tv:seen:{day.hex()}"


async def venues_of(store: Store, day: int) -> list[bytes]:
    """Tokens of the venues that were scanned on a local day."""
    (found,) = await store.run([Call("SMEMBERS", (_seen(day.to_bytes(2)),))])
    return sorted(found)


def forget(day: int) -> Call:
    """A day of which nothing is kept any more."""
    return Call("UNLINK", (_seen(day.to_bytes(2)),))


async def take(store: Store) -> dict[int, list[bytes]]:
    """Local day → venues (tokens) to be counted; those that were in hand already, after a death, too."""
    (found,) = await store.run([Call("dirty_take", (_NOW, _WORK))])
    days: dict[bytes, list[bytes]] = {}
    for number, word in enumerate(found, 1):
        days.setdefault(word[:2], []).append(word[2:])
        if number % PAUSE == 0:  # a replay of weeks marks millions, and whoever traces waited for seconds
            await asyncio.sleep(0)
    return {int.from_bytes(day): tokens for day, tokens in days.items()}


async def done(store: Store, days: Mapping[int, Sequence[bytes]]) -> None:
    """These are counted, and their figures are written."""
    for day, tokens in days.items():
        name = day.to_bytes(2)
        for at in range(0, len(tokens), MANY):
            await store.run([Call("SREM", (_WORK,), tuple(name + token for token in tokens[at : at + MANY]))])


async def waiting(store: Store) -> int:
    """How many venue days are to be counted still."""
    now, work = await store.run([Call("SCARD", (_NOW,)), Call("SCARD", (_WORK,))])
    return int(now) + int(work)


# -- who counts, and how far


async def take_over(store: Store, name: str) -> bool:
    """Be the one who counts; whether somebody else was, or nobody. What he has in memory is worth nothing then."""
    (owner,) = await store.run([Call("HGET", (_ROUND,), ("owner",))])
    if owner == name.encode():
        return False
    await store.run([Call("HSET", (_ROUND,), ("owner", name))])
    return True


async def begin_round(store: Store) -> int:
    (number,) = await store.run([Call("HINCRBY", (_ROUND,), ("begun", 1))])
    return int(number)


async def end_round(store: Store, number: int) -> None:
    """Everything that was there when the round began is written."""
    await store.run([Call("HSET", (_ROUND,), ("settled", number))])


async def read_rounds(store: Store) -> Rounds:
    (found,) = await store.run([Call("HMGET", (_ROUND,), ("begun", "settled"))])
    return Rounds(*(int(number or 0) for number in found))
