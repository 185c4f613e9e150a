"""What a system answers, read back from its topics as it comes: how a benchmark sees that a case is through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import msgspec

from console.publishing import start_consumer
from console.trouble import Trouble
from streams.runtime.settings import Settings

_TOPICS = ("exposures", "case-status")
PATIENCE = 60.0


class _Exposure(msgspec.Struct):
    exposure_id: str
    case_id: str
    person: str
    status: str


class _Status(msgspec.Struct):
    case_id: str
    state: str
    f1: int
    held: int


class Known(msgspec.Struct):
    """Of one case: exposure → status of its newest revision, exposure → person, the newest case-status."""

    exposures: dict[str, str] = msgspec.field(default_factory=dict)
    persons: dict[str, str] = msgspec.field(default_factory=dict)
    state: str = ""
    f1: int = 0
    held: int = 0
    read: int = 0

    def standing(self) -> set[str]:
        """Persons with an exposure that stands."""
        return {self.persons[id_] for id_, status in self.exposures.items() if status != "withdrawn"}


class Answers:
    """`async with Answers(settings) as answers`: what is on its topics, and what comes. A case's exposures and
    its status come in one transaction.
    """

    def __init__(self, settings: Settings, alive: Callable[[], object] = lambda: None) -> None:
        """`alive` raises Trouble when who should answer has ended."""
        self._settings, self._alive = settings, alive
        self.known: dict[str, Known] = {}
        self.arrived: dict[tuple[str, str], float] = {}
        """(case, person) → `time.perf_counter()` when a first exposure of them was read."""
        self._taken_at = 0.0
        self._of_exposure = msgspec.json.Decoder(_Exposure)
        self._of_status = msgspec.json.Decoder(_Status)

    async def __aenter__(self) -> Answers:
        self._consumer: Any = await start_consumer(self._settings, fetch_max_wait_ms=5)
        prefix = self._settings.topic_prefix
        topics = [prefix + topic for topic in _TOPICS]
        from aiokafka import TopicPartition

        places = [TopicPartition(t, p) for t in topics for p in range(self._settings.partitions)]
        self._consumer.assign(places)
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        await self._consumer.stop()

    def of(self, case_id: str) -> Known:
        return self.known.setdefault(case_id, Known())

    async def until(self, case_id: str, state: str, f1_at_least: int = 0) -> float:
        """`time.perf_counter()` when Kafka's client gave the last record of a case that is in a state with as many
        exposures as it says; what is done here with thousands of records to find that out is no part of it. Raises
        Trouble when it is not in time."""
        known = self.of(case_id)
        deadline = time.monotonic() + PATIENCE
        while not (known.state == state and known.f1 >= f1_at_least and len(known.standing()) == known.f1 - known.held):
            if time.monotonic() > deadline:
                raise Trouble(f"{case_id} is {known.state or 'unknown'} with {known.f1} F1 after {PATIENCE:.0f} s")
            self._alive()
            await self._take(0.5)
        return self._taken_at

    async def quiet(self, seconds: float) -> None:
        """Wait until nothing has come for so long."""
        while await self._take(seconds):
            await asyncio.sleep(0)

    async def follow(self) -> None:
        """Read on until cancelled."""
        while True:
            self._alive()
            await self._take(0.2)

    async def _take(self, seconds: float) -> int:
        batches = await self._consumer.getmany(timeout_ms=int(seconds * 1000))
        now = time.perf_counter()
        if batches:
            self._taken_at = now
        count = 0
        for place, records in batches.items():
            count += len(records)
            values = [record.value for record in records if record.value]
            if place.topic.endswith("exposures"):
                for value in values:
                    exposure = self._of_exposure.decode(value)
                    known = self.of(exposure.case_id)
                    self.arrived.setdefault((exposure.case_id, exposure.person), now)
                    known.exposures[exposure.exposure_id] = exposure.status
                    known.persons[exposure.exposure_id] = exposure.person
                    known.read += 1
            else:
                for value in values:
                    status = self._of_status.decode(value)
                    known = self.of(status.case_id)
                    known.state, known.f1, known.held = status.state, status.f1, status.held
        return count
