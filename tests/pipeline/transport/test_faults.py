"""The batch transport when processes come, go, fail and hang. Each test counts ids: lost, seen twice, committed."""

from __future__ import annotations

import random
import signal
import threading
import time
from pathlib import Path

import pytest

from streams.runtime.exits import FAILED, STUCK
from tests.pipeline.system import Servers, wait_until
from tests.pipeline.transport.scene import Scene

SMALL = {"broker_max_poll_records": 200}


def producing(scene: Scene, many: int, rate: float) -> threading.Thread:
    thread = threading.Thread(target=scene.produce, args=(many,), kwargs={"rate": rate, "batch": 100})
    thread.start()
    return thread


def uncommitted_only(scene: Scene, committed: dict[int, int]) -> bool:
    """Whether everything seen twice lies at or after the offsets committed at the fault."""
    counts = scene.seen()
    return all(i // 4 >= committed.get(i % 4, 0) for i, times in counts.items() if times > 1)


def test_workers_join_and_leave_under_traffic(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        traffic = producing(scene, 60_000, 5_000)
        first = scene.start(seconds=0.1, faust=SMALL)
        time.sleep(1)
        second = scene.start(seconds=0.1, concurrency=4, faust=SMALL)
        time.sleep(1)
        assert first.terminate() == 0
        third = scene.start(seconds=0.1, concurrency=4, faust=SMALL)
        time.sleep(1)
        assert second.terminate() == 0
        fourth = scene.start(seconds=0.02, concurrency=4, faust=SMALL)
        traffic.join()
        scene.wait_seen()
        scene.wait_committed()
        assert third.terminate() == 0
        assert fourth.terminate() == 0
        assert scene.lost() == set()
        assert scene.twice() == 0, "an orderly hand-over repeats nothing"
        assert scene.committed() == scene.ends()


@pytest.mark.faults
def test_a_storm_of_rebalances_with_one_kill(servers: Servers, tmp_path: Path) -> None:
    chance = random.Random(7)
    with Scene(servers, tmp_path) as scene:
        traffic = producing(scene, 60_000, 4_000)
        for number in range(8):
            scene.start(ready=False, seconds=0.05, concurrency=4, faust=SMALL)
            time.sleep(chance.uniform(0.5, 3.0))
            if number == 4:
                scene.processes[2].kill()
                committed = scene.committed()
            elif number > 1 and scene.processes[number - 2].alive:
                scene.processes[number - 2].send(signal.SIGTERM)
        traffic.join()
        scene.wait_seen(patience=90)
        scene.wait_committed()
        assert scene.lost() == set()
        assert uncommitted_only(scene, committed)
        assert all(i in scene.seen(2) for i, times in scene.seen().items() if times > 1), "SIGTERM repeats nothing"
        for worker in scene.processes:
            assert worker.terminate() in (0, -signal.SIGKILL)


def test_kill_in_the_middle_of_a_batch(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(4_000)
        victim = scene.start(seconds=0.3, faust=SMALL)
        wait_until(lambda: len(scene.said("END")) >= 6)
        victim.kill()
        committed = scene.committed()
        scene.start(seconds=0, concurrency=4, faust=SMALL)
        scene.wait_seen()
        scene.wait_committed()
        assert scene.lost() == set()
        assert uncommitted_only(scene, committed)


def test_kill_after_the_effects_and_before_the_commit(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(4_000)
        victim = scene.start(faust={**SMALL, "broker_commit_interval": 60.0})
        scene.wait_seen()
        victim.kill()
        assert scene.committed() == {}
        scene.start(concurrency=4, faust=SMALL)
        wait_until(lambda: sum(scene.seen().values()) >= 8_000)
        scene.wait_committed()
        assert scene.lost() == set()
        assert scene.twice() == 4_000, "exactly what was processed and not committed"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_sigterm_finishes_the_batch_in_hand(servers: Servers, tmp_path: Path, concurrency: int) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(4_000)
        worker = scene.start(seconds=2, concurrency=concurrency, faust=SMALL)
        wait_until(lambda: len(scene.said("BEGIN")) >= concurrency)
        began = time.monotonic()
        assert worker.terminate() == 0
        assert time.monotonic() - began < 8
        begun, ended = scene.said("BEGIN"), scene.said("END")
        assert sorted(begun) == sorted(ended), "every batch that was begun was finished"
        done = {partition: last + 1 for partition, _, last, _ in ended}
        assert scene.committed() == done


def test_sigterm_in_a_rebalance(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(8_000)
        slow = scene.start(seconds=3, faust=SMALL)
        wait_until(lambda: scene.said("BEGIN"))
        joining = scene.start(ready=False, seconds=0, concurrency=4, faust=SMALL)
        time.sleep(2.0)  # the one that joins waits for the slow one's batch
        assert joining.terminate() == 0
        assert slow.terminate() == 0
        done: dict[int, int] = {}
        for partition, _, last, _ in scene.said("END"):
            done[partition] = max(done.get(partition, 0), last + 1)
        assert scene.committed() == done
        assert scene.twice() == 0


@pytest.mark.parametrize("concurrency", [1, 4, 4])  # the hang that this is about was a race: two of three
def test_a_body_that_raises_ends_the_worker(servers: Servers, tmp_path: Path, concurrency: int) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(8_000)
        options = {"concurrency": concurrency, "faust": SMALL, "at": [1, 1_000]}
        worker = scene.start(ready=False, fault="raise", **options)
        assert worker.wait(25) == FAILED
        failed = next(first for p, first, last, _ in scene.said("BEGIN") if p == 1 and first <= 1_000 <= last)
        assert scene.committed().get(1, 0) == failed, "nothing after the batch that failed, and all before it"
        assert worker.words().count("Traceback") < 20, "no flood of tracebacks"
        scene.start(concurrency=4, faust=SMALL)
        scene.wait_seen()
        scene.wait_committed()
        assert scene.lost() == set()
        again = scene.order(1)[1]
        assert again[0] == failed, "it goes on where it failed"


@pytest.mark.parametrize("fault", ["hang", "block"])
def test_the_watchdog_ends_a_worker_that_hangs(servers: Servers, tmp_path: Path, fault: str) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(4_000)
        stuck = scene.start(ready=False, fault=fault, at=[2, 0], timeout=3.0, faust=SMALL)
        assert stuck.wait(20) == STUCK
        assert "in hand for" in stuck.words()
        assert "Thread 0x" in stuck.words() or "most recent call first" in stuck.words(), "the stacks are in its log"
        scene.start(concurrency=4, faust=SMALL)
        scene.wait_seen()
        scene.wait_committed()
        assert scene.lost() == set()


def test_a_batch_that_goes_forward_may_take_long(servers: Servers, tmp_path: Path) -> None:
    """Hundreds of cases in one batch took longer than the watchdog's time, and so did every next try."""
    with Scene(servers, tmp_path) as scene:
        scene.produce(400)
        scene.start(fault="long", at=[2, 0], timeout=2.0, faust=SMALL)
        scene.wait_seen()
        scene.wait_committed()
        assert scene.lost() == set()


@pytest.mark.faults
def test_a_batch_longer_than_the_session(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(2_000)
        worker = scene.start(fault="slow", at=[0, 0], seconds=12, concurrency=4, faust=SMALL)
        scene.wait_seen(patience=40)
        scene.wait_committed()
        assert worker.terminate() == 0
        assert scene.twice() == 0, "heartbeats went on meanwhile: no rebalance, no second owner"


@pytest.mark.faults
def test_a_batch_longer_than_the_rebalance(servers: Servers, tmp_path: Path) -> None:
    """Two owners: the slow one is thrown out of the group while it works. Its commit must not count."""
    with Scene(servers, tmp_path) as scene:
        scene.produce(2_000)
        options = {"faust": {**SMALL, "broker_rebalance_timeout": 4.0}}
        slow = scene.start(fault="slow", at=[0, 0], seconds=14, concurrency=4, **options)
        wait_until(lambda: any(p == 0 for p, *_ in scene.said("BEGIN")))
        other = scene.start(ready=False, concurrency=4, **options)
        scene.wait_seen(patience=40)
        scene.wait_committed()
        first_batch = next(last + 1 for p, first, last, _ in scene.said("BEGIN", 0) if p == 0 and first == 0)
        wait_until(lambda: [e for e in scene.said("END", 0) if e[0] == 0 and e[1] == 0], 30)
        time.sleep(2)
        assert scene.lost() == set()
        assert scene.committed() == scene.ends(), "the zombie did not set an offset back"
        assert scene.twice() <= first_batch + 200
        assert slow.terminate() == 0
        assert other.terminate() == 0
