"""Reading one key's winning record from a topic, and publishing to the topics that have keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from console.publishing import partitions_of, send_keyed, start_consumer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streams.runtime.settings import Settings

KEYS = {"venues": "venue_id", "cases": "case_id"}
"""The field of a message that is its record's key (messages.md, Topics)."""


async def publish_lines(settings: Settings, topic: str, lines: list[bytes]) -> int:
    """Publish registry messages, each under its own id; returns how many."""
    field = KEYS[topic]
    await send_keyed(settings, topic, [(json.loads(line)[field], line) for line in lines])
    return len(lines)


async def records_now(settings: Settings, topic: str) -> AsyncIterator[Any]:
    """Every record (aiokafka's) of a topic, from its first to its last at the time of the call."""
    from aiokafka import TopicPartition

    name = settings.topic_prefix + topic
    parts = [TopicPartition(name, number) for number in range((await partitions_of(settings, topic))[topic])]
    consumer = await start_consumer(settings, max_poll_records=2000)
    try:
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        starts = await consumer.beginning_offsets(parts)
        left = {part for part in parts if ends[part] > starts[part]}
        for part in parts:
            if part in left:
                await consumer.seek_to_beginning(part)
            else:
                consumer.pause(part)
        while left:
            found = await consumer.getmany(timeout_ms=500)
            for records in found.values():
                for record in records:
                    yield record
            # The position, not the last record: compaction and transaction marks leave holes at the end.
            for part in list(left):
                if await consumer.position(part) >= ends[part]:
                    left.discard(part)
                    consumer.pause(part)
    finally:
        await consumer.stop()


async def winner(settings: Settings, case_id: str) -> dict[str, Any] | None:
    """The record of a case that wins (messages.md: greatest updated_at, then the value's bytes), as it was sent."""
    from schemas.case import Case
    from schemas.decoding import decode_case

    best: tuple[int, bytes] | None = None
    async for record in records_now(settings, "cases"):
        case = decode_case(record.value, record.headers)
        if (
            isinstance(case, Case)
            and case.case_id == case_id
            and (best is None or (case.updated_at, record.value) > best)
        ):
            best = case.updated_at, record.value
    return None if best is None else {**json.loads(best[1]), "updated_at": best[0]}
