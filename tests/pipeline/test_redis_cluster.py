"""The whole pipeline on a Redis Cluster, whose nodes fail and are replaced by replicas that lack what was written last.

TRUYVET_FAULT_SEED=7 TRUYVET_FAULT_ROUNDS=20 pytest tests/pipeline/test_redis_cluster.py -m faults -s
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from streams.ports import StoreDown
from streams.runtime.exits import DONE
from streams.runtime.redis import RedisStore
from streams.state.generation import begin_generation, offset_done, read_offsets
from tests.pipeline.answers import check_answer, send
from tests.pipeline.crew import Crew
from tests.pipeline.redis_cluster import EmbeddedCluster
from tests.pipeline.system import Servers, System
from tests.pipeline.town import Town

SEED = int(os.environ.get("TRUYVET_FAULT_SEED") or random.randrange(1_000_000))
ROUNDS = int(os.environ.get("TRUYVET_FAULT_ROUNDS") or 20)


def test_a_node_fails(servers: Servers, tmp_path: Path) -> None:
    fail_overs(servers, tmp_path, 2)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_nodes_fail_again_and_again(servers: Servers, tmp_path: Path) -> None:
    fail_overs(servers, tmp_path, ROUNDS)


async def test_a_primary_that_was_alone_when_its_worker_began(tmp_path: Path) -> None:
    """It had just taken over. What it held later must be in the replica that it got, or nothing is vouched for."""
    cluster = EmbeddedCluster(tmp_path / "redis")
    cluster.start()
    try:
        before = cluster.primaries()[0]
        now = cluster.replica_of(before)
        before.kill()
        cluster.taken_over(now)
        store = await RedisStore.open(cluster.url, patience=4.0)
        generation = await begin_generation(store, "ready")
        await offset_done(store, generation.id, "scans", 0, 1)  # nothing can take over from it

        before.start()
        cluster.settle()
        await offset_done(store, generation.id, "scans", 0, 2)
        cluster.cut_off(now)
        with pytest.raises(StoreDown, match="no replica"):
            await offset_done(store, generation.id, "scans", 0, 3)
        assert await read_offsets(store) == {("scans", 0): 2}
        await store.close()
    finally:
        cluster.stop()


def fail_overs(servers: Servers, folder: Path, rounds: int) -> None:
    """Every second time the replica had been cut off for a while, and takes over all the same."""
    print(f"\nseed {SEED}", end="", flush=True)
    rng = random.Random(SEED)
    town = Town(SEED, scans=max(400, 40 * rounds), cases=8)
    slices = town.slices(3 * rounds + 1)
    cluster = EmbeddedCluster(folder / "redis")
    began = time.monotonic()
    with System(servers, folder, env={"TRUYVET_SESSION_SECONDS": "2"}, redis=cluster) as system:
        crew = Crew(system, 2)
        for number in range(rounds):
            send(system, slices.pop())
            victim = rng.choice(cluster.primaries())
            if number % 2 == 0:
                time.sleep(rng.random())
                replica = cluster.cut_off(victim)
                send(system, slices.pop())
                crew.wait(1.5 + rng.random())
                cluster.fail_over(victim, replica)
            else:
                send(system, slices.pop())
                time.sleep(0.5 * rng.random())
                cluster.fail_over(victim)
            crew.look()
            send(system, slices.pop())
            cluster.settle()
            crew.look()
        for rest in slices:
            send(system, rest)
        exposures = crew.ends_well(240, least=10)
        print(f", {rounds} fail-overs, {crew.again} ended and began again, {exposures} exposures", end="")
        print(f", {time.monotonic() - began:.0f} s")
        assert crew.again >= rounds // 2, "no worker noticed that its cluster had changed"
        rebuilt(system, crew)
        assert [worker.terminate() for worker in crew.living] == [DONE] * len(crew.living)


def rebuilt(system: System, crew: Crew) -> None:
    """`truyvet rebuild` finds and destroys what lies on all nodes, and makes the same again; nothing new is said."""
    said = len(system.records("exposures"))
    done = system.run("rebuild", "--yes", patience=120)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    crew.settle()
    check_answer(system)
    assert len(system.records("exposures")) == said
    assert system.run("status", "--json").returncode == 0
