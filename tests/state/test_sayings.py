"""What `people` says of persons, of many in one fetch: few questions to Redis, and the same answer in any order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from schemas.registry import Registered
from streams.ports import Call
from streams.rules.codes import Pseudonymiser
from streams.state import said
from streams.state.graph import read_marks
from streams.state.people import LINK, row_key
from streams.state.vault import Seals
from streams.steps.cases import Cases
from streams.steps.evaluate import Evaluator
from streams.steps.ingest import Ingest
from streams.steps.people import People
from tests.simulation.redis import RedisServer, private_server
from tests.state.test_reidentify import CARD, CASE, KEY, NOW, Batch, Surroundings, name, scan

ONE, OTHER = "001099000001", "001099000002"
DIGESTS = [Pseudonymiser(KEY).digest(code) for code in (ONE, OTHER)]
Values = list[dict[str, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Around(Surroundings):
    """`times` = how often Redis was asked; `values` = the records of `people`, where ties are looked up."""

    def __init__(self, server: RedisServer, values: Values) -> None:
        super().__init__(server)
        self.times, self.batch = 0, Batch("people", values)

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        self.times += 1
        return await super().run(calls)

    async def origin(self, _topic: str, _partition: int, offset: int) -> bytes:
        return self.batch[offset].value  # type: ignore[no-any-return]

    async def handle(self) -> None:
        await People(self.worker(vault=Seals(lambda plain: plain))).handle(self.batch)

    def registered(self, kind: str) -> Counter[str]:
        """Key → how many rows were told."""
        told = [msgspec.json.decode(out.value or b"", type=Registered) for out in self.sent if out.topic == "registry"]
        return Counter(record.key for record in told if record.kind == kind)


def vaccination(code: str, doses: int, *, at: int = NOW, updated_at: int = NOW) -> dict[str, Any]:
    last = {"last_dose_on": "2025-06-01"} if doses else {}
    return {"op": "vaccination", "code": code, "doses": doses, **last, "at": at, "updated_at": updated_at, "by": "An"}


def test(code: str, day: int) -> dict[str, Any]:
    return {
        "op": "test",
        "code": code,
        "result": "negative",
        "sampled_at": NOW - day * 86_400_000,
        "at": NOW,
        "by": "An",
    }


test.__test__ = False  # type: ignore[attr-defined]


def employ(code: str, organisation: str) -> dict[str, Any]:
    return {"op": "employ", "code": code, "organisation": organisation, "from": "2025-01-01", "at": NOW, "by": "An"}


async def test_a_thousand_persons_in_a_few_questions(server: RedisServer) -> None:
    codes = [f"{n:012}" for n in range(1000)]
    around = Around(server, [say for code in codes for say in (vaccination(code, 2), test(code, 1), employ(code, "o"))])
    await around.handle()
    assert around.times < 150, "a slice of 500 asks some twenty times"
    for kind in ("vaccination", "test", "employ"):
        assert around.registered(kind) == Counter(Pseudonymiser(KEY).digest(code).hex() for code in codes)


SAYINGS = [
    vaccination(ONE, 1, at=NOW - 5000, updated_at=NOW + 9000),
    vaccination(ONE, 2),
    vaccination(ONE, 3),  # of the same rank as the one before: the bytes decide
    vaccination(OTHER, 0),
]


@pytest.mark.parametrize("order", list(itertools.permutations(SAYINGS)))
async def test_several_of_one_person_in_any_order(server: RedisServer, order: Any) -> None:
    around = Around(server, [test(ONE, 3), *order, test(ONE, 2), test(ONE, 3)])
    await around.handle()
    rows = await said.VACCINATIONS.read_many(around, DIGESTS)
    assert [said.vaccination_row(rows[digest]).doses for digest in DIGESTS] == [3, 0]
    tests = said.test_rows(await said.TESTS.read(around, DIGESTS[0]))
    assert [row.sampled_at for row in tests] == [NOW // 1000 - day * 86_400 for day in (3, 2)]


async def test_what_is_refused_among_them(server: RedisServer) -> None:
    around = Around(server, [vaccination(ONE, 2), vaccination(ONE, -1), {"op": "employ"}, test(OTHER, 1)])
    await around.handle()
    rejects = [msgspec.json.decode(out.value or b"") for out in around.sent if out.topic == "rejects"]
    assert [(reject["offset"], reject["reason"]) for reject in rejects] == [(1, "schema"), (2, "schema")]
    assert around.registered("vaccination").total() == around.registered("test").total() == 1


async def test_cases_that_watch_them_are_asked(server: RedisServer) -> None:
    """A contact that a link in the same fetch makes one person with somebody, and the case's own person."""
    stay = [{**scan(code), "direction": "in"} for code in (CARD, ONE)]
    link = {"op": "link", "code": OTHER, "same_as": ONE, "at": NOW, "by": "An"}
    around = Around(server, [vaccination(OTHER, 2), link, test(CARD, 1)])
    await Ingest(around.worker()).handle(Batch("scans", stay))
    await Cases(around.worker()).handle(Batch("cases", [CASE]))
    assert await Evaluator(around.worker()).evaluate("c-1", None) is not None
    assert DIGESTS[0][:8] in await read_marks(around, DIGESTS)
    around.sent.clear()
    await around.handle()
    facts = await around.run([Call("HKEYS", ("tv:{people}:rows",))])
    assert facts == [[row_key(LINK, *sorted(DIGESTS), NOW // 1000).encode()]]
    asked = [msgspec.json.decode(out.value or b"") for out in around.sent if out.topic == "evaluate"]
    assert [(request["case_id"], request["persons"]) for request in asked] == [("c-1", None)], "its own person's test"

    around.sent.clear()
    around.batch = Batch("people", [vaccination(OTHER, 3)])
    await around.handle()
    asked = [msgspec.json.decode(out.value or b"") for out in around.sent if out.topic == "evaluate"]
    assert [(request["case_id"], request["persons"]) for request in asked] == [("c-1", [name(ONE)])]
