"""Cases that are to be looked at again outlive the worker that wrote them down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from streams.ports import Call, Out
from streams.state.standing import Standing
from streams.steps.duelooks import LOOKS, DueLooks
from streams.steps.evaluation import Evaluation
from tests.simulation.redis import RedisServer, private_server


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Worker:
    """As much of a worker as a tick needs."""

    def __init__(self, server: RedisServer) -> None:
        server.begin()
        self.server, self.sent, self.now_ms = server, list[Out](), 1_000_000
        self.store = self.log = self
        self.clock = SimpleNamespace(now_ms=lambda: self.now_ms)

    async def now(self) -> tuple[int, int]:
        return 0, 0

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        return [self.server.call(call) for call in calls]

    async def send(self, records: Sequence[Out]) -> None:
        self.sent += records


def test_a_partition_without_a_batch_yet_is_looked_at(server: RedisServer) -> None:
    """A worker died with an alert in its pause. Nothing more is said of the case, so no batch comes to the partition;
    the last state of the alert must be sent all the same (rule 8)."""
    worker = Worker(server)

    async def run() -> None:
        await Standing(worker, 3).note_look("C1", worker.now_ms + 30_000)  # type: ignore[arg-type]
        step = Evaluation(worker)  # type: ignore[arg-type]
        step.assign(3)
        await step.tick()
        assert worker.sent == []
        worker.now_ms += 30_000
        await step.tick()
        assert [(out.topic, out.key) for out in worker.sent] == [("evaluate", b"C1")]
        await step.tick()
        assert len(worker.sent) == 1

        await Standing(worker, 3).note_look("C1", worker.now_ms)  # type: ignore[arg-type]
        step.release(3)
        await step.tick()
        assert len(worker.sent) == 1, "it is somebody else's now"

    asyncio.run(run())


def test_a_few_at_a_time_over_all_partitions(server: RedisServer) -> None:
    """Sixteen at once kept a person who was just met waiting at each of thirty questions to Redis."""
    worker = Worker(server)

    async def run() -> None:
        for number in range(6):
            await Standing(worker, number % 3).note_look(f"C{number}", worker.now_ms - 10 + number)  # type: ignore[arg-type]
        due = DueLooks(worker)  # type: ignore[arg-type]
        asked: list[str] = []
        while len(asked) < 6:
            await asyncio.gather(*(due.ask([0, 1, 2]) for _ in range(3)))
            new = [(out.key or b"").decode() for out in worker.sent[len(asked) :]]
            assert 1 <= len(new) <= LOOKS
            asked += new
            await due.ask([0, 1, 2])
            assert len(worker.sent) == len(asked), "those were not done yet"
            assert due.done(new) and not due.done(["C9"])
        assert asked == [f"C{number}" for number in range(6)], "the longest overdue first, each once"
        await due.ask([0, 1, 2])
        assert len(worker.sent) == 6

    asyncio.run(run())
