"""Records for `rejects`: what was not accepted, with its reason and place, its payload sealed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from schemas.decoding import Problem
from schemas.encoding import encode
from schemas.reject import Reject
from schemas.times import format_time
from streams.ports import Message, Out

PAYLOAD_LIMIT = 64 * 1024


def reject(problem: Problem, message: Message, topic: str, now_ms: int, seal: Callable[[bytes], bytes]) -> Out:
    """One reject. Its key is its coordinates, so that the same message rejected twice counts once (messages.md)."""
    kept = problem.payload[:PAYLOAD_LIMIT]
    place = f"{topic}/{message.partition}/{message.offset}/{'' if problem.index is None else problem.index}"
    record = Reject(
        reason=problem.reason,
        detail=problem.detail,
        topic=topic,
        partition=message.partition,
        offset=message.offset,
        index=problem.index,
        rejected_at=format_time(now_ms // 1000),
        payload=b64encode(seal(kept)).decode(),
        payload_bytes=len(problem.payload),
        truncated=len(problem.payload) > PAYLOAD_LIMIT,
    )
    return Out("rejects", place.encode(), encode(record))
