"""`truyvet cases`, `exposures`, `followups`, `alerts`, `clusters`: what stands, as a table and as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from console import ledger
from console.main import truyvet
from schemas.encoding import encode
from schemas.followup import Followup
from schemas.venue_alert import VenueAlert
from streams.ports import Call
from streams.state.standing import ALERT, FOLLOWUP, NOTHING, Head, Standing
from tests.simulation.redis import RedisServer, private_server

P1, P2 = "p1" + "a" * 26, "p1" + "b" * 26
CASES = [
    {"case_id": "C1", "revision": 1, "state": "open", "f1": 1, "held": 0, "warnings": ["empty_window"]},
    {"case_id": "C2", "revision": 2, "state": "held", "f1": 3, "held": 2, "window_start": "2026-01-01T00:00:00Z"},
]
EXPOSURES = [
    {"case_id": "C1", "person": P1, "level": "F1", "score": 36.0, "band": "medium", "certainty": "confirmed"},
    {"case_id": "C1", "person": P2, "level": "F1", "score": 48.0, "band": "medium", "certainty": "co-presence"},
]
FOLLOWUPS = [
    {"person": P1, "exposures": ["x"], "band": "low", "follow_up_until": "2026-01-15", "test_on": "2026-01-12"},
    {"person": P2, "exposures": ["y", "z"], "band": "high", "follow_up_until": "2026-01-16", "test_on": "2026-01-13"},
]
ALERTS = [
    {"case_id": "C1", "venue_id": "v1", "start": "2026-01-05T05:00:00Z", "people": 4, "f1": 2, "crowd": False},
    {"case_id": "C1", "venue_id": "v2", "start": "2026-01-04T05:00:00Z", "people": 900, "f1": 2, "crowd": True},
]
CLUSTERS = [
    {"venue_id": "v1", "cases": ["C1", "C2", "C3"], "source_like": 1, "spread_like": 2, "from": "2026-01-05T05:00:00Z"},
    {"venue_id": "v2", "cases": ["C1", "C2", "C3", "C4"], "source_like": 0, "spread_like": 4},
]
STANDS = {
    "case-status": CASES,
    "exposures": EXPOSURES,
    "followups": FOLLOWUPS,
    "venue-alerts": ALERTS,
    "clusters": CLUSTERS,
}


@pytest.fixture
def stands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """What was asked of the ledger: topic, of whom."""
    asked: list[tuple[str, str | None]] = []

    async def standing(_: object, topic: str, of: str | None = None) -> list[dict[str, Any]]:
        asked.append((topic, of))
        return STANDS[topic]

    monkeypatch.setattr(ledger, "standing", standing)
    return asked


def run(*args: str) -> str:
    result = CliRunner().invoke(truyvet, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("args", "records"),
    [
        (["cases"], CASES),
        (["cases", "--state", "held"], CASES[1:]),
        (["exposures"], EXPOSURES[::-1]),
        (["followups"], FOLLOWUPS[::-1]),
        (["followups", "--band", "low"], FOLLOWUPS[:1]),
        (["alerts"], ALERTS[::-1]),
        (["alerts", "--venue", "v1"], ALERTS[:1]),
        (["clusters"], CLUSTERS[::-1]),
        (["clusters", "--case", "C4"], CLUSTERS[1:]),
    ],
)
def test_json_is_what_was_published_in_order(stands: list[Any], args: list[str], records: list[dict[str, Any]]) -> None:
    assert [json.loads(line) for line in run(*args, "--json").splitlines()] == records


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["cases"], ["2 cases", "empty_window", "held", "01/01 07:00"]),
        (["exposures"], ["2 exposures of 1 case", "certainty", "confirmed", "Case C2 is held: 2 contacts kept back."]),
        (["followups"], ["2 persons to follow up", P2, "2026-01-16", "high"]),
        (["alerts"], ["2 venue alerts", "crowd", "05/01 12:00"]),
        (["clusters"], ["2 clusters", "C1, C2, C3, C4"]),
    ],
)
def test_a_table_says_what_a_tracer_needs(stands: list[Any], args: list[str], words: list[str]) -> None:
    shown = run(*args)
    for word in words:
        assert word in shown


@pytest.mark.parametrize(
    ("args", "asked"),
    [
        (["cases", "--case", "C1"], ("case-status", "C1")),
        (["followups", "--person", P1], ("followups", P1)),
        (["alerts", "--case", "C1"], ("venue-alerts", "C1")),
        (["clusters", "--venue", "v1"], ("clusters", "v1")),
    ],
)
def test_only_what_is_asked_for_is_read(stands: list[Any], args: list[str], asked: tuple[str, str]) -> None:
    run(*args)
    assert stands == [asked]


def test_nothing_is_said_in_words(stands: list[Any]) -> None:
    assert run("cases", "--state", "closed") == "No case stands.\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


def test_the_ledger_of_the_right_line_is_read_and_what_was_withdrawn_is_not(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.begin()

    class Store:
        async def run(self, calls: Sequence[Call]) -> list[Any]:
            return [server.call(call) for call in calls]

    @asynccontextmanager
    async def open_store(_: object) -> Any:
        yield Store()

    async def partitions_of(_: object, *topics: str) -> dict[str, int]:
        return dict.fromkeys(topics, 2)

    monkeypatch.setattr("console.stores.open_store", open_store)
    monkeypatch.setattr("console.publishing.partitions_of", partitions_of)

    async def write() -> None:
        cases, combined = Standing(Store(), 1), Standing(Store(), 0, "c")
        for line in (cases, combined):
            await line.own()
        head = Head(1, 1, b"r", NOTHING)
        alert = VenueAlert("a" * 32, 1, "raised", "C1", "v1", "2026-01-05T05:00:00Z")
        gone = VenueAlert("b" * 32, 2, "withdrawn", "C1", "v2", "2026-01-05T05:00:00Z")
        await cases.confirm("C1", {ALERT + b"a": (head, encode(alert)), ALERT + b"b": (head, encode(gone))})
        notice = Followup(P1, 1, ("x",), "low", "2026-01-15", "2026-01-12", "2026-01-05T05:00:00Z")
        await combined.confirm(P1, {FOLLOWUP: (head, encode(notice))})
        await combined.confirm(P2, {FOLLOWUP: (head._replace(status=b"g"), b"")})

    async def read(topic: str, of: str | None = None) -> list[Any]:
        return await ledger.standing(None, topic, of)  # type: ignore[arg-type]

    asyncio.run(write())
    assert [r["alert_id"] for r in asyncio.run(read("venue-alerts"))] == ["a" * 32]
    assert asyncio.run(read("venue-alerts", "C2")) == []
    assert [r["person"] for r in asyncio.run(read("followups"))] == [P1]
    assert asyncio.run(read("exposures")) == [] == asyncio.run(read("clusters"))
