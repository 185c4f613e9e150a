"""The counters against the brute force: worlds of all messages, in any order, worked in piece by piece (rule 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from streams.ports import Call, Out
from streams.rules.codes import Pseudonymiser
from streams.rules.days import date_of
from streams.state.generation import begin_generation
from streams.steps.cases import Cases
from streams.steps.ingest import Ingest
from streams.steps.people import People
from streams.steps.rollup import Rollup
from streams.steps.venues import Venues
from streams.steps.worker import Worker
from tests.reference import counters
from tests.reference.answer import World
from tests.reference.fields import local_day
from tests.simulation.checks import DirectStore
from tests.simulation.kafka import Kafka, Partition
from tests.simulation.process import SimulatedBatch
from tests.simulation.redis import RedisServer, private_server
from tests.simulation.worlds import KEY, make_world

TOPICS = ("venues", "cases", "people", "scans")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Log:
    """What the steps send goes nowhere; what they read back is the world's own."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka

    async def send(self, records: Sequence[Out]) -> None: ...

    def partition_of(self, topic: str, key: bytes) -> int:
        return 0

    async def origin(self, topic: str, partition: int, offset: int) -> bytes | None:
        return self._kafka.partition(topic, partition).records[offset].value


class Clock:
    def now_ms(self) -> int:
        return 1_640_000_000_000


async def lag() -> int:
    return 0


def hash_of(server: RedisServer, key: str) -> dict[str, int]:
    flat = server.call(Call("HGETALL", (key,)))
    return {name.decode(): int(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}


async def work_in(server: RedisServer, seed: int) -> tuple[World, Worker]:
    """A world's messages, in some order and some of them twice, with counting in between; counted when all are in."""
    server.begin()
    world, rng = make_world(seed), Random(seed)
    kafka = Kafka(dict.fromkeys(TOPICS, 1))
    store: Any = DirectStore(server)
    generation = await begin_generation(store, "ready")
    log: Any = Log(kafka)
    worker = Worker(
        store=store,
        log=log,
        clock=Clock(),
        pseudonymiser=Pseudonymiser(KEY),
        policies=world.policies,
        seal=lambda payload: payload,
        generation=generation.id,
        retention_days=world.retention_days,
        lag=lag,
    )
    steps = {"venues": Venues(worker), "cases": Cases(worker), "people": People(worker), "scans": Ingest(worker)}
    rollup = Rollup(worker)
    messages = [m for m in world.messages if m.topic in TOPICS]
    messages += [m for m in messages if rng.random() < 0.2]
    rng.shuffle(messages)
    for message in messages:
        partition: Partition = kafka.partition(message.topic, 0)
        record = partition.append(message.timestamp, message.key, message.value, message.headers)
        await steps[message.topic].handle(SimulatedBatch([record]))
        if rng.random() < 0.2:
            await rollup.tick()
        if rng.random() < 0.05:
            rollup = Rollup(worker)  # its owner died, and another one counts now
    for _ in range(12):  # a new owner reads a day a tick
        await rollup.tick()
    records = [r for topic in TOPICS for r in kafka.partition(topic, 0).records]
    return World(records, KEY, world.figures, world.retention_days), worker


@pytest.mark.parametrize("seed", range(40))
async def test_every_figure_is_the_brute_forces(server: RedisServer, seed: int) -> None:
    world, _ = await work_in(server, seed)
    days = {local_day(scan.second) for scan in world.accepted.scans}
    for day in sorted(days):
        date = date_of(day).isoformat()
        want = counters.day_counters(world, day)
        have = hash_of(server, f"tv:pub:day:{date}")
        if want["scans"]:
            assert have == want, date
        else:
            assert have.get("scans", 0) == 0
        for area, figures in counters.area_counters(world, day).items():
            found = hash_of(server, f"tv:pub:area:{area}:{date}")
            assert {name: found.get(name, 0) for name in ("scans", "in", "out", "venues_active")} == {
                name: figures[name] for name in ("scans", "in", "out", "venues_active")
            }
        places = counters.venue_counters(world, day)
        for venue, figures in places.items():
            found = hash_of(server, f"tv:pub:venue:{venue}:{date}")
            assert {name: found.get(name, 0) for name in figures} == figures, (venue, date)
    assert hash_of_meta(server)["lag_records"] == "0"


def hash_of_meta(server: RedisServer) -> dict[str, str]:
    flat = server.call(Call("HGETALL", ("tv:pub:meta",)))
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
