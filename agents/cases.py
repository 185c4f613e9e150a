"""`cases` → the register of cases, `registry`, `evaluate`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.cases import Cases


@agent("cases", Cases, concurrency=1)
async def cases(step: Cases, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
