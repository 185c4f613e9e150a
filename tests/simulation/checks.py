"""What must hold when a history is at rest, whatever happened on the way. Each check tells what is wrong, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from streams.ports import Call
from streams.state.generation import read_offsets
from streams.state.standing import read_standing
from tests.reference.answer import Expected
from tests.simulation.kafka import Kafka, Record
from tests.simulation.redis import RedisServer

T = TypeVar("T")

# What tells the path and is no part of the answer (rule 0); `reason` of a withdrawal depends on what stood before.
PATH = ("revision", "issued_at", "status")


class DirectStore:
    """The port over a server at rest: nothing waits."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        return [self._server.call(call) for call in calls]


def now(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("this coroutine waits for something")


async def _listed(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


def published(kafka: Kafka, *, committed: bool = True) -> list[tuple[Record, dict[str, Any]]]:
    """Records of `exposures` in log order within a partition, decoded; tombstones are left out."""
    found = []
    for partition in kafka.topics["exposures"]:
        end = partition.stable_end if committed else partition.end
        for record in partition.records[:end]:
            if record.visible(committed) and record.value is not None:
                found.append((record, msgspec.json.decode(record.value)))
    return found


def last_records(kafka: Kafka) -> dict[str, dict[str, Any]]:
    """Key → content of the last committed record of that key; none where that is a tombstone."""
    found: dict[str, dict[str, Any]] = {}
    for partition in kafka.topics["exposures"]:
        for record in partition.records[: partition.stable_end]:
            if not record.visible(True):
                continue
            key = (record.key or b"").decode()
            if record.value is None:
                found.pop(key, None)
            else:
                found[key] = msgspec.json.decode(record.value)
    return found


def bare(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in PATH and value is not None}


def difference(standing: dict[str, dict[str, Any]], expected: dict[str, dict[str, Any]], where: str) -> list[str]:
    """What stands (not withdrawn) against what must stand."""
    wrong = []
    stands = {key: content for key, content in standing.items() if content["status"] != "withdrawn"}
    for key in sorted(expected.keys() - stands.keys()):
        said = f"withdrawn ({standing[key].get('reason')})" if key in standing else "never published"
        wrong.append(f"{where}: {key} is {said}, must stand: {expected[key]}")
    for key in sorted(stands.keys() - expected.keys()):
        wrong.append(f"{where}: {key} stands, must not: {stands[key]}")
    for key in sorted(stands.keys() & expected.keys()):
        have, want = bare(stands[key]), bare(expected[key])
        for name in sorted(have.keys() | want.keys()):
            if have.get(name) != want.get(name):
                wrong.append(f"{where}: {key}: {name} is {have.get(name)!r}, must be {want.get(name)!r}")
    return wrong


def check_answers(kafka: Kafka, server: RedisServer, expected: Expected) -> list[str]:
    """(a) the last record of each exposure, and (b) what stands in Redis, are the brute force's; both are equal."""
    last = last_records(kafka)
    bodies = [
        msgspec.json.decode(b) for b in now(_listed(read_standing(DirectStore(server), len(kafka.topics["exposures"]))))
    ]
    in_redis = {body["exposure_id"]: body for body in bodies}
    wrong = difference(last, expected.exposures, "exposures") + difference(in_redis, expected.exposures, "Redis")
    if not wrong and last != in_redis:
        keys = [k for k in last.keys() | in_redis.keys() if last.get(k) != in_redis.get(k)]
        wrong += [f"{k}: exposures says {last.get(k)}, Redis {in_redis.get(k)}" for k in sorted(keys)]
    return wrong


def check_rejects(kafka: Kafka, expected: Expected) -> list[str]:
    """(c) each refused message or scan has its reject, with the reason, and nothing else has one."""
    wrong, found = [], {}
    for partition in kafka.topics["rejects"]:
        for record in partition.records:
            content = msgspec.json.decode(record.value or b"null")
            place = (record.key or b"").decode()
            if found.setdefault(place, content["reason"]) != content["reason"]:
                wrong.append(f"rejects: {place} has two reasons, {found[place]} and {content['reason']}")
    for place in sorted(found.keys() | expected.rejects.keys()):
        if found.get(place) != expected.rejects.get(place):
            wrong.append(f"rejects: {place} has {found.get(place)}, must have {expected.rejects.get(place)}")
    return wrong


def check_revisions(kafka: Kafka) -> list[str]:
    """(d) no revision of an id has two contents, aborted ones included; (f) the last record has the highest one."""
    wrong: list[str] = []
    content_of: dict[tuple[str, int], bytes | None] = {}
    home: dict[str, int] = {}
    for record, content in published(kafka, committed=False):
        number = (content["exposure_id"], content["revision"])
        if content_of.setdefault(number, record.value) != record.value:
            wrong.append(f"revision {number} has two contents: {content_of[number]!r} and {record.value!r}")
        if (record.key or b"").decode() != content["exposure_id"]:
            wrong.append(f"key {record.key!r} of {number} is not its id")
        if record.partition != home.setdefault(number[0], record.partition):
            wrong.append(f"{number[0]} is in two partitions")
        if record.partition != kafka.partition_of("evaluate", content["case_id"].encode()):
            wrong.append(f"{number[0]} is not in the partition of its case")
    last: dict[str, int] = {}
    for _, content in published(kafka):
        key, revision = content["exposure_id"], content["revision"]
        if revision <= last.get(key, 0):
            wrong.append(f"{key}: revision {revision} comes after {last[key]}")
        last[key] = revision
    return wrong


def check_life(kafka: Kafka) -> list[str]:
    """Rule 8: raised first, then updated or withdrawn; only a withdrawn one is raised."""
    wrong: list[str] = []
    had: dict[str, dict[str, Any]] = {}
    for _, content in published(kafka):
        key, status = content["exposure_id"], content["status"]
        before = had.get(key)
        stood = before is not None and before["status"] != "withdrawn"
        if status == "raised" and stood:
            wrong.append(f"{key}: raised while it stands")
        if status == "updated" and not stood:
            wrong.append(f"{key}: updated though it does not stand")
        had[key] = content
    return wrong


def check_offsets(kafka: Kafka, server: RedisServer) -> list[str]:
    """Everything was taken in, and Redis says so (`truyvet wait` rests on it)."""
    offsets = now(read_offsets(DirectStore(server)))
    return [
        f"the offset of {topic}/{p.number} is {offsets.get((topic, p.number), 0)}, the end is {p.end}"
        for topic in ("scans", "venues", "cases", "people", "decisions", "policies", "evaluate", "combine")
        for p in kafka.topics[topic]
        if offsets.get((topic, p.number), 0) != p.end
    ]
