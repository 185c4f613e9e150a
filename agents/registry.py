"""The agents: one file each, found by being in this folder.

    @agent("scans", Ingest)
    async def scans(step, stream): ...

`Ingest(worker)` is made once a process. A step with a method `assign(partition)` is told which partitions of its topic
came to this worker, one with `release(partition)` which went away; one with a method `tick()` is called each second.
"""

from __future__ import annotations

import pkgutil
from collections.abc import AsyncIterable, Awaitable, Callable
from importlib import import_module
from typing import Any, NamedTuple

from streams.ports import NoMeters
from streams.runtime.app import BatchApp, batches_of
from streams.runtime.batch import Batch
from streams.runtime.serving import Attached
from streams.steps.worker import Worker

Body = Callable[[Any, AsyncIterable[Batch]], Awaitable[None]]


class Agent(NamedTuple):
    """`concurrency`: batches of different partitions that may be in hand at once, so that one waits for Redis while
    another is decoded. Order within a partition is kept in any case."""

    topic: str
    make: Callable[[Worker], Any]
    body: Body
    concurrency: int


AGENTS: dict[str, Agent] = {}


def agent(topic: str, make: Callable[[Worker], Any], *, concurrency: int = 4) -> Callable[[Body], Body]:
    """Register the body of an agent for a topic (without prefix)."""

    def register(body: Body) -> Body:
        if topic in AGENTS:
            raise ValueError(f"two agents take {topic}")
        AGENTS[topic] = Agent(topic, make, body, concurrency)
        return body

    return register


def load_agents() -> dict[str, Agent]:
    """By topic."""
    for module in pkgutil.iter_modules(import_module("agents").__path__, "agents."):
        import_module(module.name)
    return AGENTS


def attach(app: BatchApp, worker: Worker) -> Attached:
    """Put every agent on the app."""
    steps: dict[str, Any] = {}
    for topic, found in load_agents().items():
        steps[topic] = found.make(worker)
        app.agent(batches_of(app, topic), name=f"truyvet.{topic}", concurrency=found.concurrency)(
            _bound(found.body, _timed(steps[topic], worker))
        )

    def tells(method: str) -> Callable[[set[tuple[str, int]]], None]:
        def tell(places: set[tuple[str, int]]) -> None:
            for topic, partition in places:
                if hasattr(steps.get(topic), method):
                    getattr(steps[topic], method)(partition)

        return tell

    async def tick() -> None:
        for step in steps.values():
            if hasattr(step, "tick"):
                await step.tick()

    return Attached(tells("assign"), tells("release"), tick)


def _timed(step: Any, worker: Worker) -> Any:
    """The step with a clock around its batches, where somebody watches."""
    if isinstance(worker.meters, NoMeters):
        return step
    from streams.runtime.metrics import Timed, Watched

    assert isinstance(worker.meters, Watched)
    return Timed(step, worker.meters)


def _bound(body: Body, step: Any) -> Callable[[AsyncIterable[Batch]], Awaitable[None]]:
    async def run(stream: AsyncIterable[Batch]) -> None:
        await body(step, stream)

    return run
