"""Who counts, what becomes of faults, what is forgotten, and who is inside while time goes by."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from streams.ports import Call, StoreDown
from streams.rules.codes import venue_token
from streams.state import dirty
from streams.steps import counting
from streams.steps.clearing import clear
from streams.steps.rollup import Rollup
from streams.steps.sweep import Sweep
from tests.reference.counters import inside_now
from tests.reference.fields import date_text, local_day
from tests.simulation.makers import MIDNIGHT, Message
from tests.simulation.process import SimulatedBatch
from tests.simulation.redis import RedisServer, private_server
from tests.state.test_rollup import TOPICS, House, public

DAY = 86_400


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


async def a_house(server: RedisServer, seed: int = 1) -> House:
    house = House(server, seed)
    await house.start()
    return house


async def take_in(house: House, message: Message) -> None:
    partition = house.kafka.partition(message.topic, 0)
    record = partition.append(message.timestamp, message.key, message.value, message.headers)
    await house.steps[message.topic].handle(SimulatedBatch([record]))


def scan(at: int, person: int = 1, **more: Any) -> Message:
    content = {"scan_id": "s", "venue_id": "v0", "person": f"{person:012}", "scanned_at": at * 1000, "gateway_id": "g"}
    return Message("scans", None, json.dumps({**content, **more}).encode(), at * 1000)


def today(house: House) -> str:
    return date_text(local_day(house.reference().newest))


def shown_inside(server: RedisServer, date: str) -> dict[str, int]:
    return {
        name.split(":")[3]: figures["inside_now"]
        for name, figures in public(server).items()
        if name.startswith("tv:pub:venue:") and name.endswith(date) and "inside_now" in figures
    }


# --- who is inside


@pytest.mark.parametrize("seed", range(40))
async def test_who_is_inside_at_every_moment(server: RedisServer, seed: int) -> None:
    """Messages as they would come, in order of time; with the figures of a moment looked at in between."""
    house = await a_house(server, seed)
    messages = [m for m in house.world.messages if m.topic in TOPICS and b'"erase"' not in m.value]
    compared = 0
    for number, message in enumerate(sorted(messages, key=lambda m: m.timestamp)):
        await take_in(house, message)
        if number % 3 == 0:
            await house.counting[0].tick()
            world = house.reference()
            wanted = inside_now(world) if world.scans else {}
            shown = {name: figures for name, figures in public(server).items() if "inside_now" in figures}
            assert {name[-10:] for name in shown} <= {today(house)}, "of another day than now"
            assert shown_inside(server, today(house)) == wanted, number
            compared += bool(wanted)
    if seed == 0:
        assert compared, "nobody was ever inside"


async def test_time_alone_moves_people_out(server: RedisServer) -> None:
    house = await a_house(server)
    at = MIDNIGHT + 9 * 3600
    await take_in(house, scan(at))
    await take_in(house, scan(at + 5, person=2))
    await house.counting[0].tick()
    assert shown_inside(server, today(house)) == {"v0": 2}
    await take_in(house, scan(at + 2 * DAY, person=3, venue_id="v1"))
    await house.counting[0].tick()
    assert shown_inside(server, today(house)) == {"v1": 1}
    assert shown_inside(server, date_text(local_day(at))) == {}, "nobody is inside yesterday"


# --- forgetting


async def test_a_forgotten_day_is_not_counted_to_nothing(server: RedisServer) -> None:
    house = await a_house(server)
    house.worker.retention_days, house.worker.stream_time = 4, True
    first = MIDNIGHT + 9 * 3600
    await take_in(house, scan(first))
    await house.settle()
    await take_in(house, scan(first + 10 * DAY, person=2))
    for _ in range(3):
        await Sweep(house.worker).tick()
    await house.worker.store.run([Call("SADD", ("tv:dirty:{d}:now",), (_word(first),))])
    before = server.call(Call("HGETALL", (f"tv:pub:day:{date_text(local_day(first))}",)))
    for at in (0, 1):  # who counted before, and somebody new
        await house.counting[at].tick()
        await house.counting[at].tick()
        assert server.call(Call("HGETALL", (f"tv:pub:day:{date_text(local_day(first))}",))) == before
        assert public(server)[f"tv:pub:venue:v0:{date_text(local_day(first))}"]["scans"] == 1
        assert public(server)[f"tv:pub:day:{date_text(local_day(first + 10 * DAY))}"]["scans"] == 1
    assert await dirty.waiting(house.worker.store) == 0, "the mark is gone, or the lag would never be 0"


def _word(second: int) -> bytes:
    return local_day(second).to_bytes(2) + venue_token("v0")


async def test_public_keys_expire(server: RedisServer) -> None:
    house = await a_house(server)
    await take_in(house, scan(MIDNIGHT))
    await house.settle()
    for key in server.call(Call("KEYS", ("tv:pub:*",))):
        ttl = server.call(Call("TTL", (key,)))
        if key in (b"tv:pub:meta", b"tv:pub:tracing", b"tv:pub:silent"):
            assert ttl == -1, key
        else:
            assert 24 * DAY < ttl <= 25 * DAY, key


# --- rebuild


async def test_a_rebuild_leaves_public_figures_as_they_are(server: RedisServer) -> None:
    house = await a_house(server)
    await take_in(house, scan(MIDNIGHT))
    await take_in(house, Message("venues", b"x", b"not json", MIDNIGHT * 1000))
    await house.settle()
    before = public(server)
    assert any(name.startswith("tv:pub:rejects:") for name in before)
    await clear(house.worker.store, house.worker.generation, 1)
    assert public(server) == before
    assert server.call(Call("KEYS", ("tv:v:*",))) == [], "or nothing was thrown away"


# --- faults


async def test_a_fault_in_counting_does_not_stop_the_worker(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house = await a_house(server)
    await take_in(house, scan(MIDNIGHT))
    count, good = house.counting[0], Rollup.tick
    await count.tick()
    assert house.meta()["state"] == "ready"

    async def bad(_: Rollup) -> bool:
        raise ValueError("of person 079001000001")

    monkeypatch.setattr(Rollup, "tick", bad)
    monkeypatch.setattr(counting, "PAUSE_MS", 0)
    with caplog.at_level(logging.ERROR):
        await count.tick()
        await count.tick()
    assert house.meta()["state"] == "degraded" and house.meta()["lag_records"] != "0"
    assert len(caplog.records) == 1, "once, not each second"
    assert "ValueError" in caplog.text and "079001000001" not in caplog.text

    await take_in(house, scan(MIDNIGHT + 60, person=2))
    monkeypatch.setattr(Rollup, "tick", good)
    await count.tick()
    assert house.meta()["state"] == "ready"
    assert public(server)[f"tv:pub:day:{date_text(local_day(MIDNIGHT))}"]["scans"] == 2


async def test_after_a_fault_it_waits_a_while(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    house = await a_house(server)
    tried = []

    async def bad(_: Rollup) -> bool:
        tried.append(1)
        raise ValueError

    monkeypatch.setattr(Rollup, "tick", bad)
    await house.counting[0].tick()
    await house.counting[0].tick()
    assert len(tried) == 1


async def test_what_the_store_raises_ends_the_worker(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    house = await a_house(server)

    async def down(_: Rollup) -> bool:
        raise StoreDown("away")

    monkeypatch.setattr(Rollup, "tick", down)
    with pytest.raises(StoreDown):
        await house.counting[0].tick()


async def test_while_kafka_does_not_say_how_far_behind_it_is(server: RedisServer) -> None:
    house = await a_house(server)

    async def unknown() -> None:
        return None

    house.worker.lag = unknown
    await take_in(house, scan(MIDNIGHT))
    await house.counting[0].tick()
    assert house.meta()["state"] == "degraded" and house.meta()["lag_records"] == "1"
    assert public(server)[f"tv:pub:day:{date_text(local_day(MIDNIGHT))}"]["scans"] == 1, "what is there is counted"


async def test_what_came_in_during_a_round_is_not_said_to_be_counted(server: RedisServer) -> None:
    """The lag is that of the beginning: a venue that was registered since is not in the figures."""
    house = await a_house(server)
    asked = 0

    async def one_is_left() -> int:
        nonlocal asked
        asked += 1
        return 5 if asked == 1 else 0

    house.worker.lag = one_is_left
    await house.counting[0].tick()
    assert house.meta()["lag_records"] == "5"
    await house.counting[0].tick()
    assert house.meta()["lag_records"] == "0" and asked == 2


# --- who counts


async def test_who_finds_another_name_begins_anew(server: RedisServer) -> None:
    """A was paused: B counted a scan, and A would write the figures it has in mind."""
    house = await a_house(server)
    a, b = house.counting
    await take_in(house, scan(MIDNIGHT))
    await a.tick()
    await take_in(house, scan(MIDNIGHT + 1, person=2))
    await b.tick()
    await take_in(house, scan(MIDNIGHT + 2, person=3, venue_id="v1"))
    await a.tick()
    assert public(server)[f"tv:pub:day:{date_text(local_day(MIDNIGHT))}"]["scans"] == 3
