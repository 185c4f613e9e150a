"""Hundreds of thousands of hurt records over every input topic of a real Kafka: each is counted or refused as the rules
say (the brute force reads the same bytes in its own way), nothing ends a worker, nothing grows.

    TRUYVET_FUZZ_SEED=7 TRUYVET_FUZZ_RECORDS=1000000 pytest tests/pipeline/fuzz -m faults -s
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import psutil
import pytest

from tests.fuzz.stream import erasures, gateways, stream
from tests.pipeline.answers import (
    bare,
    brute_force,
    differences,
    in_redis,
    last_records,
    records,
    send,
    standing,
)
from tests.pipeline.system import Program, Servers, System

SEED = int(os.environ.get("TRUYVET_FUZZ_SEED") or random.randrange(1_000_000))
RECORDS = int(os.environ.get("TRUYVET_FUZZ_RECORDS") or 1_000_000)
GROWN = 1.3  # of the resident memory at a third of the way: the pools of names are used up by then


def test_five_thousand_records(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        fuzz(system, worker, 5_000, 5_000)
        check(system)


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_a_million_records(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        resident = fuzz(system, worker, RECORDS, max(RECORDS // 20, 1))
        print(f", resident MiB {[round(r) for r in resident]}", end="")
        assert max(resident[len(resident) // 3 :]) < GROWN * resident[len(resident) // 3], resident
        check(system)


def fuzz(system: System, worker: Program, count: int, slice_: int) -> list[float]:
    """Send them all, and wait until all is taken in after each slice. The worker's resident memory (MiB) after each."""
    print(f"\nseed {SEED}", end="", flush=True)
    few = max(count // 50, 300)
    made = [gateways(SEED, few), stream(SEED, count), erasures(SEED, few, count)]
    began, resident = time.monotonic(), []
    for some in (some for part in made for some in iter(lambda part=part: list(islice(part, slice_)), [])):
        send(system, some)
        system.settle(600)
        assert worker.alive, worker.words()[-4000:]
        resident.append(psutil.Process(worker.pid).memory_info().rss / 2**20)
    print(f", {count} records in {time.monotonic() - began:.0f} s", end="", flush=True)
    assert worker.words().count(" ready") == 1, "the worker was started again"
    return resident


def check(system: System) -> None:
    """The rejects are exactly those of the reference, each once and with a field; what stands is what must."""
    found = records(system, "rejects")
    said = {(r.key or b"").decode(): json.loads(r.value or b"{}") for r in found}
    wanted = brute_force(system)
    # The reference knows no policies but its own; all that were sent here are bad.
    policies = {f"policies/{r.partition}/{r.offset}/" for r in records(system, "policies") if r.value}
    reasons = {key: reject["reason"] for key, reject in said.items()}
    assert {key for key in reasons if key.startswith("policies/")} == policies
    reasons = {key: reason for key, reason in reasons.items() if key not in policies}
    wrong = [
        f"{key}: {reasons.get(key)}, must be {wanted.rejects.get(key)}"
        for key in reasons.keys() | wanted.rejects.keys()
        if reasons.get(key) != wanted.rejects.get(key)
    ]
    assert not wrong, f"{len(wrong)} of {len(reasons)} differ: {sorted(wrong)[:20]}"
    on_kafka = last_records(system)
    off = list(differences(standing(on_kafka), {key: bare(content) for key, content in wanted.exposures.items()}))
    assert not off, f"{len(off)} differences:\n" + "\n".join(off[:20])
    assert in_redis(system) == on_kafka
    counts = Counter(reject["reason"] for reject in said.values())
    print(f", {len(wanted.exposures)} exposures, rejects {dict(counts)}")
    assert counts["schema"] > 1000 and counts["not_json"] > 200, counts
    assert len(wanted.exposures) > 20, "nobody met anybody: what was accepted says nothing"
