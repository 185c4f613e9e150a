"""Several pieces of work that wait for Redis more than they work, at the same time; and one that works for long, in
portions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Their results, in their order. The first that fails ends the others, and raises what it raised: a group of
    exceptions would hide from whoever ends the worker that it was only Redis that was away (runtime/exits.py)."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def in_portions(items: Sequence[T], size: int, alive: Callable[[], None]) -> AsyncIterator[T]:
    """The items; after each `size` of them everybody else has a turn. A batch of bad scans kept all other batches
    waiting for half a second at each of their calls."""
    for number, item in enumerate(items, 1):
        yield item
        if number % size == 0:
            alive()
            await asyncio.sleep(0)
