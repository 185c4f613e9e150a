"""`tv:pub:tracing`: how many cases are open or held, how many contacts stand and how strong, what was said today."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from schemas.times import parse_time
from streams.ports import Call
from streams.rules.days import local_day
from streams.state import public
from streams.state.cases import CaseTable
from streams.state.ledgers import read_outlines
from streams.state.standing import EXPOSURE, STATUS, Counts, Standing
from streams.steps.kinds import KINDS
from streams.steps.worker import Worker

MANY = 500  # cases a call


class OfCase(NamedTuple):
    """What one case adds; `today` = exposures whose last record was issued today, by status."""

    state: str
    counts: Counts
    today: Counter[str]


class Tracing:
    """Looks again only at cases whose status or counts are others than before, or that were evaluated whole since.

    `raised_today` and `withdrawn_today` count exposures by the last record of each: one that was raised and updated
    today is not among them.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._cases = CaseTable()
        self._of: dict[str, tuple[object, OfCase]] = {}
        self._day = 0

    async def tick(self) -> None:
        worker = self.worker
        await self._cases.refresh(worker.store)
        today = local_day(worker.clock.now_ms() // 1000)
        if today != self._day:
            self._of, self._day = {}, today
        places = [
            (worker.log.partition_of("evaluate", case_id.encode()), case_id) for case_id in sorted(self._cases.rows)
        ]
        for at in range(0, len(places), MANY):
            part = places[at : at + MANY]
            for (partition, case_id), outline in zip(part, await read_outlines(worker.store, part), strict=True):
                before = self._of.get(case_id)
                if before is None or before[0] != outline:
                    standing = Standing(worker.store, partition)
                    found = await self._look(standing, case_id, outline[1], today)
                    if found is None:  # reserved and not published yet, or gone by age
                        self._of.pop(case_id, None)
                    else:
                        self._of[case_id] = (outline, found)
        await public.write(worker.store, public.hash_calls(public.TRACING, self._total(), kept=None))

    async def _look(self, standing: Standing, case_id: str, counts: Counts, today: int) -> OfCase | None:
        body = (await standing.bodies(case_id, [STATUS])).get(STATUS)
        if body is None:
            return None
        status = KINDS[STATUS].decode(body)
        said: Counter[str] = Counter()
        (bodies,) = await self.worker.store.run([Call("HGETALL", (standing.bodies_key(case_id),))])
        pairs = bodies.items() if isinstance(bodies, dict) else zip(bodies[::2], bodies[1::2], strict=True)
        for entry, body in pairs:
            if entry[:1] == EXPOSURE:
                record = KINDS[EXPOSURE].decode(body)
                said[record.status] += local_day(parse_time(record.issued_at) // 1000) == today
        return OfCase(status.state, counts, said)

    def _total(self) -> dict[str, int | str]:
        cases = [found for _, found in self._of.values()]
        return {
            "cases_open": sum(c.state in ("open", "held", "refused") for c in cases),
            "cases_held": sum(c.state == "held" for c in cases),
            "f1": sum(c.counts.f1 for c in cases),
            "high": sum(c.counts.high for c in cases),
            "medium": sum(c.counts.medium for c in cases),
            "low": sum(c.counts.low for c in cases),
            "held": sum(c.counts.held for c in cases),
            "raised_today": sum(c.today["raised"] for c in cases),
            "withdrawn_today": sum(c.today["withdrawn"] for c in cases),
        }
