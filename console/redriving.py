"""Publish again what was rejected and would be accepted now."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from console.desk import new_key
from console.publishing import RECORD_LIMIT, partitions_of, send_keyed, start_consumer
from console.rejected import Rejected
from schemas.decoding import (
    Problem,
    decode_case,
    decode_coverage,
    decode_decision,
    decode_gateway,
    decode_organisation,
    decode_person,
    decode_policy,
    decode_scans,
    decode_venue,
)
from schemas.policy import PolicyFrame
from streams.rules.acceptance import late_or_early
from streams.rules.policy import Policies, PolicyError, load_policies, make_policy

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "venues": decode_venue,
    "organisations": decode_organisation,
    "gateways": decode_gateway,
    "coverage": decode_coverage,
    "policies": decode_policy,
    "cases": decode_case,
    "people": decode_person,
    "decisions": decode_decision,
}
"""All input topics but `scans`, which has batches and times of its own."""

_KEYS = {
    "venues": ("venue_id",),
    "organisations": ("organisation",),
    "gateways": ("gateway_id",),
    "coverage": ("area",),
    "policies": ("id",),
    "cases": ("case_id",),
    "decisions": ("case_id", "exposure_id"),
}
"""The fields, of which a message has one, that are its record's key; one on `people` gets a key that says nothing."""

Outcome = Counter[str]


async def redrive(settings: Settings, rejects: list[Rejected], *, dry: bool) -> Outcome:
    """Publish (unless `dry`) to its own topic every payload that passes now; how many were what.

    Outcomes: `published`, `still bad`, `sealed` (no key, and the record is gone), `gone` (cut off, and it is gone).
    Doing it twice is harmless: a message that is accepted twice counts once (rule 0).
    """
    policies = load_policies(settings.policies)
    outcome: Outcome = Counter()
    ready: dict[str, list[tuple[str | None, bytes]]] = {}
    originals = await _originals(settings, [r for r in rejects if r.payload is None or r.truncated])
    for reject in rejects:
        payload = originals.get(reject.place) if reject.payload is None or reject.truncated else reject.payload
        if payload is None:
            outcome["gone" if reject.truncated else "sealed"] += 1
            continue
        passes, key = _passes(reject, payload, policies, settings)
        outcome["published" if passes else "still bad"] += 1
        if passes:
            ready.setdefault(reject.topic, []).append((key, payload))
    if not dry:
        for topic, records in ready.items():
            await send_keyed(settings, topic, records)
    return outcome


def _passes(reject: Rejected, payload: bytes, policies: Policies, settings: Settings) -> tuple[bool, str | None]:
    """Whether the pipeline would accept this payload, sent now; and its record's key."""
    if reject.topic == "scans":
        scans, problems = decode_scans(payload)
        if problems or not scans or len(payload) > RECORD_LIMIT:
            return False, None
        now = int(time.time())
        policy = policies.of_time(now)
        days = policy.retention_days if settings.retention_days is None else settings.retention_days
        fine = all(not late_or_early(scan.scanned_at, now, policy.clock_tolerance, days) for _, scan in scans)
        return fine, None
    message = _DECODERS[reject.topic](payload) if reject.topic in _DECODERS else None
    if message is None or isinstance(message, Problem) or not _holds(reject, message):
        return False, None
    fields = _KEYS.get(reject.topic)
    return True, new_key() if fields is None else next(getattr(message, f) for f in fields if hasattr(message, f))


def _holds(reject: Rejected, message: object) -> bool:
    """Of a policy its figures too. One that conflicted conflicts for ever: a policy never changes, and so its id stays
    taken."""
    if not isinstance(message, PolicyFrame):
        return True
    try:
        make_policy(message.content, "", known_only=False)
    except PolicyError:
        return False
    return reject.reason != "policy_conflict"


async def _originals(settings: Settings, rejects: list[Rejected]) -> dict[str, bytes]:
    """The bytes as they were sent, by place, of those that their own topics still keep."""
    if not rejects:
        return {}
    from aiokafka import TopicPartition

    found: dict[str, bytes] = {}
    partitions = await partitions_of(settings, *{reject.topic for reject in rejects})
    consumer = await start_consumer(settings)
    try:
        for reject in rejects:
            if reject.partition >= partitions[reject.topic]:
                continue
            at = TopicPartition(settings.topic_prefix + reject.topic, reject.partition)
            starts, ends = await consumer.beginning_offsets([at]), await consumer.end_offsets([at])
            if not starts[at] <= reject.offset < ends[at]:
                continue
            consumer.assign([at])
            consumer.seek(at, reject.offset)
            records = (await consumer.getmany(at, timeout_ms=5_000, max_records=1)).get(at, [])
            if records and records[0].offset == reject.offset and records[0].value is not None:
                payload = _element(records[0].value, reject.index)
                if payload is not None:
                    found[reject.place] = payload
    finally:
        await consumer.stop()
    return found


def _element(value: bytes, index: int | None) -> bytes | None:
    if index is None:
        return value
    elements: Any = json.loads(value)
    return json.dumps(elements[index], ensure_ascii=False).encode() if index < len(elements) else None
