"""`evaluate` → `exposures`, `venue-alerts`, `case-status`: what must stand for a case; what hangs on it → `combine`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.evaluation import Evaluation


@agent("evaluate", Evaluation)
async def evaluate(step: Evaluation, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
