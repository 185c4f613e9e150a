"""Machines that a country has too: a broker whose disk fills up, a worker without memory, clocks that are an hour off.

TRUYVET_FAULT_SEED=7 pytest tests/pipeline/test_bad_machines.py -s
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

import orjson
import pytest
from aiokafka.errors import KafkaError

from streams.runtime.embedded import EmbeddedKafka
from streams.runtime.exits import AGAIN, FAILED
from tests.pipeline.answers import Sent, send
from tests.pipeline.crew import Crew
from tests.pipeline.system import ROOT, Program, Servers, System
from tests.pipeline.test_deaths import taken_in, wait_for_work
from tests.pipeline.town import Town

SEED = int(os.environ.get("TRUYVET_FAULT_SEED") or random.randrange(1_000_000))
FAST = {"TRUYVET_SESSION_SECONDS": "2"}


@pytest.fixture(autouse=True)
def said() -> None:
    print(f"\nseed {SEED}", end="", flush=True)


def ends_well(crew: Crew) -> None:
    exposures = crew.ends_well(120, least=10)
    print(f", {crew.again} ended and began again, {exposures} exposures", end="")


# -- a full disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.faults
def test_the_disk_of_the_broker_is_full(disk: Path, tmp_path: Path) -> None:
    """It ends, as Kafka does then. When there is room again and it was started, all goes on by itself."""
    kafka = EmbeddedKafka(disk / "kafka", heap="256m")
    kafka.start()
    slices = Town(SEED, scans=600).slices(4)
    try:
        with System(Servers(kafka, tmp_path), tmp_path / "system", env=FAST) as system:
            crew = Crew(system, 2)
            before = taken_in(system)
            send(system, slices[0])
            assert wait_for_work(system, before)
            filler = disk / "filler"
            with filler.open("wb") as full, pytest.raises(OSError, match="No space left"):
                while True:
                    full.write(bytes(1 << 16))
            threading.Thread(target=_send_anyway, args=(system, slices[1]), daemon=True).start()
            until = time.monotonic() + 90
            while kafka.running():
                crew.look()
                assert time.monotonic() < until, "the broker goes on without room"
                time.sleep(0.1)
            filler.unlink()
            assert "the disk is full" in kafka.last_words() or "No space left" in kafka.log.read_text(errors="replace")
            kafka.start()
            for part in slices[1:]:
                send(system, part)
            ends_well(crew)
    finally:
        kafka.stop()


def _send_anyway(system: System, messages: list[Sent]) -> None:
    """Some of it may be taken, and is sent again later: then it is there twice."""
    with suppress(KafkaError, OSError):
        send(system, messages)


# -- no memory


def test_workers_without_memory(servers: Servers, tmp_path: Path) -> None:
    """No message is refused, none is lost, because there was no memory to read it."""
    rng = random.Random(SEED)
    slices = Town(SEED, scans=600).slices(3)
    codes: list[int] = []
    with System(servers, tmp_path, env=FAST) as system:
        crew = Crew(system, 0)
        crew.may_end_with = (AGAIN, FAILED, -6)
        for part in slices[:2]:
            worker = crew.join(ready=True)
            room = rng.choice((0, 1, 2, 4)) << 19
            resource.prlimit(worker.pid, resource.RLIMIT_AS, (_size(worker) + room,) * 2)
            send(system, [*part, *_large(rng)])
            codes.append(_end_of(worker))
            crew.living.remove(worker)
        print(f", ended with {codes}", end="")
        assert any(codes), "there was memory enough"
        crew.join(ready=True)
        send(system, slices[2])
        ends_well(crew)


def _size(worker: Program) -> int:
    """Address space in bytes."""
    return int(Path(f"/proc/{worker.pid}/statm").read_text().split()[0]) * resource.getpagesize()


def _large(rng: random.Random) -> list[Sent]:
    """Records of 800 kB: bad scans, in one array."""
    return [Sent("scans", None, orjson.dumps([{"code": "x" * 40}] * 16_000)) for _ in range(8)]


def _end_of(worker: Program) -> int:
    """Its exit code, 0 when it does its work all the same, for as long as somebody would look."""
    until = time.monotonic() + 10
    while worker.alive and time.monotonic() < until:
        time.sleep(0.1)
    if worker.alive:
        worker.kill()
        return 0
    return worker.wait()


# -- wrong clocks


def _faketime() -> Path:
    for place in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"):
        if (found := Path(place, "faketime", "libfaketimeMT.so.1")).exists():
            return found
    raise AssertionError("libfaketime is not here")


class Misled(Crew):
    """Every second worker is more than an hour ahead, the others as much behind."""

    def __init__(self, system: System, count_: int) -> None:
        self._number = count()
        super().__init__(system, count_)

    def join(self, *, ready: bool = False) -> Program:
        off = "+3700s" if next(self._number) % 2 else "-3700s"
        env = {"LD_PRELOAD": str(_faketime()), "FAKETIME": off, "DONT_FAKE_MONOTONIC": "1"}
        self.living.append(self.system.worker(ready=ready, **env))
        return self.living[-1]


def test_clocks_that_are_an_hour_off(servers: Servers, tmp_path: Path) -> None:
    if shutil.which("faketime") is None:
        subprocess.run([ROOT / "deploy" / "install.sh", "faults"], check=True, timeout=300)
    rng = random.Random(SEED)
    slices = Town(SEED, scans=500).slices(4)
    with System(servers, tmp_path, env=FAST) as system:
        crew = Misled(system, 2)
        for part in slices[:3]:
            before = taken_in(system)
            send(system, part)
            wait_for_work(system, before)
            time.sleep(rng.random())
            crew.look()
            crew.kill(rng.choice(crew.living))
        send(system, slices[3])
        ends_well(crew)
        now = time.time()
        for record in system.records("exposures"):
            at = datetime.fromisoformat(record["issued_at"]).timestamp()
            assert abs(at - now) < 600, record["issued_at"]
        logs = [worker.words() for worker in system.workers]
        assert any("clock is" in words and "ahead of that of Redis" in words for words in logs)
        assert any("clock is" in words and "behind that of Redis" in words for words in logs)
