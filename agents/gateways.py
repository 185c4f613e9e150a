"""`gateways` → the register of terminals, `registry`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.gateways import Gateways


@agent("gateways", Gateways, concurrency=1)
async def gateways(step: Gateways, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
