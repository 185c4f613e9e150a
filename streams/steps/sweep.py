"""Forgetting (rule 10): scans of days that are too old, and the marks of whom nobody need watch any more.

One worker does it for all, in small portions, a tick at a time. It being done twice, or stopped anywhere, is harmless.
Nothing that is published changes by it (`streams/rules/forgetting.py` says why).
"""

from __future__ import annotations

from streams.rules.forgetting import first_kept_day
from streams.state.layout import BUCKETS
from streams.state.shards import forget_day, forget_marks, read_days
from streams.steps.ageing import PRESENCE_DAYS
from streams.steps.worker import Worker

MARK_CALLS = 50  # a tick
# Days after its own for which a mark stays. An exposure ends at the latest when its last day is forgotten; a case's
# person must be found by an erasure as long as the case's stays count for clusters.
GRACE, OWN_GRACE = 2, PRESENCE_DAYS + 2


class Sweep:
    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._marks_of: int | None = None  # the first kept day for which all marks were looked through
        self._bucket, self._cursor = 0, 0

    async def tick(self) -> None:
        """A portion: at most one day of scans, and some marks."""
        worker = self.worker
        await worker.refresh()
        now, _ = await worker.now()
        first = first_kept_day(now, worker.kept_days())
        if first is None:
            return
        old = {day: told for day, told in (await read_days(worker.store)).items() if day < first}
        if old:
            day = min(old)
            await forget_day(worker.store, day, old[day])
        if self._marks_of != first:
            await self._forget_marks(first)

    async def _forget_marks(self, first: int) -> None:
        for _ in range(MARK_CALLS):
            self._cursor = await forget_marks(
                self.worker.store, self._bucket, self._cursor, max(0, first - GRACE), max(0, first - OWN_GRACE)
            )
            if self._cursor == 0:
                self._bucket = (self._bucket + 1) % BUCKETS
                if self._bucket == 0:
                    self._marks_of = first
                    return
