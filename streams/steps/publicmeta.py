"""`tv:pub:meta` and `tv:pub:rejects:…`: how far behind the figures are, and what was refused.

`state`: `loading` while a rebuild is at work (which writes that itself, and the figures stay as they are), `degraded`
while Kafka does not say how far behind the workers are, or counting met a fault (counting.py), `ready` otherwise.
"""

from __future__ import annotations

from streams.ports import Call, Store
from streams.rules.days import date_of
from streams.state import dirty, public, refusals
from streams.state.generation import read_newest
from streams.steps.worker import Worker

READY, LOADING, DEGRADED = "ready", "loading", "degraded"


class Meta:
    """`begin()` before anything is read, `tick()` when all is written: what is said holds for the moment of `begin`,
    and so for whatever had come in by then, be it a scan or a venue that moved."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._as_of = 0
        self._lag: int | None = 0
        self._refused: dict[int, dict[str, int | str]] = {}

    async def begin(self) -> None:
        worker = self.worker
        self._as_of = worker.clock.now_ms()
        self._lag = await worker.lag() if worker.lag is not None else 0

    async def tick(self, *, settled: bool) -> None:
        """`settled`: every figure that hangs on what was taken in is written."""
        worker = self.worker
        # Unknown is not zero: whoever waits for exact figures must not take these for exact.
        lag = 1 if self._lag is None else self._lag
        behind = lag + await dirty.waiting(worker.store) + (0 if settled else 1)
        newest = await read_newest(worker.store)
        meta: dict[str, int | str] = {
            "schema": public.SCHEMA,
            "state": DEGRADED if self._lag is None else READY,
            "as_of": self._as_of,
            "lag_records": behind,
            "lag_seconds": max(0, self._as_of // 1000 - newest) if behind else 0,
            "policy": worker.policies.of_time(self._as_of // 1000).id,
        }
        calls = public.hash_calls(public.META, meta, kept=None)
        refused = await refusals.counts(worker.store)
        for day, reasons in refused.items():
            if self._refused.get(day) != reasons:
                calls += public.hash_calls(public.rejects_key(date_of(day).isoformat()), reasons)
        self._refused = refused
        await public.write(worker.store, calls)


async def say(store: Store, state: str, now_ms: int) -> None:
    """Only the state; for whoever finds that nothing else can be said. As if something were behind, since it may be."""
    figures = ("schema", public.SCHEMA, "state", state, "as_of", now_ms, "lag_records", 1)
    await store.run([Call("HSET", (public.META,), figures)])
