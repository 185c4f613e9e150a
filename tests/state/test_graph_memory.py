"""What a scan takes in Redis: strings that were appended to give back the room they do not need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from streams.rules.days import LOCAL_OFFSET
from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.redis import RedisStore
from streams.state import graph
from streams.state.graph import Facts
from streams.state.layout import RECORD

VENUE = 0xF1 << 56 | 77
DAY = 20_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RedisStore]:
    server = EmbeddedRedis(tmp_path)
    server.start()
    opened = await RedisStore.open(server.url)
    yield opened
    await opened.close()
    server.stop()


def facts(day: int, first: int, scans: int) -> Facts:
    """Scans of `scans` persons at one venue."""
    none = np.zeros(scans, bool)
    second = day * 86_400 - LOCAL_OFFSET + np.arange(first, first + scans)
    person = (np.arange(first, first + scans).astype(np.uint64) << np.uint64(40)) + np.uint64(day)
    return Facts(person, np.full(scans, VENUE, np.uint64), second, none, none, none)


def key(day: int) -> bytes:
    return b"tv:v:{1e}:%04x" % day + VENUE.to_bytes(8)


async def room(store: RedisStore, day: int) -> float:
    """Memory of a venue's day as a multiple of its records."""
    return await store.client.memory_usage(key(day)) / await store.client.strlen(key(day))


async def fill(store: RedisStore, day: int) -> None:
    for first in range(0, 1_700, 100):
        await graph.write(store, facts(day, first, 100))


@pytest.mark.parametrize("pause", [1, 2, 8])
async def test_a_day_that_is_over_takes_what_it_holds(store: RedisStore, pause: int) -> None:
    await fill(store, DAY)
    await store.client.expire(key(DAY), 1_000_000)
    before = await store.client.get(key(DAY))
    assert await room(store, DAY) > 1.4  # else there would be nothing to do
    await graph.write(store, facts(DAY + pause, 0, 1))
    assert await room(store, DAY) < 1.15
    assert await store.client.get(key(DAY)) == before and len(before) == 1_700 * RECORD
    assert await store.client.ttl(key(DAY)) > 0
    assert sorted(await store.client.keys("tv:v:*")) == sorted([key(DAY), key(DAY + pause)])


async def test_a_day_that_grew_again_is_tidied_up_again(store: RedisStore) -> None:
    await fill(store, DAY)
    await graph.write(store, facts(DAY + 1, 0, 1))
    await graph.write(store, facts(DAY, 1_700, 300))
    assert await room(store, DAY) > 1.4  # twice its size again: late scans cost a copy each day, and not each time
    await graph.write(store, facts(DAY + 2, 0, 1))
    assert await room(store, DAY) < 1.15


async def test_late_scans_go_on_where_the_day_was(store: RedisStore) -> None:
    await fill(store, DAY)
    await graph.write(store, facts(DAY + 2, 0, 1))
    await graph.write(store, facts(DAY, 1_690, 20))  # ten of them again
    read = await graph.read_venues(store, np.array([VENUE], np.uint64), np.array([DAY]))
    assert len(read) == 1_710 == len(np.unique(np.stack([read.other, read.second.astype(np.uint64)]), axis=1).T)
