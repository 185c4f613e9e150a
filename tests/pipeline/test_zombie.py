"""A worker that is stopped (SIGSTOP) for longer than its session, while another takes over and publishes, and then goes
on where it was: it has no last word. The last record of every key is what stands in Redis and what the brute force
says, and none of its numbers has two contents."""

from __future__ import annotations

import random
import time
from pathlib import Path

from streams.runtime.exits import AGAIN, DONE
from tests.pipeline.answers import check_answer, check_revisions, send
from tests.pipeline.crew import Crew
from tests.pipeline.system import Servers, System
from tests.pipeline.test_deaths import taken_in, wait_for_work
from tests.pipeline.town import Town

SEED = random.randrange(1_000_000)
ROUNDS = 3


def test_a_zombie(servers: Servers, tmp_path: Path) -> None:
    print(f"\nseed {SEED}", end="")
    rng = random.Random(SEED)
    town = Town(SEED, scans=600)
    slices = town.slices(3 * ROUNDS + 1)
    cases = [message for message in town.messages if message.topic == "cases"]
    with System(servers, tmp_path, env={"TRUYVET_SESSION_SECONDS": "2"}) as system:
        crew = Crew(system, 1)
        send(system, slices.pop())
        crew.settle()
        for _ in range(ROUNDS):
            # All partitions are its own, and it is in the middle of something.
            (zombie,) = crew.living
            before = taken_in(system)
            send(system, [*slices.pop(), *cases])
            wait_for_work(system, before)
            time.sleep(rng.random() * 0.2)
            zombie.pause()
            heir = crew.join()
            send(system, slices.pop())
            heir.wait_ready(60)
            crew.settle()
            check_answer(system)
            zombie.go_on()
            send(system, slices.pop())
            time.sleep(1.0)
            crew.settle()
            check_answer(system)
            check_revisions(system)
            while len(crew.living) > 1:
                assert crew.living.pop(0).terminate(60) in (DONE, AGAIN)
        wanted = check_answer(system)
        print(f", {crew.again} ended and began again, {len(wanted.exposures)} exposures", end="")
        assert len(wanted.exposures) > 20
