"""One worker's steps in this process, over a Kafka in memory and a real Redis: ten times as fast as over a real Kafka,
and whatever a step raises is the test's own exception."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

from agents.registry import load_agents
from streams.rules.codes import Pseudonymiser
from streams.rules.policy import load_policies
from streams.runtime.redis import RedisStore
from streams.state.generation import begin_generation
from streams.state.vault import Seals
from streams.steps.audit import Auditor
from streams.steps.counting import Counting
from streams.steps.worker import Worker
from tests.fuzz.memorylog import MemoryLog
from tests.pipeline.answers import INPUTS, Sent
from tests.pipeline.system import KEY
from tests.simulation.kafka import Kafka, Record
from tests.simulation.process import SimulatedBatch

INTERNAL = ("evaluate", "combine")
OUTPUTS = ("exposures", "venue-alerts", "case-status", "followups", "clusters", "registry", "rejects", "audit")
LONGEST = 2000  # records in a batch
_HIDDEN = bytes(range(256)).translate(None)[::-1]


def hide(plain: bytes) -> bytes:
    """Stands for the sealed box: a plain code is not found in it, and who knows how can open it. 60 times as fast."""
    return plain.translate(_HIDDEN)


class Counted:
    """The worker's meters: what it says that it accepted and refused."""

    def __init__(self) -> None:
        self.accepted, self.refusals = 0, Counter[str]()

    def took_in(self, scans: int) -> None:
        self.accepted += scans

    def refused(self, topic: str, reasons: Iterable[str]) -> None:
        self.refusals.update(f"{topic}/{reason}" for reason in reasons)


class Workbench:
    """`put` records, then `work` them off. `started` = the wall clock in ms, from here on it stands still but for
    `pass_time`."""

    def __init__(self, store: RedisStore, seed: int, partitions: int = 2) -> None:
        self.store, self.partitions = store, partitions
        self.rng = Random(f"{seed}/batches")
        self.kafka = Kafka(dict.fromkeys((*INPUTS, *INTERNAL, *OUTPUTS), partitions))
        self.now = int(time.time() * 1000)
        self.log = MemoryLog(self.kafka, self.now)
        self.meters = Counted()
        self._at = {(topic, n): 0 for topic in (*INPUTS, *INTERNAL) for n in range(partitions)}
        self._turn = 0

    async def start(self) -> None:
        generation = await begin_generation(self.store, "ready")
        self.worker = Worker(
            store=self.store,
            log=self.log,
            clock=self,
            pseudonymiser=Pseudonymiser(KEY.encode()),
            policies=load_policies(None),
            seal=hide,
            generation=generation.id,
            vault=Seals(hide),
            auditor=Auditor(self.log, self),
            alert_pause_ms=0,
            counters=False,  # `figures` counts, once
            meters=self.meters,
            lag=self._lag,
        )
        self.steps: dict[str, Any] = {topic: found.make(self.worker) for topic, found in load_agents().items()}
        assert self.steps.keys() == {*INPUTS, *INTERNAL}, "an agent that this test gives no records"

    def now_ms(self) -> int:
        return self.now

    async def _lag(self) -> int:
        return 0

    def put(self, sent: Sent) -> Record:
        """On its topic, in the partition of its key."""
        self._turn += 1
        number = self.log.partition_of(sent.topic, sent.key) if sent.key is not None else self._turn % self.partitions
        stamp = self.now if sent.timestamp is None else sent.timestamp
        return self.kafka.partition(sent.topic, number).append(stamp, sent.key, sent.value, sent.headers)

    async def work(self) -> None:
        """Everything that waits, in batches cut anywhere; then what that asks for."""
        for topic in self.rng.sample(INPUTS, len(INPUTS)):
            await self._work_off(topic)
        while any(self._waits(topic) for topic in INTERNAL):
            for topic in INTERNAL:
                await self._work_off(topic)

    def _waits(self, topic: str) -> bool:
        return any(p.end > self._at[topic, p.number] for p in self.kafka.topics[topic])

    async def _work_off(self, topic: str) -> None:
        for partition in self.kafka.topics[topic]:
            place = (topic, partition.number)
            end = partition.end
            while self._at[place] < end:
                size = self.rng.choice((1, 7, 100, 500, LONGEST))
                batch = SimulatedBatch(partition.records[self._at[place] : min(end, self._at[place] + size)])
                await self.steps[topic].handle(batch)
                self._at[place] = batch.last_offset + 1

    def records(self, *topics: str) -> list[Record]:
        return [record for topic in topics for partition in self.kafka.topics[topic] for record in partition.records]

    async def figures(self) -> dict[str, dict[str, int]]:
        """`tv:pub:day` and `tv:pub:rejects`, counted now, without what is 0."""
        counting = Counting(self.worker)
        for _ in range(1000):
            await counting.tick()
            meta = await self.store.client.hgetall("tv:pub:meta")
            assert meta[b"state"] == b"ready", meta
            if meta[b"lag_records"] == b"0":
                break
            self.now += 1000
        else:
            raise AssertionError(f"the counters do not come to rest: {meta}")
        found = {}
        for pattern in ("tv:pub:day:*", "tv:pub:rejects:*"):
            for key in await self.store.client.keys(pattern):
                pairs = (await self.store.client.hgetall(key)).items()
                found[key.decode()] = {name.decode(): int(value) for name, value in pairs if value != b"0"}
        return {key: figures for key, figures in found.items() if figures}
