"""Scans destroyed on both sides of the graph, by person and by day, on a real Redis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from streams.ports import Call
from streams.rules.codes import Pseudonymiser
from streams.rules.days import DAY, LOCAL_OFFSET
from streams.state import layout
from streams.state.erasing import erase
from streams.state.graph import Facts, add_venues, mark_calls, read_marks, read_persons, read_venues, write
from streams.state.layout import OWN, WATCH, person_place, tokens_of
from streams.state.shards import add_days, forget_day, forget_marks, read_days, swept
from streams.steps.erase import Eraser
from streams.steps.ingest import Ingest
from streams.steps.people import People
from streams.steps.worker import Worker
from tests.simulation.redis import RedisServer, private_server
from tests.state.test_reidentify import CARD, KEY, NOW, Batch, Surroundings, scan

DAY0 = 19_000
A, B, PLACE = b"\x01" * 8, b"\xf1" * 8, b"\x77" * 8


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Direct:
    """The store without anything around it. `before(call)` is asked before each call."""

    def __init__(self, server: RedisServer) -> None:
        server.begin()
        self.server = server
        self.before: Any = lambda call: None

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        replies = []
        for call in calls:
            self.before(call)
            replies.append(self.server.call(call))
        return replies

    def keys(self, pattern: str) -> list[bytes]:
        return sorted(self.server.call(Call("KEYS", (), (pattern,))))


@pytest.fixture
def store(server: RedisServer) -> Direct:
    return Direct(server)


def at(day: int, second: int) -> int:
    return (DAY0 + day) * DAY - LOCAL_OFFSET + second


async def put(store: Direct, *scans: tuple[bytes, int], void: bool = False) -> None:
    """(person, second) each, all at one place."""
    n = len(scans)
    seconds = np.array([second for _, second in scans], np.int64)
    await add_venues(store, {PLACE: b"pho"})
    await add_days(store, {int(day) for day in (seconds + LOCAL_OFFSET) // DAY})
    persons = tokens_of(b"".join(person for person, _ in scans))
    flags = np.zeros(n, bool), np.zeros(n, bool), np.full(n, void)
    await write(store, Facts(persons, tokens_of(PLACE * n), seconds, *flags))


async def of_person(store: Direct, person: bytes) -> list[int]:
    days = np.arange(DAY0 - 2, DAY0 + 10)
    found = await read_persons(store, np.repeat(tokens_of(person), len(days)), days)
    return sorted(found.second.tolist())


async def at_place(store: Direct) -> list[tuple[bytes, int]]:
    days = np.arange(DAY0 - 2, DAY0 + 10)
    found = await read_venues(store, np.repeat(tokens_of(PLACE), len(days)), days)
    return sorted((int(o).to_bytes(8, "big"), s) for o, s in zip(found.other, found.second.tolist(), strict=True))


async def test_erased_up_to_its_second_on_both_sides_and_again(store: Direct) -> None:
    await put(store, (A, at(0, 10)), (A, at(1, 10)), (A, at(1, 11)), (B, at(1, 10)))
    await put(store, (A, at(0, 10)), void=True)
    for _ in range(2):
        assert await erase(store, {A: at(1, 10)}) == {A}, "it has later scans"
        assert await of_person(store, A) == [at(1, 11)]
        assert await at_place(store) == [(A, at(1, 11)), (B, at(1, 10))]
    assert await erase(store, {A: at(1, 11), B: at(9, 0)}) == set()
    assert store.keys("tv:[pv]:*") == []


async def test_who_has_only_later_scans_is_named_and_keeps_them(store: Direct) -> None:
    await put(store, (A, at(3, 0)))
    assert await erase(store, {A: at(2, 0), B: at(2, 0)}) == {A}
    assert await of_person(store, A) == [at(3, 0)]


async def test_a_death_after_the_venue_side_is_mended_by_doing_it_again(store: Direct) -> None:
    await put(store, (A, at(0, 10)))

    def die(call: Call) -> None:
        if call.name == "remove" and str(call.keys[0]).startswith("tv:p:"):
            raise ConnectionError

    store.before = die
    with pytest.raises(ConnectionError):
        await erase(store, {A: at(1, 0)})
    store.before = lambda call: None
    await erase(store, {A: at(1, 0)})
    assert store.keys("tv:[pv]:*") == []


async def test_a_day_is_forgotten_whole_and_no_other(store: Direct) -> None:
    await put(store, (A, at(0, 0)), (B, at(0, DAY - 1)), (A, at(-1, DAY - 1)), (B, at(1, 0)))
    days = await read_days(store)
    for _ in range(2):
        await forget_day(store, DAY0, days[DAY0])
        assert await of_person(store, A) == [at(-1, DAY - 1)] and await of_person(store, B) == [at(1, 0)]
        assert await at_place(store) == [(A, at(-1, DAY - 1)), (B, at(1, 0))]
        assert sorted(await read_days(store)) == [DAY0 - 1, DAY0 + 1]


async def test_what_is_written_while_its_day_is_forgotten_does_not_stay_for_ever(store: Direct) -> None:
    """A worker that told of the day long ago writes a late scan between any two calls of the sweep."""
    await put(store, (A, at(0, 5)))
    calls: list[str] = []
    store.before = lambda call: calls.append(call.name)
    await forget_day(store, DAY0, (await read_days(store))[DAY0])
    for when in range(len(calls)):
        store.before = lambda call: None
        store.server.begin()
        await put(store, (A, at(0, 5)))
        (known,) = await store.run([swept()])
        left = [when]

        def late(call: Call, left: list[int] = left, known: Any = known) -> None:
            left[0] -= 1
            if left[0] == -1:
                for written in _late_scan():
                    store.server.call(written)
                if store.server.call(swept()) != known:  # what Ingest asks after it wrote
                    store.server.call(Call("HINCRBY", ("tv:days",), (f"{DAY0:04x}", 1)))

        store.before = late
        told = (await read_days(store))[DAY0]
        left[0] = when
        await forget_day(store, DAY0, told)
        store.before = lambda call: None
        if store.keys("tv:[pv]:*"):
            assert DAY0 in await read_days(store), f"before call {when} ({calls[when]}): nobody would look there again"


def _late_scan() -> list[Call]:
    record = PLACE + b"\0\0\0"
    key, field = person_place(A, DAY0)
    return [Call("HSET", (key,), (field, record))]


async def test_marks_go_by_their_last_day(store: Direct) -> None:
    for kind, case in ((WATCH, b"c" * 8), (OWN, b"d" * 8)):
        first, last = np.array([DAY0, DAY0]), np.array([DAY0 + 1, DAY0 + 5])
        await store.run(mark_calls(kind, case, tokens_of(A + B), first, last))
    for bucket in range(32):
        assert await forget_marks(store, bucket, 0, DAY0 + 2, DAY0 - 50) == 0
    marks = await read_marks(store, [A, B])
    assert [mark.kind for mark in marks[A]] == [OWN]
    assert sorted(mark.kind for mark in marks[B]) == [OWN, WATCH]
    for bucket in range(32):
        await forget_marks(store, bucket, 0, DAY0 + 6, DAY0 + 6)
    assert await read_marks(store, [A, B]) == {} and store.keys("tv:w:*") == []


@pytest.mark.parametrize("subs", [8, 128, 16_384])
async def test_any_number_of_shards(store: Direct, subs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written, read, erased, forgotten under the same names; persons who differ in one byte only are not mixed up."""
    monkeypatch.setattr(layout, "SUBS", subs)
    persons = [bytes([n ^ (0xFF if i == changed else 0) for i in range(8)]) for n in (0, 0x5A) for changed in range(8)]
    for number, person in enumerate(persons):
        await put(store, (person, at(0, number)), (person, at(1, number)))
    shards = {key: store.server.call(Call("HLEN", (key,))) for key in store.keys("tv:p:*")}
    assert sum(shards.values()) == 2 * len(persons)
    for number, person in enumerate(persons):
        assert await of_person(store, person) == [at(0, number), at(1, number)]
        key, field = person_place(person, DAY0)
        assert store.server.call(Call("HEXISTS", (key, field))) == 1

    await erase(store, {persons[0]: at(0, DAY // 2)})
    assert await of_person(store, persons[0]) == [at(1, 0)]
    await forget_day(store, DAY0, (await read_days(store))[DAY0])
    assert [await of_person(store, person) for person in persons] == [[at(1, n)] for n in range(len(persons))]


async def test_erased_between_the_two_sides(server: RedisServer) -> None:
    """Another worker erased the person when the scan lay under its person and not under its venue yet (a full run of
    the tests beside other work)."""

    class Between(Surroundings):
        other: Worker

        async def run(self, calls: Sequence[Call]) -> list[Any]:
            if calls and calls[0].name == "add_venue":
                await Eraser(self.other).destroy([Pseudonymiser(KEY).digest(CARD)])
            return await super().run(calls)

    around = Between(server)
    around.other = around.worker()
    erase = {"op": "erase", "code": CARD, "at": NOW + 1000, "by": "An"}
    await People(around.worker()).handle(Batch("people", [erase]))
    await around.other.people.refresh(around)
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD)]))
    assert "add_venue" in around.order
    left = {key: server.call(Call("TYPE", (key,))) for key in server.call(Call("KEYS", ("tv:[pv]:*",)))}
    assert not left
