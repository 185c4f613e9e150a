"""`scans` → the contact graph; who must be looked at again → `evaluate`."""

from __future__ import annotations

from collections.abc import AsyncIterable

from agents.registry import agent
from streams.runtime.batch import Batch
from streams.steps.ingest import Ingest


@agent("scans", Ingest)
async def scans(step: Ingest, stream: AsyncIterable[Batch]) -> None:
    async for batch in stream:
        with batch:
            await step.handle(batch)
