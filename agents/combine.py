"""`combine` → `followups`, `clusters`: what several cases say together."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.combine import Combining


@agent("combine", Combining)
async def combine(step: Combining, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
