"""The counters against the brute force: worlds of all messages, in any order, worked in piece by piece (rule 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from streams.ports import Call
from streams.rules.codes import Pseudonymiser
from streams.state.generation import begin_generation
from streams.steps import rollup
from streams.steps.cases import Cases
from streams.steps.counting import Counting
from streams.steps.ingest import Ingest
from streams.steps.people import People
from streams.steps.plain import CoverageOfAreas, Organisations
from streams.steps.venues import Venues
from streams.steps.worker import Worker
from tests.reference.answer import World
from tests.reference.counters import days_with_scans, public_keys
from tests.reference.fields import date_text, local_day
from tests.simulation.checks import DirectStore
from tests.simulation.kafka import Kafka, Partition
from tests.simulation.makers import as_json
from tests.simulation.process import SimulatedBatch
from tests.simulation.redis import RedisServer, private_server
from tests.simulation.worlds import KEY
from tests.state.counterworlds import counter_world
from tests.state.deaf import DeafLog

TOPICS = ("venues", "organisations", "coverage", "cases", "people", "scans")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Clock:
    def now_ms(self) -> int:
        return 1_640_000_000_000


async def lag() -> int:
    return 0


class House:
    """One world's messages worked in by one process, and two who count: each believes to be the one now and then, and
    forgets everything when it dies."""

    def __init__(self, server: RedisServer, seed: int) -> None:
        self.server, self.rng = server, Random(seed)
        self.world = counter_world(seed)
        self.kafka = Kafka(dict.fromkeys(TOPICS, 1))

    async def start(self) -> None:
        self.server.begin()
        store: Any = DirectStore(self.server)
        log: Any = DeafLog(self.kafka)
        self.worker = Worker(
            store=store,
            log=log,
            clock=Clock(),
            pseudonymiser=Pseudonymiser(KEY),
            policies=self.world.policies,
            seal=lambda payload: payload,
            generation=(await begin_generation(store, "ready")).id,
            retention_days=self.world.retention_days,
            lag=lag,
        )
        makers = (Venues, Organisations, CoverageOfAreas, Cases, People, Ingest)
        self.steps: dict[str, Any] = {topic: make(self.worker) for topic, make in zip(TOPICS, makers, strict=True)}
        self.counting = [Counting(self.worker), Counting(self.worker)]

    async def work_in(self) -> None:
        messages = [m for m in self.world.messages if m.topic in TOPICS]
        messages += [m for m in messages if self.rng.random() < 0.2]
        self.rng.shuffle(messages)
        # What was erased is gone: a hold, or that a code is another person's, comes too late when it is told of later,
        # whatever its date.
        early = (b'"hold"', b'"unhold"', b'"unlink"')
        messages.sort(key=lambda m: m.topic == "people" and any(op in m.value for op in early), reverse=True)
        for message in messages:
            partition: Partition = self.kafka.partition(message.topic, 0)
            record = partition.append(message.timestamp, message.key, message.value, message.headers)
            await self.steps[message.topic].handle(SimulatedBatch([record]))
            kind = self.rng.random()
            if kind < 0.2:
                await self.counting[self.rng.random() < 0.1].tick()
            elif kind < 0.25:
                self.counting[0] = Counting(self.worker)  # its owner died, and another one counts now
            elif kind < 0.3:
                again = self.kafka.partition("scans", 0).records
                if again:  # the batch comes again, cut in another way
                    at = self.rng.randrange(len(again))
                    await self.steps["scans"].handle(SimulatedBatch(again[at : at + 3]))

    async def settle(self) -> None:
        for _ in range(4):
            await self.counting[0].tick()
        assert self.meta()["state"] == "ready" and self.meta()["lag_records"] == "0"

    def meta(self) -> dict[str, str]:
        flat = self.server.call(Call("HGETALL", ("tv:pub:meta",)))
        return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}

    def reference(self) -> World:
        return World(self.records(), KEY, self.world.figures, self.world.retention_days)

    def records(self) -> list[Any]:
        return [record for topic in TOPICS for record in self.kafka.partition(topic, 0).records]


def public(server: RedisServer) -> dict[str, dict[str, int]]:
    """All figures that rule 11 tells, without what is 0 in hashes."""
    found = {}
    for key in sorted(server.call(Call("KEYS", ("tv:pub:*",)))):
        name = key.decode()
        if name.startswith(("tv:pub:meta", "tv:pub:tracing", "tv:pub:gateway:")):
            continue
        if name.startswith(("tv:pub:rank:", "tv:pub:silent")):
            flat = server.call(Call("ZRANGE", (key,), (0, -1, "WITHSCORES")))
            found[name] = {w.decode(): int(n) for w, n in zip(flat[::2], flat[1::2], strict=True)}
        else:
            flat = server.call(Call("HGETALL", (key,)))
            pairs = zip(flat[::2], flat[1::2], strict=True)
            found[name] = {word.decode(): int(number) for word, number in pairs if int(number)}
    return {name: figures for name, figures in found.items() if figures}


def check(server: RedisServer, world: World, records: list[Any]) -> int:
    """Every key and no other; the number of them. Of days without a scan only what has to do with scans and cases: for
    how long an empty day goes on to have open venues is nobody's business."""
    wanted, found = public_keys(world, records), public(server)
    full = {date_text(day) for day in days_with_scans(world)}
    for name in sorted(found.keys() | wanted.keys()):
        have, want = found.get(name, {}), wanted.get(name, {})
        if not name.startswith(("tv:pub:silent", "tv:pub:rejects:")) and name[-10:] not in full:
            if name.startswith(("tv:pub:rank:",)):
                assert not any(have.values()), name
                continue
            kept = (
                "scans",
                "in",
                "out",
                "persons",
                "persons_est",
                "staff",
                "venues_active",
                "unregistered",
                "last_scan",
            )
            have = {field: n for field, n in have.items() if field in kept or field == "cases_reported"}
            if local_day(world.newest) and name[-10:] == date_text(local_day(world.newest)):
                have.pop("inside_now", None)
        assert have == want, name
    return len(wanted)


