"""Several pieces of work that wait for Redis more than they work, at the same time; and one that works for long, in
portions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Their results, in their order. The first that fails ends the others, and raises what it raised: a group of
    exceptions would hide from whoever ends the worker that it was only Redis that was away (runtime/exits.py)."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise first  # outside of the `except`: with the cause that it has, which says more than the group


async def both(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """The results of two questions that do not wait for each other's answer."""
    found: list[Any] = await together([first, second])
    return found[0], found[1]


async def in_portions(items: Sequence[T], size: int, alive: Callable[[], None]) -> AsyncIterator[T]:
    """The items; after each `size` of them everybody else has a turn. A batch of bad scans kept all other batches
    waiting for half a second at each of their calls."""
    for number, item in enumerate(items, 1):
        yield item
        if number % size == 0:
            alive()
            await asyncio.sleep(0)
