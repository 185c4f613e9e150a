"""Cases that are to be looked at again at some time (alerts are written once in 30 s) are put on `evaluate` then."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from streams.state.replies import scored
from streams.state.standing import Standing
from streams.steps.triggers import Triggers
from streams.steps.worker import Worker

LOOKS = 2
"""At a time, over all partitions of a worker, and the next ones when these are done: a look at all of a case takes ten
times as long as one at who was just met, and each second a dozen are due in a province that has a thousand."""

GIVEN_UP_MS = 60_000  # whoever was to look has not: it is another owner's by now


class _Look(NamedTuple):
    partition: int
    since_ms: int


class DueLooks:
    """Of one worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._asked: dict[str, _Look] = {}  # by case

    @property
    def pending(self) -> int:
        """How many were asked for and are not done."""
        return len(self._asked)

    async def ask(self, partitions: Collection[int]) -> None:
        """Put those on `evaluate` whose time has come in these partitions, the longest overdue first."""
        worker = self._worker
        now_ms = worker.clock.now_ms()
        for case_id, look in list(self._asked.items()):
            if now_ms - look.since_ms >= GIVEN_UP_MS:
                del self._asked[case_id]
        if len(self._asked) >= LOOKS or not partitions:
            return
        standings = {number: Standing(worker.store, number) for number in partitions}
        calls = [standing.due_call(now_ms, LOOKS + len(self._asked)) for standing in standings.values()]
        replies = await worker.store.run(calls)
        due = sorted(
            (at, case_id, number)
            for number, reply in zip(standings, replies, strict=True)
            for case_id, at in scored(reply)
            if case_id not in self._asked
        )[: max(LOOKS - len(self._asked), 0)]  # others may have asked while Redis was
        if not due:
            return
        self._asked.update((case_id, _Look(number, now_ms)) for _, case_id, number in due)
        triggers = Triggers()
        for _, case_id, _ in due:
            triggers.everybody(case_id)
        await worker.log.send(triggers.records())
        for _, case_id, number in due:
            await standings[number].looked(case_id, now_ms)

    def done(self, cases: Collection[str]) -> bool:
        """These were looked at. Whether one of them was asked for here."""
        mine = [case_id for case_id in cases if self._asked.pop(case_id, None) is not None]
        return bool(mine)

    def release(self, partition: int) -> None:
        """It is somebody else's."""
        self._asked = {case_id: look for case_id, look in self._asked.items() if look.partition != partition}
