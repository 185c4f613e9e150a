"""Wait until everything that was in the input topics at the call has had all its effects.

What is looked at, in this order, since each causes the next; in another order something late would be missed:

1. the inputs: their last effects are requests on `evaluate`;
2. `evaluate`, twice: an evaluation that opens the gate asks for another one of the whole case, which asks for no more;
3. cases to be looked at again at a time (alerts are written once in 30 s): each look is a request on `evaluate`; and
   where the newest record is the clock of forgetting, cases and venues of which something ends: a request likewise;
4. revisions and notes of the cases' ledgers that were begun: passing a note on is a request on `combine`;
5. `combine`, and what its ledgers have begun;
6. the counters: a round of counting that began after all that, and left nothing unwritten.

Only what was there at the call counts, however much comes after it: ends of topics are read once a stage, things begun
count until they were seen done once, and looks count only up to the latest that such a message can have asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.lag import Place, Topics, aged_by, behind, due_by, ledgers, unfinished
from console.times import now_ms
from streams.runtime.topics import INPUTS
from streams.state.dirty import read_rounds
from streams.state.generation import read_newest
from streams.state.public import read_lag

if TYPE_CHECKING:
    from streams.ports import Store
    from streams.runtime.settings import Settings
    from streams.state.standing import Standing

_POLL = 0.05
_STUCK = 2.0
_WORD = 5.0
_SLACK_MS = 1_000
"""Alerts are dated in whole seconds, and the workers' clocks are not this one."""

Tell = Callable[[int], None]


async def wait_for_effects(
    settings: Settings, store: Store, timeout: float, tell: Tell = lambda left: None
) -> dict[str, int]:
    """Returns {} when done, or, after `timeout` seconds, what lags: topic → records, `publications` → what was begun
    and not ended, `looks` → cases to be looked at again, `counters` → 1. `tell` is called with how many are left."""
    async with Topics(settings) as topics:
        wait = _Wait(topics, store, settings.alert_seconds * 1000, time.monotonic() + timeout, tell)
        return await wait.all(by_stream=settings.retention_clock == "stream")


class _Lags(Exception):
    """The time is over. `left` as `wait_for_effects` returns it."""

    def __init__(self, left: dict[str, int]) -> None:
        super().__init__()
        self.left = left


class _Wait:
    def __init__(self, topics: Topics, store: Store, pause_ms: int, until: float, tell: Tell) -> None:
        self._topics, self._store, self._pause_ms, self._until, self._tell = topics, store, pause_ms, until, tell

    async def all(self, *, by_stream: bool) -> dict[str, int]:
        """`by_stream`: messages bring forgetting about, so what ends by age is an effect of theirs."""
        cases = ledgers(self._store, "evaluate", self._topics.partitions("evaluate"))
        combined = ledgers(self._store, "combine", self._topics.partitions("combine"))
        try:
            await self._reached(*INPUTS)
            await self._reached("evaluate")
            await self._reached("evaluate")
            await self._looked(cases)
            newest = await read_newest(self._store) if by_stream else 0
            await self._ended(cases, newest, "evaluate")
            await self._finished(cases)
            await self._ended(combined, newest, "combine")
            await self._finished(combined)
            await self._counted()
        except _Lags as lags:
            return lags.left
        return {}

    async def _looked(self, cases: list[Standing]) -> None:
        """Until no case is due that a message of before the call can have made due.

        All of them are evaluated now, so an alert that is waiting had its last revision by now, and its pause ends by
        `last`. A case that later messages make due has a later time, from `last` on; so this ends.
        """
        last = now_ms() + self._pause_ms + _SLACK_MS
        while await due_by(cases, last):
            while left := await due_by(cases, last):
                await self._pause("looks", left)
            # The look was asked for before the case was taken off the list. It may find that it was too early.
            await self._reached("evaluate")

    async def _ended(self, standings: list[Standing], newest: int, topic: str) -> None:
        """Until what ends by its age at the clock as it is now was asked for, and answered."""
        while left := await aged_by(standings, newest):
            await self._pause("looks", left)
        await self._reached(topic)

    async def _finished(self, standings: list[Standing]) -> None:
        """Until everything that is begun now was seen done once; what is begun later is of later messages."""
        left = await unfinished(standings)
        while left:
            await self._pause("publications", len(left))
            left &= await unfinished(standings)

    async def _counted(self) -> None:
        """Until the counters hold it. While more comes in, they never say that nothing is behind: after a moment of
        waiting for that word, it is enough that a whole round was done."""
        begun = (await read_rounds(self._store)).begun
        while (await read_rounds(self._store)).settled <= begun:
            await self._pause("counters", 1)
        until = min(self._until, time.monotonic() + _WORD)
        while await read_lag(self._store) and time.monotonic() < until:
            await asyncio.sleep(_POLL)

    async def _reached(self, *names: str) -> None:
        """Until the topics' ends, as they are now, are taken in."""
        ends = await self._topics.ends(*names)
        before: dict[Place, int] = {}
        moved = time.monotonic()
        while left := await behind(self._store, ends):
            now = time.monotonic()
            self._tell(sum(left.values()))
            if now >= self._until:
                raise _Lags(_by_topic(left))
            if left != before:
                before, moved = left, now
            elif now - moved >= _STUCK:
                for place, missing in left.items():
                    if await self._topics.nothing_between(place, ends[place] - missing, ends[place]):
                        ends.pop(place)
                moved = now
            await asyncio.sleep(_POLL)

    async def _pause(self, what: str, left: int) -> None:
        self._tell(left)
        if time.monotonic() >= self._until:
            raise _Lags({what: left})
        await asyncio.sleep(_POLL)


def _by_topic(left: dict[Place, int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for (topic, _), missing in sorted(left.items()):
        total[topic] = total.get(topic, 0) + missing
    return total