@pytest.mark.parametrize("kept", [rollup.PERSONS_KEPT, 0])
@pytest.mark.parametrize("seed", range(60))
async def test_every_figure_is_the_brute_forces(
    server: RedisServer, seed: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kept` 0: of every day that is written and decides nothing of who is inside, nothing stays in memory."""
    monkeypatch.setattr(rollup, "PERSONS_KEPT", kept)
    house = House(server, seed)
    await house.start()
    await house.work_in()
    await house.settle()
    check(server, house.reference(), house.records())


class Reads(DirectStore):
    """Counts how many venue days are read."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(server)
        self.read = 0

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        self.read += sum(call.name == "GETRANGE" for call in calls)
        return await DirectStore.run(self, calls)


async def test_a_case_has_no_day_that_is_put_away_read_again(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A country's days do not all fit into memory, and it reports a case every few seconds."""
    monkeypatch.setattr(rollup, "PERSONS_KEPT", 0)
    house = House(server, 3)
    await house.start()
    await house.work_in()
    await house.settle()
    store = house.worker.store = Reads(server)  # type: ignore[assignment]
    await house.settle()
    day = min(days_with_scans(house.reference()))
    counting: Any = house.counting[0]
    assert day in counting._rollup._put_away
    before, read = public(server)[f"tv:pub:day:{date_text(day)}"].get("cases_reported", 0), store.read
    noon = (day * 86_400 + 5 * 3_600) * 1000
    case = {"case_id": "late", "person": "001099012345", "status": "confirmed", "sampled_at": noon, "reported_at": noon}
    value = as_json({**case, "reported_by": "An"})
    record = house.kafka.partition("cases", 0).append(house.worker.clock.now_ms(), b"late", value, ())
    await house.steps["cases"].handle(SimulatedBatch([record]))
    await house.settle()
    assert public(server)[f"tv:pub:day:{date_text(day)}"]["cases_reported"] == before + 1
    assert store.read == read
    check(server, house.reference(), house.records())


async def test_the_worlds_have_what_is_to_be_told_apart(server: RedisServer) -> None:
    """Otherwise the comparison above would say nothing of it."""
    seen: set[str] = set()
    for seed in range(60):
        house = House(server, seed)
        for topic in TOPICS:
            for message in house.world.messages:
                if message.topic == topic:
                    house.kafka.partition(topic, 0).append(
                        message.timestamp, message.key, message.value, message.headers
                    )
        world = house.reference()
        for key, figures in public_keys(world, house.records()).items():
            kind = key.split(":")[2]
            seen |= {f"{kind}.{field}" for field in figures} if kind not in ("rank", "silent") else set()
            seen |= (
                {f"{kind} {'0' if not n else 'n'}" for n in figures.values()} if kind in ("rank", "silent") else set()
            )
    assert {
        *(
            "venue.inside_now",
            "venue.last_scan",
            "venue.staff",
            "org.staff_persons",
            "org.headcount",
            "rank 0",
            "rank n",
        ),
        *("silent 0", "silent n", "day.cases_reported", "day.unregistered", "area.population", "rejects.schema"),
    } <= seen
