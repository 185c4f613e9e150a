"""Hundreds of rounds of mishaps under load; whatever was tried, the end is the brute force's answer.

TRUYVET_FAULT_SEED=7 TRUYVET_FAULT_ROUNDS=200 pytest tests/pipeline/test_chaos.py -m faults -s
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.pipeline.answers import Sent, send
from tests.pipeline.crew import Crew
from tests.pipeline.mishaps import Mishaps
from tests.pipeline.system import Servers, System
from tests.pipeline.test_deaths import taken_in, wait_for_work
from tests.pipeline.town import Town

SEED = int(os.environ.get("TRUYVET_FAULT_SEED") or random.randrange(1_000_000))
ROUNDS = int(os.environ.get("TRUYVET_FAULT_ROUNDS") or 200)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_hundreds_of_deaths(own: Servers, tmp_path: Path) -> None:
    """kill -9 at random instants, with workers that join and leave between."""
    rng = random.Random(SEED)
    chaos(own, tmp_path, rng, ROUNDS, lambda m: rng.choice([m.worker_killed] * 6 + [m.worker_leaves, m.worker_joins]))


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_everything_that_can_go_wrong(own: Servers, tmp_path: Path) -> None:
    """All mishaps in turn, in an order drawn anew each time round."""
    rng = random.Random(SEED)
    waiting: list = []

    def choose(mishaps: Mishaps):  # type: ignore[no-untyped-def]
        if not waiting:
            waiting.extend(mishaps.all())
            rng.shuffle(waiting)
        return waiting.pop()

    chaos(own, tmp_path, rng, max(ROUNDS // 5, 8), choose)


def test_one_of_each(own: Servers, tmp_path: Path) -> None:
    """The short version, for `make test`."""
    rng = random.Random(SEED)
    turn = iter(("worker_killed", "redis_without_its_last_second", "broker_killed", "worker_paused"))
    chaos(own, tmp_path, rng, 4, lambda m: getattr(m, next(turn)))


def chaos(servers: Servers, folder: Path, rng: random.Random, rounds: int, choose) -> None:  # type: ignore[no-untyped-def]
    print(f"\nseed {SEED}", end="", flush=True)
    town = Town(SEED, scans=max(300, 8 * rounds), cases=8)
    slices = town.slices(2 * rounds + 1)

    def part() -> list[Sent]:
        """The next of the messages, and when all are out some of them again."""
        return slices.pop() if slices else rng.sample(town.messages, 5)

    done: Counter[str] = Counter()
    at_work = 0
    began = time.monotonic()
    with System(servers, folder / "system", env={"TRUYVET_SESSION_SECONDS": "2"}) as system:
        crew = Crew(system, 2)
        mishaps = Mishaps(system, servers.kafka, crew, rng)
        for _ in range(rounds):
            before = taken_in(system) if system.redis.ready() else {}
            send(system, part())
            # Half of the time somebody must be at work when it happens; workers that were just started are not yet.
            at_work += rng.random() < 0.6 and wait_for_work(system, before)
            mishaps.wait(rng.choice((0.0, 0.1, 0.4, 1.5)) * rng.random())
            mishap = choose(mishaps)
            done[mishap.__name__] += 1
            mishap()
            send(system, part())
            crew.look()
        for rest in slices:
            send(system, rest)
        exposures = crew.ends_well(240, least=20)
        took = time.monotonic() - began
        print(f", {dict(done)}, {at_work} while at work, {crew.again} ended and began again", end="")
        print(f", {exposures} exposures, {took:.0f} s")
        assert at_work >= rounds // 4, "most of it happened to workers that had nothing to do"
