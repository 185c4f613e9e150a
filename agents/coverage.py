"""`coverage` → what counters know of them; `registry`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.plain import CoverageOfAreas


@agent("coverage", CoverageOfAreas, concurrency=1)
async def coverage(step: CoverageOfAreas, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
