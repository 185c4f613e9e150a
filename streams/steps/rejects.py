"""Records for `rejects`: what was not accepted, with its reason and place, its payload sealed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from schemas.decoding import Problem
from schemas.encoding import encode
from schemas.reject import Reject
from schemas.times import format_time
from streams.ports import Message, Out
from streams.rules.days import local_day
from streams.state.refusals import Refused

PAYLOAD_LIMIT = 64 * 1024


def _place(problem: Problem, message: Message, topic: str) -> bytes:
    index = "" if problem.index is None else problem.index
    return f"{topic}/{message.partition}/{message.offset}/{index}".encode()


def refusal(problem: Problem, message: Message, topic: str) -> Refused:
    """For the counters: by the day of the record, and by its place, so that it counts once."""
    return Refused(local_day(message.timestamp // 1000), problem.reason, _place(problem, message, topic))


def reject(problem: Problem, message: Message, topic: str, now_ms: int, seal: Callable[[bytes], bytes]) -> Out:
    """One reject. Its key is its coordinates, so that the same message rejected twice counts once (messages.md)."""
    kept = problem.payload[:PAYLOAD_LIMIT]
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
    return Out("rejects", _place(problem, message, topic), encode(record))
