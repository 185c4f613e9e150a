"""The Log port on a real Kafka: what the steps rely on (streams.ports), and what the simulation claims of Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.ports import Fenced, Out, Read
from streams.runtime.embedded import EmbeddedKafka
from streams.runtime.exits import LogDown
from streams.runtime.kafka import KafkaLog
from streams.runtime.process import CannotStart
from streams.runtime.settings import Settings
from streams.runtime.topics import ensure_topics
from tests.pipeline.system import Servers


@pytest.fixture
async def settings(servers: Servers) -> Settings:
    made = Settings.load({"TRUYVET_KAFKA": servers.kafka.address, "TRUYVET_TOPIC_PREFIX": servers.name()})
    await ensure_topics(made, 4)
    return made


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[KafkaLog]:
    log = await KafkaLog.open(settings)
    try:
        yield log
    finally:
        await log.close()


async def read(log: KafkaLog, topic: str, partition: int, start: int = 0, *, committed: bool = True) -> list[Read]:
    return [r async for chunk in log.tail(topic, partition, start, committed=committed) for r in chunk]


async def reaches(log: KafkaLog, end: int) -> None:
    async with asyncio.timeout(10):
        while await log.end("exposures", 1) != end:
            await asyncio.sleep(0.02)


def outs(*values: bytes, partition: int = 1) -> list[Out]:
    return [Out("exposures", b"k", value, partition) for value in values]


async def test_records_go_where_kafkas_own_partitioner_sends_them(settings: Settings) -> None:
    # Murmur2 of the Java client: "c1" and the others by org.apache.kafka.common.utils.Utils, 4 partitions.
    keys = [b"c1", b"case-42", b"0", "phở".encode()]
    async with opened(settings) as log:
        await log.send([Out("evaluate", key, b"v") for key in keys])
        found = {r.key: p for p in range(4) for r in await read(log, "evaluate", p)}
        # aiokafka's ordinary way of sending is the reference: it is tested against the Java client.
        places = {}
        for key in keys:
            sent = await log._producer.send_and_wait(f"{settings.topic_prefix}evaluate", b"again", key=key)
            places[key] = sent.partition
        assert found == places


async def test_many_and_long_records_keep_their_order(settings: Settings) -> None:
    values = [b"%06d" % i + b"x" * 300 for i in range(20_000)]
    async with opened(settings) as log:
        await log.send(outs(*values))
        assert [r.value for r in await read(log, "exposures", 1)] == values
        await log.send([Out("rejects", b"k", b"y" * 1_900_000, 0)])
        assert len((await read(log, "rejects", 0))[0].value or b"") == 1_900_000
        await log.send([])


async def test_the_end_and_the_tail(settings: Settings) -> None:
    async with opened(settings) as log:
        assert await log.end("exposures", 1) == 0
        assert await read(log, "exposures", 1) == []
        await log.fence(1)
        await log.publish(1, outs(b"a", b"b"))
        # A commit is decided before its mark is written: until then the records are there and not yet to be seen.
        await reaches(log, 3)
        assert [(r.offset, r.value) for r in await read(log, "exposures", 1)] == [(0, b"a"), (1, b"b")]
        assert await read(log, "exposures", 1, 3) == []
        assert await read(log, "exposures", 1, 2) == [], "a tail that holds nothing but a mark comes to its end"
        await log.publish(1, outs(b"c"))
        await reaches(log, 5)
        assert [r.value for r in await read(log, "exposures", 1, 2)] == [b"c"]


async def test_an_open_transaction_hides_itself_and_ends_with_the_next_owner(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings) as old, opened(settings) as new:
        await old.fence(1)
        await old.publish(1, outs(b"a"))
        await reaches(new, 2)
        go_on = asyncio.Event()
        commit = old._writers["e", 1].commit_transaction

        async def paused() -> None:
            await go_on.wait()
            await commit()

        monkeypatch.setattr(old._writers["e", 1], "commit_transaction", paused)
        zombie = asyncio.create_task(old.publish(1, outs(b"half done")))
        while len(await read(new, "exposures", 1, committed=False)) < 2:
            await asyncio.sleep(0.05)
        assert await new.end("exposures", 1) == 2, "what is open is not the end"
        await new.fence(1)
        assert await new.end("exposures", 1) == 4, "the fence waits until what was open has its mark"
        assert [r.value for r in await read(new, "exposures", 1)] == [b"a"]
        assert [r.value for r in await read(new, "exposures", 1, committed=False)] == [b"a", b"half done"]
        go_on.set()
        with pytest.raises(Fenced):
            await asyncio.wait_for(zombie, 20)
        assert [r.value for r in await read(new, "exposures", 1)] == [b"a"]


@pytest.mark.parametrize("before", [0, 1])
async def test_a_former_owner_is_refused(settings: Settings, before: int) -> None:
    async with opened(settings) as old, opened(settings) as new:
        await old.fence(1)
        await old.fence(2)
        for _ in range(before):
            await old.publish(1, outs(b"a"))
        await new.fence(1)
        await new.publish(1, outs(b"b"))
        with pytest.raises(Fenced):
            await asyncio.wait_for(old.publish(1, outs(b"zombie")), 20)
        await reaches(new, 2 * before + 2)
        assert [r.value for r in await read(new, "exposures", 1)] == [b"a"] * before + [b"b"]
        await old.publish(2, outs(b"other", partition=2))
        with pytest.raises(Fenced):
            await new.publish(3, outs(b"never fenced", partition=3))


async def test_one_owner_may_fence_again(settings: Settings) -> None:
    async with opened(settings) as log:
        for value in (b"a", b"b", b"c"):
            await log.fence(1)
            await log.publish(1, outs(value))
        await reaches(log, 6)
        assert [r.value for r in await read(log, "exposures", 1)] == [b"a", b"b", b"c"]


async def test_one_record_by_its_place(settings: Settings) -> None:
    async with opened(settings) as log:
        await log.send([Out("cases", b"c", b"%d" % i, 2) for i in range(10)])
        assert await log.origin("cases", 2, 7) == b"7"
        assert await log.origin("cases", 2, 10) is None
        assert await log.origin("cases", 3, 0) is None


async def test_missing_topics_are_named(settings: Settings, servers: Servers) -> None:
    other = Settings.load({"TRUYVET_KAFKA": servers.kafka.address, "TRUYVET_TOPIC_PREFIX": "nothing-here-"})
    with pytest.raises(CannotStart, match=r"scans.*truyvet topics"):
        await KafkaLog.open(other)


async def test_a_kafka_that_is_away(tmp_path: Path) -> None:
    kafka = EmbeddedKafka(tmp_path / "kafka", heap="256m")
    kafka.start()
    try:
        settings = Settings.load({"TRUYVET_KAFKA": kafka.address, "TRUYVET_BATCH_SECONDS": "2"})
        await ensure_topics(settings, 4)
        async with opened(settings) as log:
            await log.fence(1)
            await log.send(outs(b"a"))
            kafka.kill()
            for work in (log.send(outs(b"b")), log.publish(1, outs(b"c")), log.end("exposures", 1)):
                with pytest.raises(LogDown):
                    await asyncio.wait_for(work, 20)
    finally:
        kafka.stop()
