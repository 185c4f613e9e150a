"""What must hold when a history is at rest, whatever happened on the way. Each check tells what is wrong, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from console.lag import LINES
from streams.ports import Call
from streams.state.generation import read_offsets
from streams.state.standing import ALERT, CLUSTER, EXPOSURE, FOLLOWUP, STATUS, Standing
from tests.reference.answer import Expected
from tests.simulation.kafka import Kafka, Record
from tests.simulation.redis import RedisServer

T = TypeVar("T")

# What tells the path and is no part of the answer (rule 0); `reason` of a withdrawal depends on what stood before.
PATH = ("revision", "issued_at", "status", "evaluated_at", "evaluated_through")


class Output(NamedTuple):
    """A topic of numbered records: the field of their id, and how Redis names them (kind and line of the ledger)."""

    topic: str
    name: str
    kind: bytes
    line: str

    def home(self, kafka: Kafka, content: dict[str, Any]) -> int:
        """The partition of whoever owns what the record is of: its case, its person, its venue."""
        if self.line == "e":
            return kafka.partition_of("evaluate", content["case_id"].encode())
        key = content["person"] if "person" in content else f"venue/{content['venue_id']}"
        return kafka.partition_of("combine", key.encode())


OUTPUTS = (
    Output("exposures", "exposure_id", EXPOSURE, "e"),
    Output("venue-alerts", "alert_id", ALERT, "e"),
    Output("case-status", "case_id", STATUS, "e"),
    Output("followups", "person", FOLLOWUP, "c"),
    Output("clusters", "cluster_id", CLUSTER, "c"),
)


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


async def listed(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


def published(kafka: Kafka, topic: str = "exposures", *, committed: bool = True) -> list[tuple[Record, dict[str, Any]]]:
    """Records of an output in log order within a partition, decoded; tombstones are left out."""
    return [
        (record, msgspec.json.decode(record.value))
        for record in appended(kafka, topic, committed=committed)
        if record.value is not None
    ]


def appended(kafka: Kafka, topic: str, *, committed: bool = True) -> list[Record]:
    """The same records as they are, tombstones among them."""
    return [
        record
        for partition in kafka.topics[topic]
        for record in partition.records[: partition.stable_end if committed else partition.end]
        if record.visible(committed)
    ]


def last_records(kafka: Kafka, topic: str = "exposures") -> dict[str, dict[str, Any]]:
    """Key → content of the last committed record of that key; none where that is a tombstone."""
    found: dict[str, dict[str, Any]] = {}
    for partition in kafka.topics[topic]:
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
    stands = {key: content for key, content in standing.items() if content.get("status") != "withdrawn"}
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
    return [wrong for output in OUTPUTS for wrong in _check_revisions(kafka, output)]


def _check_revisions(kafka: Kafka, output: Output) -> list[str]:
    wrong: list[str] = []
    content_of: dict[tuple[str, int], bytes | None] = {}
    for record, content in published(kafka, output.topic, committed=False):
        number = (content[output.name], content["revision"])
        if content_of.setdefault(number, record.value) != record.value:
            wrong.append(f"revision {number} has two contents: {content_of[number]!r} and {record.value!r}")
        if (record.key or b"").decode() != content[output.name]:
            wrong.append(f"{output.topic}: key {record.key!r} of {number} must be its id")
        if record.partition != output.home(kafka, content):
            wrong.append(f"{output.topic}: {number[0]} must be in the partition of its owner")
    last: dict[str, int] = {}
    for _, content in published(kafka, output.topic):
        key, revision = content[output.name], content["revision"]
        if revision <= last.get(key, 0):
            wrong.append(f"{output.topic}: {key}: revision {revision} comes after {last[key]}")
        last[key] = revision
    return wrong


def check_life(kafka: Kafka) -> list[str]:
    """Rule 8: raised first, then updated or withdrawn; only a withdrawn one is raised. Of all that have a status."""
    return [
        wrong
        for output in OUTPUTS
        if output.topic not in ("case-status", "followups")
        for wrong in _check_life(kafka, output)
    ]


def _check_life(kafka: Kafka, output: Output) -> list[str]:
    wrong: list[str] = []
    had: dict[str, dict[str, Any]] = {}
    for _, content in published(kafka, output.topic):
        key, status = content[output.name], content["status"]
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


def check_finished(kafka: Kafka, server: RedisServer) -> list[str]:
    """Nothing that was begun is left half done (`truyvet wait` waits for it, and would for ever)."""
    store = DirectStore(server)
    wrong = []
    for topic, line in LINES.items():
        for p in kafka.topics[topic]:
            standing = Standing(store, p.number, line)
            wrong += [
                f"{topic}/{p.number}: {of} must be confirmed: a number is reserved"
                for of in now(standing.unconfirmed())
            ]
            wrong += [f"{topic}/{p.number}: {note!r} must be passed on" for note in now(standing.todo())]
    return wrong
