"""What a rebuild puts back of a key of which `registry` holds several rows: the winner (messages.md), in any order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from schemas.encoding import encode
from schemas.registry import Registered
from streams.ports import Call, Read
from streams.state import cases, gateways, said, venues
from streams.state.cases import CaseRow
from streams.state.gateways import GatewayRow
from streams.state.places import PlainRow, encode_plain
from streams.state.said import DecisionRow, VaccinationRow
from streams.state.standing import Standing
from streams.state.venues import VenueRow
from streams.steps.registered import HOMES, Home, put_back
from tests.simulation.checks import DirectStore, now
from tests.simulation.redis import RedisServer, private_server

AT = 1_700_000_000
RECORDS = [b"first", b"second", b"third"]  # as bytes in this order
OLDER = b"zero, which was updated before the others"


class Kept:
    """The topics that the rows came from, while they hold the records."""

    def __init__(self, values: list[bytes]) -> None:
        self._values = values

    async def origin(self, _topic: str, _partition: int, offset: int) -> bytes | None:
        return self._values[offset] if offset < len(self._values) else None


def row_of(kind: str, offset: int, value: bytes) -> bytes:
    """The row of a record; those of one rank differ in their bytes only, which the digests do not follow."""
    at = AT - 5 if value == OLDER else AT
    stamp: Any = (at * 1000, value[::-1].ljust(16), ("topic", 0, offset))
    if kind == "case":
        return cases.encode_row(CaseRow("c", "p", "confirmed", AT, None, None, None, AT, *stamp))
    if kind == "vaccination":
        return said.encode(VaccinationRow(*stamp, 2, None, AT))
    if kind == "decision":
        return said.encode(DecisionRow(*stamp, "release", "desk", AT))
    if kind == "venue":
        return venues.encode_row(VenueRow(at * 1000, value, "shop"))
    if kind == "gateway":
        return gateways.encode_row(GatewayRow(at * 1000, value))
    return encode_plain(PlainRow(at * 1000, value))


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


def put(server: RedisServer, kind: str, rows: list[bytes], log: Any) -> bytes:
    """What stands after the rows came in this order."""
    server.begin()
    store = DirectStore(server)
    key = "ab" * 16
    reads = [
        Read(at, f"{kind}/{key}".encode(), encode(Registered(kind=kind, key=key, row=row)))  # type: ignore[arg-type]
        for at, row in enumerate(rows)
    ]
    now(put_back(store, log, reads, Standing(store, 0)))
    return now(HOMES[kind].keeper.read(store, HOMES[kind].field(key)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["case", "vaccination", "decision", "venue", "gateway", "organisation", "coverage"])
def test_winner_is_the_same_in_any_order(server: RedisServer, kind: str) -> None:
    """A worker of the former generation said of each record in turn that it had won (simulation seed 1776)."""
    values = [*RECORDS, OLDER]
    rows = [row_of(kind, offset, value) for offset, value in enumerate(values)]
    for order in itertools.permutations(rows):
        assert put(server, kind, [*order, *order[:2]], Kept(values)) == rows[2]


@pytest.mark.parametrize("kind", ["case", "vaccination", "decision"])
def test_the_last_of_one_rank_stands_where_their_records_are_gone(server: RedisServer, kind: str) -> None:
    rows = [row_of(kind, offset, value) for offset, value in enumerate([*RECORDS, OLDER])]
    for order in itertools.permutations(rows):
        last = next(row for row in reversed(order) if row != rows[3])
        assert put(server, kind, list(order), Kept([])) == last


class Asked(DirectStore):
    """Counts how often it is asked, and writes a row of its own before the first that is put."""

    def __init__(self, server: RedisServer, own: Call) -> None:
        super().__init__(server)
        self.times, self._own = 0, own

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        self.times += 1
        if self._own and any(call.name in ("table_put", "shelf_put") for call in calls):
            own, self._own = self._own, None
            await DirectStore.run(self, [own])
        return await DirectStore.run(self, calls)


@pytest.mark.parametrize("kind", ["venue", "vaccination"])
@pytest.mark.parametrize("theirs", [RECORDS[2], OLDER])
def test_a_province_in_a_few_questions(server: RedisServer, kind: str, theirs: bytes) -> None:
    """And where somebody else puts a row meanwhile, the greater stands."""
    server.begin()
    home, keys = HOMES[kind], [f"{number:032x}" for number in range(2000)]
    values = [RECORDS[0], RECORDS[1], theirs]
    mine = [row_of(kind, 0, values[0]), row_of(kind, 1, values[1])]
    name, of = next((c.name, c.keys) for c in calls_of(home, home.field(keys[7])))
    store = Asked(server, Call(name, of, (home.field(keys[7]), b"", row_of(kind, 2, theirs))))
    reads = [Read(0, b"", encode(Registered(kind=kind, key=key, row=row))) for row in mine for key in keys]  # type: ignore[arg-type]
    now(put_back(store, Kept(values), reads, Standing(store, 0)))
    assert store.times <= 4
    stands = now(home.keeper.read_many(store, [home.field(key) for key in keys]))
    assert stands.pop(home.field(keys[7])) == (row_of(kind, 2, theirs) if theirs == RECORDS[2] else mine[1])
    assert set(stands.values()) == {mine[1]} and len(stands) == len(keys) - 1


def calls_of(home: Home, field: Any) -> list[Call]:
    """What puts a row there."""
    calls: list[Call] = []

    class Notes:
        async def run(self, some: Sequence[Call]) -> list[Any]:
            calls.extend(some)
            return [1] * len(some)

    now(home.keeper.put(Notes(), field, b"", b"row"))
    return calls
