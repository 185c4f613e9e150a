"""What comes in: one record of an input topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol


class InputRecord(Protocol):
    """As Kafka gives it; `timestamp` in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Rejected(NamedTuple):
    """Why something was not accepted. `index`: place in a gateway's batch, None for a whole record."""

    reason: str
    index: int | None = None


def place_of(record: InputRecord, index: int | None) -> str:
    """The key of a reject: topic/partition/offset/index (messages.md)."""
    return f"{record.topic}/{record.partition}/{record.offset}/{'' if index is None else index}"


def of_topic(records: Iterable[InputRecord], topic: str) -> list[InputRecord]:
    return [record for record in records if record.topic == topic]
