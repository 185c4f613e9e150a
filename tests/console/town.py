"""A small town whose scans were taken in and counted by the real steps, in a private Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streams.rules.codes import Pseudonymiser
from streams.rules.policy import load_policies
from streams.state.generation import begin_generation
from streams.steps.gateways import Gateways
from streams.steps.ingest import Ingest
from streams.steps.plain import CoverageOfAreas, Organisations
from streams.steps.rollup import Rollup
from streams.steps.venues import Venues
from streams.steps.worker import Worker
from tests.simulation.checks import DirectStore
from tests.simulation.kafka import Kafka
from tests.simulation.process import SimulatedBatch
from tests.simulation.redis import RedisServer
from tests.state.deaf import DeafLog

DAY = "2026-01-05"
MORNING = 1_767_574_800_000
"""08:00 of DAY in Vietnam, ms."""
KEY = b"k" * 40
MINUTE = 60_000
TOPICS = ("venues", "organisations", "coverage", "gateways", "scans")
REGISTERED = "2026-01-01T00:00:00Z"

AREAS = [
    {"area": "44", "level": "province", "name": "Quảng Trị", "population": 1000, "subscribers": 800, "installs": 250},
    {
        "area": "19363",
        "level": "commune",
        "name": "Đồng Hới",
        "parent": "44",
        "population": 600,
        "subscribers": 500,
        "installs": 240,
    },
    {
        "area": "19366",
        "level": "commune",
        "name": "Bố Trạch",
        "parent": "44",
        "population": 400,
        "subscribers": 300,
        "installs": 10,
    },
]
ORGANISATIONS = [
    {"organisation": "so-y-te", "name": "Sở Y tế", "head": "Giám đốc", "commune": "19363", "headcount": 12},
    {"organisation": "tram", "name": "Trạm <y tế>", "parent": "so-y-te", "commune": "19363", "headcount": 6},
    {"organisation": "truong", "name": "Trường", "commune": "19366", "headcount": 30},
]
VENUES = [
    {"venue_id": "benh-vien", "name": "Bệnh viện", "type": "health", "organisation": "tram", "commune": "19363"},
    {"venue_id": "cho", "name": "Chợ Đồng Hới", "type": "market", "commune": "19363"},
    {"venue_id": "lop-1", "name": "Lớp 1", "type": "school", "organisation": "truong", "commune": "19366"},
    {"venue_id": "dong-cua", "name": "Đã đóng", "type": "shop", "commune": "19366", "status": "closed"},
]


def scan(person: int, venue: str, minute: float, direction: str = "in", **more: Any) -> dict[str, Any]:
    return {
        "scan_id": f"{person}-{minute}",
        "venue_id": venue,
        "person": f"{999_000_000_000 + person}",
        "scanned_at": int(MORNING + minute * MINUTE),
        "gateway_id": "g1",
        "direction": direction,
        **more,
    }


def scans() -> list[dict[str, Any]]:
    """Seven visitors at the market, three staff at the hospital, one stranger's venue, a shared card, a copied code."""
    found = [scan(p, "cho", p + stay, way) for p in range(7) for stay, way in ((0, "in"), (20, "out"))]
    found += [scan(20 + p, "benh-vien", p, role="staff") for p in range(3)]
    found += [scan(40, "quan-la", 5), scan(41, "quan-la", 6)]
    # One card for a whole queue: more than 60 scans (rule 3).
    found += [scan(50, "cho", 60 + i / 2) for i in range(61)]
    # In two places within half a minute.
    found += [scan(60, "cho", 200), scan(60, "benh-vien", 200.5)]
    return found


class Clock:
    def now_ms(self) -> int:
        return MORNING + 600 * MINUTE


async def lag() -> int:
    return 0


async def live(server: RedisServer) -> None:
    """Everything taken in and counted."""
    server.begin()
    store: Any = DirectStore(server)
    kafka = Kafka(dict.fromkeys(TOPICS, 1))
    log: Any = DeafLog(kafka)
    worker = Worker(
        store=store,
        log=log,
        clock=Clock(),
        pseudonymiser=Pseudonymiser(KEY),
        policies=load_policies(),
        seal=lambda payload: payload,
        generation=(await begin_generation(store, "ready")).id,
        retention_days=21,
        lag=lag,
    )
    steps = {
        "venues": Venues(worker),
        "organisations": Organisations(worker),
        "coverage": CoverageOfAreas(worker),
        "gateways": Gateways(worker),
        "scans": Ingest(worker),
    }
    messages: list[tuple[str, dict[str, Any]]] = [
        *(("coverage", {**area, "as_of": "2026-01-01"}) for area in AREAS),
        *(("organisations", {**body, "registered_at": REGISTERED}) for body in ORGANISATIONS),
        *(("venues", {**venue, "province": "44", "registered_at": REGISTERED}) for venue in VENUES),
        *(("gateways", {"gateway_id": name, "registered_at": REGISTERED}) for name in ("g1", "g-dead")),
    ]
    for topic, message in messages:
        record = kafka.partition(topic, 0).append(MORNING, b"k", json.dumps(message).encode(), ())
        await steps[topic].handle(SimulatedBatch([record]))
    # This gateway's clock is ten minutes ahead of the records' times.
    late = MORNING + 250 * MINUTE
    for gateway, ahead in (("g1", 0), ("g-fast", 10 * MINUTE)):
        batch = scans() if gateway == "g1" else [scan(90, "cho", 0, scanned_at=late + ahead, gateway_id=gateway)]
        record = kafka.partition("scans", 0).append(late, None, json.dumps(batch).encode(), ())
        await steps["scans"].handle(SimulatedBatch([record]))
    rollup = Rollup(worker)
    for _ in range(12):
        await rollup.tick()


def opened(server: RedisServer) -> Any:
    """In place of console.stores.open_store."""

    @asynccontextmanager
    async def open_store(_: object) -> AsyncIterator[Any]:
        yield DirectStore(server)

    return open_store
