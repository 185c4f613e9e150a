"""Hurt records over every topic that somebody from outside can write to, on a real Kafka and Redis: each is counted, or
refused as the rules say (the brute force reads the same bytes in its own way); nothing ends a worker, nothing grows,
and no code is in its words.

    TRUYVET_FUZZ_SEED=7 TRUYVET_FUZZ_RECORDS=1000000 pytest tests/pipeline/test_fuzz.py -m faults -s
"""

from __future__ import annotations

import os
import random
import time
from itertools import islice
from pathlib import Path

import psutil
import pytest

from tests.fuzz.books import Books
from tests.fuzz.grammar import CANARY
from tests.fuzz.internal import internal_rejects
from tests.fuzz.stream import mixed
from tests.pipeline.answers import (
    INPUTS,
    POLICY,
    bare,
    client,
    differences,
    in_redis,
    last_records,
    records,
    send,
    standing,
)
from tests.pipeline.system import KEY, Program, Servers, System
from tests.reference.answer import World
from tests.simulation.kafka import Kafka

SEED = int(os.environ.get("TRUYVET_FUZZ_SEED") or random.randrange(1_000_000))
RECORDS = int(os.environ.get("TRUYVET_FUZZ_RECORDS") or 1_000_000)
GROWN = 1.3  # of the resident memory at a third of the way: the pools of names are used up by then
INTERNAL = ("evaluate", "combine")


def test_twenty_thousand_records(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        fuzz(system, worker, 20_000, 20_000, few=60, scans=0.97)
        check(system)


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_a_million_records(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        resident = fuzz(system, worker, RECORDS, max(RECORDS // 20, 1), few=300, scans=0.98)
        assert max(resident[len(resident) // 3 :]) < GROWN * resident[len(resident) // 3], resident
        check(system)


def fuzz(system: System, worker: Program, count: int, slice_: int, *, few: int, scans: float) -> list[float]:
    """Send them all, and wait until all is taken in after each slice. The worker's resident memory (MiB) after each."""
    print(f"\nseed {SEED}", end="", flush=True)
    began, resident = time.monotonic(), []
    for part in mixed(SEED, count, few, scans):
        while some := list(islice(part, slice_)):
            send(system, some)
            system.settle(600)
            assert worker.alive, worker.words()[-4000:]
            resident.append(psutil.Process(worker.pid).memory_info().rss / 2**20)
            print(f" · {time.monotonic() - began:.0f} s {resident[-1]:.0f} MiB", end="", flush=True)
    print(f", {count} records in {time.monotonic() - began:.0f} s", end="", flush=True)
    words = worker.words()
    assert words.count(" ready") == 1, "the worker was started again"
    assert not CANARY.search(words) and "Traceback" not in words, "a code, or an error, in the worker's words"
    return resident


def check(system: System) -> None:
    """The rejects are exactly those of the reference, once each; what counts and what stands is what must."""
    taken, internal = records(system, *INPUTS), records(system, *INTERNAL)
    world = World(taken, KEY.encode(), [POLICY], None)
    places = Kafka({"evaluate": system.partitions})
    wrong = internal_rejects(internal, lambda key: places.partition_of("evaluate", key))
    books = Books(world, taken + internal, wrong)
    counts = books.check_rejects(records(system, "rejects"))
    counting = books.check_figures(figures(system))
    on_kafka = last_records(system)
    wanted = {key: bare(content) for key, content in world.exposures().items()}
    off = list(differences(standing(on_kafka), wanted))
    assert not off, f"{len(off)} differences:\n" + "\n".join(off[:20])
    assert in_redis(system) == on_kafka
    print(f", {counting} scans count, {len(wanted)} exposures, rejects {dict(sorted(counts.items()))}")
    assert counts["scans/schema"] > 1000 and counts["scans/not_json"] > 200, counts
    assert all(counts[f"{topic}/schema"] for topic in (*INPUTS, *INTERNAL)), counts
    assert len(wanted) > 20, "nobody met anybody: what was accepted says nothing"


def figures(system: System) -> dict[str, dict[str, int]]:
    """`tv:pub:day` and `tv:pub:rejects`, without what is 0."""
    found = {}
    with client(system) as store:
        for pattern in ("tv:pub:day:*", "tv:pub:rejects:*"):
            for key in store.keys(pattern):
                found[key.decode()] = {
                    n.decode(): int(value) for n, value in store.hgetall(key).items() if value != b"0"
                }
    return {key: mine for key, mine in found.items() if mine}
