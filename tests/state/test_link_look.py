"""A link that makes one stay of an in and an out, of no account each: no case watches either, and all the same it is
told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from streams.rules.codes import Pseudonymiser
from streams.state.graph import read_marks
from streams.steps.cases import Cases
from streams.steps.evaluate import Evaluator
from streams.steps.ingest import Ingest
from streams.steps.people import People
from tests.simulation.redis import RedisServer, private_server
from tests.state.test_reidentify import CASE, KEY, NOW, Batch, Surroundings, name, scan

HOUR = 3_600_000
ONE, OTHER = "001099000001", "001099000002"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


def scanned(person: str, hours_ago: float, direction: str = "in") -> dict[str, Any]:
    return {**scan(person, NOW - int(hours_ago * HOUR)), "direction": direction}


def asked(around: Surroundings) -> list[tuple[str, str | None]]:
    """(case, person) of what was asked for on `evaluate`."""
    values = [msgspec.json.decode(out.value or b"") for out in around.sent if out.topic == "evaluate"]
    return [(value["case_id"], person) for value in values for person in value["persons"] or [None]]


async def test_a_stay_that_a_link_makes_is_evaluated(server: RedisServer) -> None:
    around = Surroundings(server)
    digests = [Pseudonymiser(KEY).digest(code) for code in (ONE, OTHER)]
    case = [scanned(CASE["person"], 4), scanned(CASE["person"], 3, "out")]  # type: ignore[arg-type]
    # Without a check-out the one was there for half an hour, long before; the other for half an hour, long after.
    await Ingest(around.worker()).handle(Batch("scans", [*case, scanned(ONE, 6), scanned(OTHER, 2, "out")]))
    await Cases(around.worker()).handle(Batch("cases", [CASE]))
    before = await Evaluator(around.worker()).evaluate("c-1", None)
    assert before is not None and not before.contents
    assert await read_marks(around, digests) == {}

    around.sent.clear()
    link = {"op": "link", "code": ONE, "same_as": OTHER, "at": NOW, "by": "An"}
    await People(around.worker()).handle(Batch("people", [link]))
    assert {case_id for case_id, person in asked(around) if person in (name(ONE), name(OTHER))} == {"c-1"}
    after = await Evaluator(around.worker()).evaluate("c-1", {digests[0]})
    assert after is not None and [content.minutes for content in after.contents.values()] == [60]


async def test_a_link_elsewhere_asks_for_nothing(server: RedisServer) -> None:
    around = Surroundings(server)
    case = [scanned(CASE["person"], 4), scanned(CASE["person"], 3, "out")]  # type: ignore[arg-type]
    elsewhere = [{**scanned(ONE, 6), "venue_id": "w"}, {**scanned(OTHER, 2, "out"), "venue_id": "w"}]
    await Ingest(around.worker()).handle(Batch("scans", [*case, *elsewhere]))
    await Cases(around.worker()).handle(Batch("cases", [CASE]))
    await Evaluator(around.worker()).evaluate("c-1", None)
    around.sent.clear()
    link = {"op": "link", "code": ONE, "same_as": OTHER, "at": NOW, "by": "An"}
    await People(around.worker()).handle(Batch("people", [link]))
    assert asked(around) == []


async def test_a_worker_that_took_the_news_elsewhere_still_notices(server: RedisServer) -> None:
    """Several evaluate with one copy of the table of people: whoever brings it up to date takes the news from none."""
    around = Surroundings(server)
    worker = around.worker()
    await worker.people.refresh(around)
    as_of = worker.people.version
    link = {"op": "link", "code": ONE, "same_as": OTHER, "at": NOW, "by": "An"}
    await People(around.worker()).handle(Batch("people", [link]))
    assert await worker.people.refresh(around)
    assert not await worker.people.refresh(around)
    changed = worker.people.changed_since(as_of)
    assert changed is not None and len(worker.people.concerned(changed)) == 2
    assert worker.people.changed_since(worker.people.version) == set()
