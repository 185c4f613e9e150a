"""What must be published of a world besides exposures and rejects, and whether it is: the gate, alerts, statuses,
follow-ups, clusters (rule 8). Each check tells what is wrong, in words."""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from schemas.times import parse_time
from streams.rules.codes import pseudonym_text
from streams.state.ledgers import read_standing, scan_keys
from streams.state.standing import Standing
from tests.reference import life
from tests.reference.answer import Expected, World
from tests.reference.codes import exposure_id
from tests.simulation.checks import (
    OUTPUTS,
    DirectStore,
    Output,
    appended,
    difference,
    last_records,
    listed,
    now,
    published,
)
from tests.simulation.kafka import Kafka, Record
from tests.simulation.redis import RedisServer

Contents = dict[str, dict[str, Any]]


class Outcome(NamedTuple):
    """What the brute force says. `exposures` of `expected` stand or are held; held only of cases in `closed`.
    `released`: cases on which somebody said `release`, ever. `limits`: policy → F1 above which a gate closes."""

    expected: Expected
    closed: set[str]
    released: set[str]
    limits: dict[str, int]
    alerts: Contents
    statuses: Contents
    clusters: Contents


def outcome(world: World, exposures: Contents) -> Outcome:
    """`exposures`: of the world, F2 as well where they are published."""
    cases = world.cases.values()
    return Outcome(
        Expected(exposures, world.rejects),
        {case.case for case in cases if life.gate_is_closed(world, case)},
        {decision.of for decision in world.decisions if decision.decision == "release"},
        {policy["id"]: policy["contact"]["approval_above"] for policy in world.policies},
        {key: alert for case in cases for key, alert in life.venue_alerts(world, case).items()},
        {case.case: life.case_status(world, case) for case in cases},
        life.clusters(world),
    )


def check_outcome(kafka: Kafka, server: RedisServer, wanted: Outcome) -> list[str]:
    """All that was published last, and all ledgers, are the brute force's."""
    last = {output.topic: last_records(kafka, output.topic) for output in OUTPUTS}
    exposures = {key: record for key, record in last["exposures"].items() if record["status"] != "withdrawn"}
    held = held_in_ledger(kafka, server)
    wrong = check_held(wanted, exposures.keys(), held)
    not_held = {key: content for key, content in wanted.expected.exposures.items() if key not in held}
    waiting: dict[str, int] = {}
    for case in held.values():
        waiting[case] = waiting.get(case, 0) + 1
    statuses = {case: {**status, "held": waiting.get(case, 0)} for case, status in wanted.statuses.items()}
    for topic, contents in (
        ("exposures", not_held),
        ("venue-alerts", wanted.alerts),
        ("followups", life.followups(exposures.values())),
        ("clusters", wanted.clusters),
    ):
        wrong += difference(last[topic], contents, topic)
    wrong += difference({key: _status(said) for key, said in last["case-status"].items()}, statuses, "case-status")
    for output in OUTPUTS:
        wrong += check_ledger(kafka, server, output, last[output.topic])
    return wrong + check_raised(kafka, wanted)


def _status(said: dict[str, Any]) -> dict[str, Any]:
    """Without warnings about scans outside the window, of which there is no rule."""
    return {**said, "warnings": [w for w in said.get("warnings", ()) if w in ("empty_window", "conflict")]}


def check_ledger(kafka: Kafka, server: RedisServer, output: Output, last: Contents) -> list[str]:
    """What Redis holds as published last is what was published last."""
    bodies = now(
        listed(read_standing(DirectStore(server), len(kafka.topics["exposures"]), kind=output.kind, line=output.line))
    )
    in_redis = {content[output.name]: content for content in map(msgspec.json.decode, bodies)}
    keys = [k for k in last.keys() | in_redis.keys() if last.get(k) != in_redis.get(k)]
    return [f"{k}: {output.topic} says {last.get(k)}, Redis must say so: {in_redis.get(k)}" for k in sorted(keys)]


def held_in_ledger(kafka: Kafka, server: RedisServer) -> dict[str, str]:
    """Exposure → its case, of those that wait behind a gate."""
    store, found = DirectStore(server), {}
    for partition in range(len(kafka.topics["exposures"])):
        standing = Standing(store, partition)
        for key in now(listed(scan_keys(store, standing.heads_key("*")))):
            case = standing.of_key(key)
            for entry, head in now(standing.heads(case)).items():
                if head.held:
                    found[exposure_id(case, pseudonym_text(entry[1:]))] = case
    return found


def check_held(wanted: Outcome, standing: Set[str], held: dict[str, str]) -> list[str]:
    """Who is held must exist, must not stand, and its case's gate must be closed."""
    wrong = [f"{key} is held, must not be: no such exposure" for key in held.keys() - wanted.expected.exposures.keys()]
    wrong += [f"{key} is held, must not be: it stands" for key in held.keys() & standing]
    return wrong + [
        f"{key} is held, must not be: the gate of {case} is open"
        for key, case in held.items()
        if case not in wanted.closed
    ]


def check_pause(kafka: Kafka, pause_ms: int) -> list[str]:
    """Rule 8: of an alert at most one new revision in so long; what an erasure takes back does not wait, and what comes
    after its tombstone is another life: of the one before nothing is kept, not even when it ended."""
    wrong, last = [], dict[str, str]()
    for record in appended(kafka, "venue-alerts"):
        if record.value is None:
            last.pop((record.key or b"").decode(), None)
            continue
        content = msgspec.json.decode(record.value)
        key, issued = content["alert_id"], content["issued_at"]
        if key in last and content["status"] != "withdrawn" and _second(issued) - _second(last[key]) < pause_ms // 1000:
            wrong.append(f"venue-alerts: {key} comes after {last[key]} at {issued} already, must wait {pause_ms} ms")
        last[key] = issued
    return wrong


def _second(text: str) -> int:
    return parse_time(text) // 1000


def check_raised(kafka: Kafka, wanted: Outcome) -> list[str]:
    """While a gate is closed nothing is raised. Whether it was closed then, only the past knows; but whatever was
    raised without a release was among all F1 then, of which there were not more than the limit."""
    wrong: list[str] = []
    stands: dict[str, set[str]] = {}
    for transaction in _transactions(kafka):
        raised: dict[str, int] = {}
        for content in transaction:
            mine = stands.setdefault(content["case_id"], set())
            if content["status"] == "withdrawn" or content["level"] != "F1":
                mine.discard(content["exposure_id"])
            else:
                mine.add(content["exposure_id"])
            if content["status"] == "raised" and content["case_id"] not in wanted.released:
                raised[content["case_id"]] = wanted.limits[content["policy"]]
        wrong += [
            f"{case}: raised behind its gate: {len(stands[case])} stand, must be {limit} at most"
            for case, limit in raised.items()
            if len(stands[case]) > limit
        ]
    return wrong


def _transactions(kafka: Kafka) -> Iterator[list[dict[str, Any]]]:
    """Exposures of each committed transaction, in order."""

    def which(pair: tuple[Record, dict[str, Any]]) -> int:
        return id(pair[0].transaction or pair[0])

    for _, group in groupby(published(kafka), which):
        yield [content for _, content in group]
