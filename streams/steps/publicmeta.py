"""`tv:pub:meta` and `tv:pub:rejects:…`: how far behind the figures are, and what was refused."""

from __future__ import annotations

from streams.rules.days import date_of
from streams.state import dirty, public, refusals
from streams.state.generation import read_newest
from streams.steps.worker import Worker


class Meta:
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def tick(self, *, settled: bool) -> None:
        """`settled`: every figure that hangs on what was taken in is written."""
        worker = self.worker
        lag = await worker.lag() if worker.lag is not None else 0
        counting = await dirty.waiting(worker.store)
        behind = lag + counting + (0 if settled else 1)
        now_ms = worker.clock.now_ms()
        newest = await read_newest(worker.store)
        meta: dict[str, int | str] = {
            "schema": public.SCHEMA,
            "state": "ready",
            "as_of": now_ms,
            "lag_records": behind,
            "lag_seconds": max(0, now_ms // 1000 - newest) if behind else 0,
            "policy": worker.policies.of_time(now_ms // 1000).id,
        }
        calls = public.hash_calls(public.META, meta, kept=None)
        for day, reasons in (await refusals.counts(worker.store)).items():
            calls += public.hash_calls(public.rejects_key(date_of(day).isoformat()), reasons)
        await public.write(worker.store, calls)
