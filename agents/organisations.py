"""`organisations` → what counters know of them; `registry`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.plain import Organisations


@agent("organisations", Organisations, concurrency=1)
async def organisations(step: Organisations, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
