"""What the pipeline said, against the brute force: inputs are read back from Kafka as they lie there, so that the
reference is asked about exactly what the workers were given, duplicates and bad records included.

    send(system, [Sent("scans", None, b"…", 1_640_000_000_000)])
    check_answer(system)             exposures on Kafka = standing in Redis = brute force; rejects too
    check_revisions(system)          no number with two contents, aborted transactions included; numbers grow
"""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from tests.pipeline.system import KEY, System
from tests.reference.answer import Expected, expected

POLICY: dict[str, Any] = tomllib.loads((Path(__file__).parents[1] / "reference" / "policy.toml").read_text())
INPUTS = ("venues", "organisations", "gateways", "coverage", "policies", "cases", "people", "decisions", "scans")
PATH = ("revision", "issued_at", "status")
"""Fields that tell the way and are no part of the answer (rule 0)."""


class Sent(NamedTuple):
    """One record on its way; `timestamp` in ms, None = now."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Found(NamedTuple):
    """One record as it lies in a topic (named without the prefix); what the reference reads."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def send(system: System, messages: Iterable[Sent]) -> None:
    """In this order; records without a key go round the partitions."""

    async def run() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=system.kafka.address, acks="all", linger_ms=20, max_batch_size=512_000,
            max_request_size=2_000_000,
        )  # fmt: skip
        await producer.start()
        try:
            waiting = []
            for turn, one in enumerate(messages):
                waiting.append(
                    await producer.send(
                        system.prefix + one.topic,
                        one.value,
                        key=one.key,
                        partition=turn % system.partitions if one.key is None else None,
                        timestamp_ms=one.timestamp,
                        headers=list(one.headers),
                    )
                )
            await asyncio.gather(*waiting)
        finally:
            await producer.stop()

    asyncio.run(run())


def records(
    system: System, *topics: str, committed: bool = True, leave_out: Callable[[Found], bool] | None = None
) -> list[Found]:
    """All records of these topics as they are now, less some; in order within a partition."""

    async def run() -> list[Found]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=system.kafka.address,
            isolation_level="read_committed" if committed else "read_uncommitted",
            auto_offset_reset="earliest",
            fetch_max_bytes=50_000_000,
            max_partition_fetch_bytes=5_000_000,
        )
        await consumer.start()
        try:
            places = [TopicPartition(system.prefix + t, p) for t in topics for p in range(system.partitions)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            found: list[Found] = []
            while [place for place in places if await consumer.position(place) < ends[place]]:
                for place, some in (await consumer.getmany(timeout_ms=200)).items():
                    topic = place.topic.removeprefix(system.prefix)
                    read = (
                        Found(topic, place.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
                        for r in some
                    )
                    found += [one for one in read if leave_out is None or not leave_out(one)]
            return sorted(found, key=lambda r: (r.topic, r.partition, r.offset))
        finally:
            await consumer.stop()

    return asyncio.run(run())


def brute_force(
    system: System, retention_days: int | None = None, leave_out: Callable[[Found], bool] | None = None
) -> Expected:
    """`leave_out`: records that cannot touch what is asked about, too many for the brute force."""
    return expected(records(system, *INPUTS, leave_out=leave_out), KEY.encode(), [POLICY], retention_days)


def last_records(system: System) -> dict[str, dict[str, Any]]:
    """Key of `exposures` → the last committed record of that key; not those that a tombstone took away."""
    found: dict[str, dict[str, Any] | None] = {}
    for record in records(system, "exposures"):
        found[(record.key or b"").decode()] = json.loads(record.value) if record.value else None
    return {key: content for key, content in found.items() if content is not None}


def in_redis(system: System) -> dict[str, dict[str, Any]]:
    """Exposure id → the record that Redis keeps as published last."""
    with client(system) as store:
        bodies = [
            body
            for key in store.scan_iter("tv:body:{e*", 1000)
            for entry, body in store.hgetall(key).items()
            if entry[:1] == b"x"
        ]
    return {content["exposure_id"]: content for content in map(json.loads, bodies)}


def client(system: System) -> redis.Redis:
    url = system.redis.url
    if "+cluster" in url:
        ports = [node.port for node in system.redis.nodes]
        nodes = [redis.cluster.ClusterNode("127.0.0.1", port) for port in ports]
        return redis.RedisCluster(startup_nodes=nodes)  # type: ignore[return-value]
    return redis.Redis.from_url(url)


def bare(content: dict[str, Any]) -> dict[str, Any]:
    """Of rule 0: without the path, and without fields that are null."""
    return {name: value for name, value in content.items() if name not in PATH and value is not None}


def standing(contents: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {key: bare(content) for key, content in contents.items() if content["status"] != "withdrawn"}


def differences(have: dict[str, dict[str, Any]], want: dict[str, dict[str, Any]]) -> Iterator[str]:
    """In words, one a field; `have` and `want` hold what stands."""
    for key in sorted(have.keys() | want.keys()):
        if key not in have:
            yield f"{key} must stand: {want[key]}"
        elif key not in want:
            yield f"{key} stands and must not: {have[key]}"
        else:
            for name in sorted(have[key].keys() | want[key].keys()):
                if have[key].get(name) != want[key].get(name):
                    yield f"{key}: {name} is {have[key].get(name)!r}, must be {want[key].get(name)!r}"


def check_answer(
    system: System, retention_days: int | None = None, leave_out: Callable[[Found], bool] | None = None
) -> Expected:
    """The last record of every key of `exposures`, what stands in Redis, and the brute force: all the same. And every
    refused message has its reject, and nothing else has one. Returns what the brute force said."""
    wanted = brute_force(system, retention_days, leave_out)
    want = {key: bare(content) for key, content in wanted.exposures.items()}
    on_kafka, kept = last_records(system), in_redis(system)
    for where, have in (("exposures", on_kafka), ("Redis", kept)):
        wrong = list(differences(standing(have), want))
        assert not wrong, f"{len(wrong)} differences on {where}:\n" + "\n".join(wrong[:20])
    assert kept == on_kafka, "Redis and the topic tell of different records"
    said = {(r.key or b"").decode(): json.loads(r.value or b"{}")["reason"] for r in records(system, "rejects")}
    assert said == wanted.rejects
    return wanted


def check_revisions(system: System) -> None:
    """No number was used for two contents, not even in a transaction that was aborted; committed numbers grow."""
    content_of: dict[tuple[str, int], bytes] = {}
    for record in records(system, "exposures", committed=False):
        if record.value:
            content = json.loads(record.value)
            number = (content["exposure_id"], content["revision"])
            had = content_of.setdefault(number, record.value)
            assert had == record.value, f"{number} has two contents:\n{had!r}\n{record.value!r}"
    last: Counter[str] = Counter()
    for record in records(system, "exposures"):
        if record.value:
            content = json.loads(record.value)
            key, revision = content["exposure_id"], content["revision"]
            assert revision > last[key], f"{key}: revision {revision} after {last[key]}"
            last[key] = revision
