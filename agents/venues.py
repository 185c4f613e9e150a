"""`venues` → the register of venues, `registry`; cases with spans there → `evaluate`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.venues import Venues


@agent("venues", Venues, concurrency=1)
async def venues(step: Venues, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
