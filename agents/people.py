"""`people` → who is one person, what is erased, vaccinations, tests; cases that watch them → `evaluate`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.people import People


@agent("people", People, concurrency=1)
async def people(step: People, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
