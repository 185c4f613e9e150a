"""Half an hour under load with a mishap each minute: at the end nothing waits, nothing has grown, and the answer is the
brute force's.

    TRUYVET_SOAK_MINUTES=30 TRUYVET_SOAK_RATE=10000 pytest tests/pipeline/test_soak.py -m faults -s
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.pipeline.answers import check_answer, check_revisions, send
from tests.pipeline.crew import Crew
from tests.pipeline.flow import meanwhile
from tests.pipeline.mishaps import Mishaps
from tests.pipeline.system import Program, Servers, System
from tests.pipeline.town import Town

SEED = int(os.environ.get("TRUYVET_FAULT_SEED") or random.randrange(1_000_000))
MINUTES = float(os.environ.get("TRUYVET_SOAK_MINUTES") or 30)
RATE = int(os.environ.get("TRUYVET_SOAK_RATE") or 10_000)
WARM = 25.0  # seconds after which a worker has what it keeps
GROWN = 1.5


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_soak(own: Servers, tmp_path: Path) -> None:
    print(f"\nseed {SEED}, {MINUTES:.0f} minutes at {RATE} scans/s", end="", flush=True)
    rng = random.Random(SEED)
    seconds = int(MINUTES * 60)
    slices = Town(SEED, scans=1_000, cases=8).slices(max(seconds // 5, 10))
    done: Counter[str] = Counter()
    with System(own, tmp_path / "system") as system:
        crew = Crew(system, 2)
        mishaps = Mishaps(system, own.kafka, crew, rng)
        words = ["-m", "tests.pipeline.flow", own.kafka.address, system.prefix + "scans", str(RATE), str(seconds)]
        flowing = Program(words, tmp_path / "flow.log", system.environment())
        # Emptied it must be rebuilt from all there is, which takes longer than the minute to the next mishap.
        turns = [one for one in mishaps.all() if one != mishaps.redis_emptied]
        began = last = time.monotonic()
        while flowing.alive:
            send(system, slices.pop() if slices else [])
            mishaps.wait(5.0)
            if time.monotonic() - last >= 60:
                mishap, last = rng.choice(turns), time.monotonic()
                done[mishap.__name__] += 1
                mishap()
            assert time.monotonic() - began < 3 * seconds + 120, "the flow does not get through"
        assert flowing.wait() == 0, flowing.words()[-2000:]
        for rest in slices:
            send(system, rest)
        crew.settle(300)
        resident = _after_a_while(mishaps, crew)
        wanted = check_answer(system, leave_out=meanwhile)
        check_revisions(system)
        print(f", {dict(done)}, {crew.again} ended and began again, {flowing.words().strip()} scans meanwhile,", end="")
        print(f" {len(wanted.exposures)} exposures, (MiB, files) of the workers {resident}")


def _after_a_while(mishaps: Mishaps, crew: Crew) -> list[tuple[int, int]]:
    """Of each worker MiB and open files, which a whole round of evaluations more does not make grow. One before it: who
    began a minute ago opens a connection for each partition of cases with the first of them (14 files, then 23)."""
    _once_more(mishaps, crew)
    mishaps.wait(WARM)
    before = {worker: psutil.Process(worker.pid) for worker in crew.living}
    held = {worker: (p.memory_info().rss, p.num_fds()) for worker, p in before.items()}
    _once_more(mishaps, crew)
    found = []
    for worker, process in before.items():
        if worker.alive:
            rss, files = process.memory_info().rss, process.num_fds()
            assert rss < GROWN * held[worker][0] and files <= held[worker][1] + 8, (held[worker], rss, files)
            found.append((rss // 2**20, files))
    assert found
    return found


def _once_more(mishaps: Mishaps, crew: Crew) -> None:
    """All messages once more: nothing of it is new."""
    send(mishaps.system, Town(SEED, scans=1_000, cases=8).messages)
    crew.settle(120)
