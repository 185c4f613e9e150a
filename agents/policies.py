"""`policies` → the figures in force; the cases that go by them → `evaluate`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.policies import Policies


@agent("policies", Policies, concurrency=1)
async def policies(step: Policies, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
