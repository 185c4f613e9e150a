"""Gateways that are closed, and gateways whose clock is wrong, on a real Redis (rule 1)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from schemas.registry import Registered
from streams.ports import Call, Out, Read
from streams.rules.codes import Pseudonymiser
from streams.rules.policy import load_policies
from streams.state.generation import begin_generation
from streams.state.graph import read_persons
from streams.state.layout import tokens_of
from streams.state.shards import read_days
from streams.state.standing import Standing
from streams.steps.gateways import Gateways
from streams.steps.ingest import Ingest
from streams.steps.registered import put_back
from streams.steps.worker import Worker
from tests.simulation.redis import RedisServer, private_server

NOW = 1_700_000_000
PERSON = "079001990001"
ALICE = Pseudonymiser(b"k" * 40)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


@dataclass(frozen=True)
class Message:
    topic: str
    value: bytes
    offset: int
    timestamp: int = NOW * 1000
    partition: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Fetch(list[Message]):
    @property
    def topic(self) -> str:
        return self[0].topic

    @property
    def last_offset(self) -> int:
        return self[-1].offset

    partition = 0

    def alive(self) -> None: ...


class Around:
    """A worker's store and log over one Redis."""

    def __init__(self, server: RedisServer) -> None:
        server.begin()
        self.server, self.sent, self._offsets = server, list[Out](), itertools.count()

    async def begin(self) -> Worker:
        generation = await begin_generation(self, "ready")
        clock: Any = SimpleNamespace(now_ms=lambda: NOW * 1000)
        log: Any = self
        return Worker(self, log, clock, ALICE, load_policies(), lambda payload: payload, generation.id)

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        return [self.server.call(call) for call in calls]

    async def send(self, records: Sequence[Out]) -> None:
        self.sent += records

    def fetch(self, topic: str, *contents: Any, timestamp: int = NOW) -> Fetch:
        return Fetch(
            Message(topic, json.dumps(content).encode(), next(self._offsets), timestamp * 1000) for content in contents
        )

    def reasons(self) -> list[str]:
        return [json.loads(out.value or b"")["reason"] for out in self.sent if out.topic == "rejects"]


def gateway(name: str = "g1", **more: Any) -> dict[str, Any]:
    return {"gateway_id": name, "registered_at": (NOW - 9 * 86400) * 1000, **more}


def scan(second: int, name: str = "g1") -> dict[str, Any]:
    return {"scan_id": "s", "venue_id": "v", "person": PERSON, "scanned_at": second * 1000, "gateway_id": name}


async def seconds(worker: Worker) -> list[int]:
    days = sorted(await read_days(worker.store))
    token = tokens_of(ALICE.digest(PERSON)[:8])
    found = await read_persons(worker.store, np.repeat(token, len(days)), np.array(days, np.int64))
    return sorted(found.second.tolist())


async def test_a_closed_gateway_is_refused_from_its_second_on(server: RedisServer) -> None:
    around = Around(server)
    worker = await around.begin()
    closing = gateway(status="revoked", revoked_at=NOW * 1000)
    await Gateways(worker).handle(around.fetch("gateways", closing))
    ingest = Ingest(worker)
    await ingest.handle(around.fetch("scans", scan(NOW - 10), timestamp=NOW - 1))
    assert around.reasons() == []
    both = [[scan(NOW - 20), scan(NOW - 30, "g2")], scan(NOW - 40), scan(NOW + 4000)]
    await ingest.handle(around.fetch("scans", *both, timestamp=NOW))
    assert around.reasons() == ["future", "closed_gateway", "closed_gateway"], "the first reason of the rule's order"
    detail = next(out for out in around.sent if b'"index":0' in (out.value or b""))
    assert json.loads(detail.value or b"")["detail"].startswith("/0/gateway_id: expected")
    assert await seconds(worker) == [NOW - 30, NOW - 10]


async def test_the_clock_is_corrected_before_it_is_judged(server: RedisServer) -> None:
    around = Around(server)
    worker = await around.begin()
    await Gateways(worker).handle(around.fetch("gateways", gateway(clock_offset_s=3600), gateway("g2")))
    ingest = Ingest(worker)
    late = NOW - 21 * 86400 + 3599  # an hour earlier than it says, and so too old by a second
    await ingest.handle(around.fetch("scans", scan(NOW + 3600), scan(NOW + 3601, "g2"), scan(late)))
    assert around.reasons() == ["future", "expired"] or around.reasons() == ["expired", "future"]
    assert await seconds(worker) == [NOW]


async def test_a_correction_out_of_the_calendar_is_refused_even_where_everything_is_kept(server: RedisServer) -> None:
    around = Around(server)
    worker = await around.begin()
    worker.retention_days = 0
    await Gateways(worker).handle(around.fetch("gateways", gateway(clock_offset_s=100 * 366 * 86400)))
    await Ingest(worker).handle(around.fetch("scans", scan(NOW)))
    assert around.reasons() == ["expired"] and await seconds(worker) == []


RECORDS = [
    gateway(clock_offset_s=10, updated_at=5_000 + NOW * 1000),
    gateway(clock_offset_s=20, updated_at=5_001 + NOW * 1000),
    gateway(clock_offset_s=30, updated_at=5_001 + NOW * 1000),
]


@pytest.mark.parametrize("order", list(itertools.permutations(RECORDS)))
async def test_the_greatest_record_stands_and_a_rebuild_finds_it(server: RedisServer, order: Any) -> None:
    around = Around(server)
    worker = await around.begin()
    for record in order:
        await Gateways(worker).handle(around.fetch("gateways", record))
    await worker.gateways.refresh(worker.store)
    assert worker.gateways.special["g1"].clock_offset == 30
    told = [out for out in around.sent if out.topic == "registry"]
    last = {out.key: out.value for out in told}
    assert msgspec.json.decode(last[b"gateway/g1"] or b"", type=Registered).kind == "gateway"
    server.begin()
    again = await around.begin()
    reads = [Read(i, key, value) for i, (key, value) in enumerate(last.items())]
    await put_back(again.store, again.log, reads, Standing(again.store, 0))
    await again.gateways.refresh(again.store)
    assert again.gateways.special == worker.gateways.special


async def test_bad_records_are_rejected(server: RedisServer) -> None:
    around = Around(server)
    worker = await around.begin()
    await Gateways(worker).handle(around.fetch("gateways", gateway(status="revoked"), {"gateway_id": "g"}))
    assert around.reasons() == ["schema", "schema"]
