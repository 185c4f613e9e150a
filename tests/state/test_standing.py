"""The ledger of a case with thousands of exposures: numbers, records and counts, written some thousand at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from streams.state.standing import EXPOSURE, KEEP, STATUS, Counts, Head, Standing
from tests.simulation.checks import DirectStore
from tests.simulation.redis import RedisServer, private_server

MARK = b"m" * 16


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


@pytest.mark.parametrize("many", [1, 1999, 2000, 2001, 4000, 5003])
def test_thousands_at_once_are_as_one_by_one(server: RedisServer, many: int) -> None:
    server.begin()
    entries = [EXPOSURE + n.to_bytes(16) for n in range(many)]
    bands = [b"hml"[n % 3 : n % 3 + 1] for n in range(many)]

    async def run() -> None:
        standing = Standing(DirectStore(server), 3)
        await standing.own()
        things = [b"p" + entry[1:] + b"C1" for entry in entries]
        await standing.reserve("C1", {entry: Head(1, 0, b"-", MARK) for entry in entries}, things)
        assert await standing.unconfirmed() == ["C1"]
        assert await standing.todo() == sorted(things)
        assert {head.last for head in (await standing.heads("C1")).values()} == {1}

        raised = {e: (Head(1, 1, b"r", MARK, band), e[1:]) for e, band in zip(entries, bands, strict=True)}
        await standing.confirm("C1", {**raised, STATUS: (Head(1, 1, b"r", MARK), b"status")})
        assert await standing.unconfirmed() == []
        three = [bands.count(band) for band in (b"h", b"m", b"l")]
        assert (await standing.outline("C1")).counts == Counts(many, 0, *three)
        assert await standing.bodies("C1", entries) == {entry: entry[1:] for entry in entries}

        # Of each five: one ends, one is held and keeps its record, one is not to be remembered, two stay.
        after = {}
        for n, entry in enumerate(entries):
            if n % 5 == 0:
                after[entry] = Head(2, 2, b"g", MARK), b""
            elif n % 5 == 1:
                after[entry] = Head(1, 1, b"h", MARK), KEEP
            elif n % 5 == 2:
                after[entry] = Head(0, 0, b"-", MARK), b""
        await standing.confirm("C1", after)
        left = [n for n in range(many) if n % 5 > 2]
        three = [sum(n % 3 == band for n in left) for band in range(3)]
        assert (await standing.outline("C1")).counts == Counts(len(left), sum(n % 5 == 1 for n in range(many)), *three)
        kept = [entry for n, entry in enumerate(entries) if n % 5 not in (0, 2)]
        assert (await standing.bodies("C1", entries)).keys() == set(kept)
        heads = await standing.heads("C1")
        assert heads.keys() == {e for n, e in enumerate(entries) if n % 5 != 2} | {STATUS}
        assert all(heads[entry] == head for entry, (head, _) in after.items() if head.last)

    asyncio.run(run())
