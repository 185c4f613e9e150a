"""`decisions` → what tracers decided; the cases concerned → `evaluate`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.decisions import Decisions


@agent("decisions", Decisions, concurrency=1)
async def decisions(step: Decisions, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
