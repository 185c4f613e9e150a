"""Store, Log and Clock of one simulated process: every call waits until the scheduler lets it happen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

from streams.ports import Call, Fenced, Out, Read, StoreChanged, StoreDown
from tests.simulation.kafka import Kafka, Partition, Record
from tests.simulation.redis import RedisServer
from tests.simulation.scheduler import Actor, Scheduler, Stage


class LogDown(Exception):
    """Kafka did not answer: the record may be there or not, or come yet."""


class SimulatedClock:
    """Milliseconds; moves on with each step, never with real time."""

    def __init__(self, scheduler: Scheduler, start_ms: int) -> None:
        self._scheduler, self._start = scheduler, start_ms

    def now_ms(self) -> int:
        return self._start + self._scheduler.step * 37


class SimulatedStore:
    """Redis as one process sees it. Each call of a run is an effect of its own: a pipeline is no transaction."""

    def __init__(self, server: RedisServer, scheduler: Scheduler, actor: Actor) -> None:
        self._server, self._scheduler, self._actor = server, scheduler, actor
        self._run_id = server.run_id

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        if not calls:
            return []
        stages = [Stage(call, partial(self._call, call)) for call in calls]
        return await self._scheduler.happen(self._actor, stages, down=StoreDown)

    def _call(self, call: Call) -> Any:
        if self._server.run_id != self._run_id:
            raise StoreChanged("Redis has another run_id")
        return self._server.call(call)


class SimulatedLog:
    """Kafka as one process sees it. It keeps the epochs that its producers got, as a real client does."""

    def __init__(self, kafka: Kafka, scheduler: Scheduler, actor: Actor, clock: SimulatedClock, rng: Random) -> None:
        self._kafka, self._scheduler, self._actor, self._clock, self._rng = kafka, scheduler, actor, clock, rng
        self._epochs: dict[str, int] = {}

    async def send(self, records: Sequence[Out]) -> None:
        """Records of one partition keep their order; those of different partitions arrive in any."""
        queues: dict[tuple[str, int], list[Out]] = {}
        for out in records:
            number = out.partition
            if number is None:
                number = self._kafka.partition_of(out.topic, out.key, self._rng.randrange(64))
            queues.setdefault((out.topic, number), []).append(out)
        stages = []
        while queues:
            place = self._rng.choice(list(queues))
            out = queues[place].pop(0)
            if not queues[place]:
                del queues[place]
            stages.append(Stage(("send", *place, out), partial(self._append, place, out)))
        if stages:
            await self._scheduler.happen(self._actor, stages, down=LogDown)

    def _append(self, place: tuple[str, int], out: Out) -> None:
        self._kafka.partition(*place).append(self._clock.now_ms(), out.key, out.value, out.headers)

    @staticmethod
    def _producer(partition: int, line: str) -> str:
        return f"tv-{line}-{partition}"

    def partition_of(self, topic: str, key: bytes) -> int:
        return self._kafka.partition_of(topic, key)

    async def fence(self, partition: int, *, line: str = "e") -> None:
        producer = self._producer(partition, line)
        init = partial(self._kafka.init_producer, producer)
        (epoch,) = await self._scheduler.happen(self._actor, [Stage(("fence", producer), init)], down=LogDown)
        self._epochs[producer] = epoch

    async def publish(self, partition: int, records: Sequence[Out], *, line: str = "e") -> None:
        producer = self._producer(partition, line)
        epoch = self._epochs.get(producer)
        if epoch is None:
            raise Fenced(f"this process never fenced {producer}")
        stages = [
            Stage(("publish", out.topic, partition, out), partial(self._write, producer, epoch, partition, out))
            for out in records
        ]
        stages.append(Stage(("commit", producer), partial(self._kafka.commit, producer, epoch)))
        await self._scheduler.happen(self._actor, stages, down=LogDown)

    def _write(self, producer: str, epoch: int, partition: int, out: Out) -> None:
        number = out.partition if out.partition is not None else self._kafka.partition_of(out.topic, out.key)
        if number != partition:
            raise AssertionError(f"{out.topic}: a record of partition {partition} goes to partition {number}")
        now = self._clock.now_ms()
        self._kafka.write(producer, epoch, out.topic, number, now, out.key or b"", out.value, out.headers)

    async def end(self, topic: str, partition: int) -> int:
        place = self._kafka.partition(topic, partition)
        stage = Stage(("end", topic, partition), lambda: place.stable_end)
        (end,) = await self._scheduler.happen(self._actor, [stage], down=LogDown)
        return int(end)

    def tail(self, topic: str, partition: int, start: int, *, committed: bool) -> SimulatedTail:
        return SimulatedTail(self, self._kafka.partition(topic, partition), start, committed)

    async def origin(self, topic: str, partition: int, offset: int) -> bytes | None:
        records = self._kafka.partition(topic, partition).records
        stage = Stage(("origin", topic, partition, offset), lambda: records[offset].value)
        (value,) = await self._scheduler.happen(self._actor, [stage], down=LogDown)
        return value  # type: ignore[no-any-return]

    async def fetch(self, place: Partition, start: int, end: int | None, committed: bool) -> tuple[int, list[Record]]:
        """One fetch of a tail: (end as it was at the first one, some records)."""

        def read() -> tuple[int, list[Record]]:
            stop = end if end is not None else place.stable_end if committed else place.end
            upto = min(stop, start + self._rng.choice((1, 2, 5, 50)))
            return stop, place.records[start:upto]

        label = ("tail", place.topic, place.number, start, "committed" if committed else "all")
        (found,) = await self._scheduler.happen(self._actor, [Stage(label, read)], down=LogDown)
        return found  # type: ignore[no-any-return]


class SimulatedTail:
    """Records up to the end as it was at the first fetch, in chunks cut anywhere."""

    def __init__(self, log: SimulatedLog, place: Partition, start: int, committed: bool) -> None:
        self._log, self._place, self._at, self._committed = log, place, start, committed
        self._end: int | None = None

    def __aiter__(self) -> SimulatedTail:
        return self

    async def __anext__(self) -> list[Read]:
        while self._end is None or self._at < self._end:
            self._end, records = await self._log.fetch(self._place, self._at, self._end, self._committed)
            self._at += len(records)
            seen = [r for r in records if r.visible(self._committed)]
            if seen:
                return [Read(r.offset, r.key, r.value, r.timestamp, r.headers) for r in seen]
        raise StopAsyncIteration
