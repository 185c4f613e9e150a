"""Workers that come and go every few seconds, as in a deployment that is rolled out again and again, while scans stream
in and somebody else keeps a core busy: each that is asked to end ends by itself, and the answer is the brute force's.

    TRUYVET_LEAVING_SECONDS=420 pytest tests/pipeline/test_leaving.py -m faults -s
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.pipeline.answers import check_answer, check_revisions, send
from tests.pipeline.crew import Crew
from tests.pipeline.flow import meanwhile
from tests.pipeline.mishaps import Mishaps
from tests.pipeline.system import Program, Servers, System
from tests.pipeline.town import Town

SEED = int(os.environ.get("TRUYVET_FAULT_SEED") or random.randrange(1_000_000))
SECONDS = int(os.environ.get("TRUYVET_LEAVING_SECONDS") or 180)
RATE = 5_000
PAUSES = (2.0, 5.0, 10.0)  # seconds; the shortest hits workers that have hardly begun


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_whoever_is_asked_to_end_ends(own: Servers, tmp_path: Path) -> None:
    print(f"\nseed {SEED}", end="", flush=True)
    rng = random.Random(SEED)
    slices = Town(SEED, scans=1_000, cases=8).slices(SECONDS // 6)
    turns, longest = 0, 0.0
    with System(own, tmp_path / "system") as system:
        crew = Crew(system, 2)
        mishaps = Mishaps(system, own.kafka, crew, rng)
        words = ["-m", "tests.pipeline.flow", own.kafka.address, system.prefix + "scans", str(RATE), str(SECONDS)]
        flowing = Program(words, tmp_path / "flow.log", system.environment())
        busy = Program(["-c", "while True: pass"], tmp_path / "busy.log", system.environment())
        try:
            while flowing.alive:
                send(system, slices.pop() if slices else [])
                mishaps.wait(rng.choice(PAUSES))
                began = time.monotonic()
                rng.choice((mishaps.worker_leaves, mishaps.worker_leaves, mishaps.worker_joins))()
                turns, longest = turns + 1, max(longest, time.monotonic() - began)
        finally:
            busy.kill()
        assert flowing.wait() == 0, flowing.words()[-2000:]
        for rest in slices:
            send(system, rest)
        crew.settle(300)
        wanted = check_answer(system, leave_out=meanwhile)
        check_revisions(system)
        print(f", {turns} joins and leaves, the longest {longest:.1f} s, {len(wanted.exposures)} exposures", end="")
