"""Tens of thousands of hurt records through the steps of one worker in this process: each is accepted and counted once,
or refused once with the reason of the brute force, which reads the same bytes in its own way.

    TRUYVET_FUZZ_SEED=7 TRUYVET_FUZZ_RECORDS=1000000 pytest tests/fuzz -m faults -s
"""

from __future__ import annotations

import os
import random
import time
from itertools import islice
from pathlib import Path

import pytest

from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.redis import RedisStore
from tests.fuzz.books import Books
from tests.fuzz.internal import internal_rejects
from tests.fuzz.stream import mixed
from tests.fuzz.workbench import INTERNAL, Workbench
from tests.pipeline.answers import INPUTS, POLICY, differences, standing
from tests.pipeline.system import KEY
from tests.reference.answer import World
from tests.simulation.checks import bare, last_records

SEED = int(os.environ.get("TRUYVET_FUZZ_SEED") or random.randrange(1_000_000))
RECORDS = int(os.environ.get("TRUYVET_FUZZ_RECORDS") or 1_000_000)
SLICE = 10_000


async def test_twenty_thousand_records(tmp_path: Path) -> None:
    await fuzz(tmp_path, 20_000)


@pytest.mark.faults
@pytest.mark.timeout(3600)
async def test_a_million_records(tmp_path: Path) -> None:
    await fuzz(tmp_path, RECORDS)


async def fuzz(folder: Path, count: int) -> None:
    print(f"\nseed {SEED}", end="", flush=True)
    redis = EmbeddedRedis(folder)
    redis.start()
    try:
        store = await RedisStore.open(redis.url)
        bench = Workbench(store, SEED)
        await bench.start()
        began = time.monotonic()
        for part in mixed(SEED, count, max(count // 50, 300)):
            while some := list(islice(part, SLICE)):
                for one in some:
                    bench.put(one)
                await bench.work()
        print(f", {count} records in {time.monotonic() - began:.0f} s", end="", flush=True)
        await check(bench)
        await store.close()
    finally:
        redis.stop()


async def check(bench: Workbench) -> None:
    records = bench.records(*INPUTS)
    world = World(records, KEY.encode(), [POLICY], None)
    internal = internal_rejects(bench.records(*INTERNAL), lambda key: bench.kafka.partition_of("evaluate", key))
    books = Books(world, records + bench.records(*INTERNAL), internal)
    counts = books.check_rejects(bench.records("rejects"))
    assert counts == bench.meters.refusals
    refused = sum(n for what, n in counts.items() if what.startswith("scans/"))
    assert bench.meters.accepted + refused == books.scans(), "a scan is neither accepted nor refused, or both"
    counting = books.check_figures(await bench.figures())
    wanted = {key: bare(content) for key, content in world.exposures().items()}
    off = list(differences(standing(last_records(bench.kafka)), wanted))
    assert not off, f"{len(off)} differences:\n" + "\n".join(off[:20])
    print(f", {counting} scans count, {len(wanted)} exposures, rejects {dict(sorted(counts.items()))}")
    assert counts["scans/schema"] > 1000 and counts["scans/not_json"] > 200, counts
    assert len(wanted) > 20, "nobody met anybody: what was accepted says nothing"
    assert all(counts[f"{topic}/schema"] and counts[f"{topic}/not_json"] for topic in (*INPUTS, *INTERNAL)), counts
