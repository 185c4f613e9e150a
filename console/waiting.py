"""Wait until everything that was in the input topics at the call has had all its effects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.lag import INPUTS, INTERNAL, Place, Topics, behind, unconfirmed

if TYPE_CHECKING:
    from streams.ports import Store
    from streams.runtime.settings import Settings

_POLL = 0.05
_STUCK = 2.0


async def wait_for_effects(
    settings: Settings, store: Store, timeout: float, tell: Callable[[int], None] = lambda left: None
) -> dict[str, int]:
    """Returns {} when done, or, after `timeout` seconds, what lags: topic → records, `publications` → cases.

    `tell` is called with the records left. First the inputs: their last effects are requests on `evaluate`. Then
    `evaluate` as it is after that; then the publications. In another order a request made late would be missed.
    """
    until = time.monotonic() + timeout
    async with Topics(settings) as topics:
        for names in (INPUTS, (INTERNAL,)):
            left = await _reached(topics, store, await topics.ends(*names), until, tell)
            if left:
                return _by_topic(left)
        while count := await unconfirmed(store, topics.case_partitions):
            if time.monotonic() >= until:
                return {"publications": count}
            await asyncio.sleep(_POLL)
    return {}


async def _reached(
    topics: Topics, store: Store, ends: dict[Place, int], until: float, tell: Callable[[int], None]
) -> dict[Place, int]:
    """Wait until every end is reached; what is left at the time-out, {} when nothing."""
    before: dict[Place, int] = {}
    moved = time.monotonic()
    while left := await behind(store, ends):
        now = time.monotonic()
        tell(sum(left.values()))
        if now >= until:
            return left
        if left != before:
            before, moved = left, now
        elif now - moved >= _STUCK:
            for place, missing in left.items():
                if await topics.nothing_between(place, ends[place] - missing, ends[place]):
                    ends.pop(place)
            moved = now
        await asyncio.sleep(_POLL)
    return {}


def _by_topic(left: dict[Place, int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for (topic, _), missing in sorted(left.items()):
        total[topic] = total.get(topic, 0) + missing
    return total
