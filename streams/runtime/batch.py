"""A batch: all records of one fetch of one partition, which an agent gets as one event.

async for batch in stream:
    with batch:                    # leaving without an exception is the commit point
        await step.handle(batch)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import faust
from faust.types import TP

from streams.ports import Message

StartAt = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


@dataclass
class Batching:
    """What the transport needs beside Faust's own settings; the app carries it as `app.batching`.

    `timeout`: seconds that one batch may be in hand without a sign of life before the watchdog ends the process. It
    must be well below `broker_rebalance_timeout`: a worker that hangs goes before another owns its partitions.
    `fetch_wait_ms`: how long the broker may hold a fetch that finds nothing; aiokafka has one fetch a broker under way,
    so this is also how long a partition that was just worked off may wait. `start_at(partitions)` has the last word on
    where to start reading; partitions it does not name start at Kafka's committed offset. `revoked(partitions)` is
    called when partitions went away.
    """

    timeout: float = 30.0
    fetch_wait_ms: int = 50
    topic_prefix: str = ""
    security: Mapping[str, Any] = field(default_factory=dict)
    start_at: StartAt | None = None
    revoked: Callable[[set[TP]], None] = lambda _partitions: None


class Owner(Protocol):
    """Who hands batches out and is told how they went."""

    def batch_done(self, batch: Batch) -> None: ...
    def batch_failed(self, batch: Batch, error: BaseException) -> None: ...


class Batch:
    """Records of one partition in offset order (aiokafka's ConsumerRecord); implements `streams.ports.Batch`.

    `topic` is without prefix, `tp` with it. `generation` is the consumer group's when the records were fetched.
    """

    __slots__ = ("_owner", "finished", "first_offset", "generation", "last_offset", "records", "started", "topic", "tp")

    def __init__(self, owner: Owner, tp: TP, topic: str, records: Sequence[Message], generation: int) -> None:
        self._owner = owner
        self.tp, self.topic, self.records, self.generation = tp, topic, records, generation
        self.first_offset, self.last_offset = records[0].offset, records[-1].offset
        self.started: float | None = None  # time.monotonic() when the agent took it in hand, or was last alive
        self.finished = asyncio.Event()

    @property
    def partition(self) -> int:
        return self.tp.partition

    def __iter__(self) -> Iterator[Message]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def alive(self) -> None:
        self.started = time.monotonic()

    def __enter__(self) -> Batch:
        self.started = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self._owner.batch_done(self)
            self.finished.set()
        else:
            # Not finished: the partition stays blocked, so that nothing after this batch can ever be committed.
            self._owner.batch_failed(self, error)

    def __repr__(self) -> str:
        return f"<{self.topic}/{self.partition} offsets {self.first_offset}-{self.last_offset}>"


class BatchSchema(faust.Schema):
    """Marks a topic whose agent takes batches: `app.topic("scans", schema=BatchSchema())`. Nothing is decoded here."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(None, message.value, None, message)

        return decode
