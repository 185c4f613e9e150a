"""Workers die by kill -9 at random instants while scans, venues and cases stream in: nothing is lost, nothing is done
twice, and no number is used for two contents. Said as a function of the set of messages (rule 0): the brute force."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.pipeline.answers import client, send
from tests.pipeline.crew import Crew
from tests.pipeline.system import Servers, System
from tests.pipeline.town import Town

ROUNDS = 20
SEED = random.randrange(1_000_000)


def taken_in(system: System) -> dict[bytes, bytes]:
    with client(system) as store:
        return store.hgetall("tv:gen")


def wait_for_work(system: System, before: dict[bytes, bytes], patience: float = 20.0) -> bool:
    """Until something was taken in; whether it was."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if taken_in(system) != before:
            return True
        time.sleep(0.01)
    return False


def test_twenty_deaths(servers: Servers, tmp_path: Path) -> None:
    print(f"\nseed {SEED}", end="")
    rng = random.Random(SEED)
    slices = Town(SEED, scans=800).slices(ROUNDS + 1)
    # Short sessions, so that what a dead worker owned is somebody else's soon.
    with System(servers, tmp_path, env={"TRUYVET_SESSION_SECONDS": "2"}) as system:
        crew = Crew(system, 2)
        at_work = 0
        for part in slices[:ROUNDS]:
            before = taken_in(system)
            send(system, part)
            at_work += wait_for_work(system, before)
            time.sleep(rng.choice((0.0, 0.02, 0.1, 0.3, 1.0)) * rng.random())
            crew.look()
            crew.kill(rng.choice(crew.living))
        send(system, slices[ROUNDS])
        exposures = crew.ends_well(120, least=20)
        print(f", {at_work} of {ROUNDS} killed at work, {crew.again} ended and began again, ", end="")
        print(f"{exposures} exposures", end="")
        assert at_work >= ROUNDS // 2, "most workers were killed while they had nothing to do"
