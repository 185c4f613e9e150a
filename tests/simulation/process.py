"""A simulated worker process: what streams.runtime and the agents do around the steps, without Faust.

It waits for a generation, joins the group, and for each partition it is given works off one batch after the other. It
dies of whatever its steps raise (a supervisor starts another), and it can be killed or paused between any two effects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from streams.ports import Batch, Fenced, StoreChanged, StoreDown
from streams.steps.rebuild import first_start, rebuild
from streams.steps.worker import Worker, ready_generation, start_offset, still_ours
from tests.simulation.group import Claim
from tests.simulation.kafka import Record
from tests.simulation.ports import LogDown, SimulatedLog, SimulatedStore
from tests.simulation.scheduler import Actor, Stage, lane

# What ends a worker by design. Anything else that escapes a step is a fault of the code under test.
ENDS = (StoreDown, StoreChanged, Fenced, LogDown)


class Step(Protocol):
    async def handle(self, batch: Batch) -> None: ...


class Ticks(Protocol):
    @property
    def partitions(self) -> list[int]: ...
    @property
    def looks_pending(self) -> int: ...
    async def tick(self) -> None: ...


class TakesOver(Step, Protocol):
    async def take_over(self, partition: int) -> None: ...
    def release(self, partition: int) -> None: ...


@dataclass
class Steps:
    """The steps of one worker; made by a function, so that a negative control can put its own in their place."""

    ingest: Step
    venues: Step
    cases: Step
    evaluation: TakesOver
    combining: TakesOver
    people: Step
    decisions: Step
    policies: Step

    def of(self, topic: str) -> Step:
        return {
            "scans": self.ingest,
            "venues": self.venues,
            "cases": self.cases,
            "people": self.people,
            "decisions": self.decisions,
            "policies": self.policies,
            "evaluate": self.evaluation,
            "combine": self.combining,
        }[topic]

    def owner_of(self, topic: str) -> TakesOver | None:
        """The step that owns its partitions, None for those that share."""
        return {"evaluate": self.evaluation, "combine": self.combining}.get(topic)


class SimulatedBatch(Sequence[Record]):
    """Some records of one partition that follow each other."""

    def __init__(self, records: list[Record]) -> None:
        self._records = records
        self.topic, self.partition = records[0].topic, records[0].partition
        self.tp = (self.topic, self.partition)
        self.first_offset, self.last_offset = records[0].offset, records[-1].offset

    def __getitem__(self, at: Any) -> Any:
        return self._records[at]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def alive(self) -> None: ...


class Program:
    """Something with a Redis and a Kafka client that can be killed. `of` is the History around it."""

    def __init__(self, name: str, of: Any) -> None:
        self.name = name
        self.actor = Actor(name)
        self.of = of
        self.store = SimulatedStore(of.server, of.scheduler, self.actor)
        self.log = SimulatedLog(of.kafka, of.scheduler, self.actor, of.clock, of.wire_rng)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def paused(self) -> bool:
        return self.actor.paused

    @property
    def dead(self) -> bool:
        return self.actor.dead

    def die(self, why: str) -> None:
        """As kill -9: nothing more is done, not even in a `finally`."""
        if self.actor.dead:
            return
        self.actor.dead = True
        self.of.scheduler.note(self.name, f"dies: {why}")
        for task in self._tasks:
            task.cancel()
        self.of.scheduler.forget(self.actor, self.of.stays_on_the_wire)
        self.of.died(self)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            lane.set(name)
            try:
                await work
            except ENDS as error:
                self.die(repr(error))
            except Exception as error:
                self.of.scheduler.abort(error)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def effect(self, label: object, act: Callable[[], Any], ready: Callable[[], bool] | None = None) -> Any:
        """Something this program does that cannot go wrong by itself."""
        (reply,) = await self.of.scheduler.happen(self.actor, [Stage(label, act)], ready=ready)
        return reply


class Rebuild(Program):
    """`truyvet rebuild`, once."""

    def start(self) -> None:
        self.spawn("rebuild", self._run())

    async def _run(self) -> None:
        of = self.of

        def make_worker(generation: str) -> Worker:
            return of.make_worker(self.store, self.log, generation)  # type: ignore[no-any-return]

        await rebuild(self.store, self.log, of.partitions, make_worker, lambda *_: None)
        of.rebuilt(self)


class Process(Program):
    """One worker."""

    _steps: Steps
    _generation: str

    def start(self) -> None:
        self.spawn("start", self._start())

    async def _start(self) -> None:
        of = self.of
        seen = of.server.changes
        while (generation := await ready_generation(self.store)) is None:
            if of.rebuilding:
                await self.effect("wait for a generation", lambda: None, lambda: not of.rebuilding)
            elif await first_start(self.store, self.log, of.partitions) is None:
                of.ask_for_rebuild()
            seen = of.server.changes
        self._generation = generation.id
        self._steps = of.make_steps(of.make_worker(self.store, self.log, generation.id))
        self.spawn("tick", self._ask_each_second(generation.id, seen))
        of.group.join(self)
        self.spawn("ticks", self._ticks())

    async def _ticks(self) -> None:
        """What the runtime does each second; here when there is something for it to do."""
        evaluation = self._steps.evaluation
        while True:
            await self.effect("tick", lambda: None, lambda: self._has_to_look(evaluation))
            await evaluation.tick()

    def _has_to_look(self, evaluation: Any) -> bool:
        """What is due while another look is on its way is asked for when that one is done: a tick would find nothing to
        do, again and again, where the order of a history puts ticks before everything else."""
        return not evaluation.looks_pending and any(map(self._is_due, evaluation.partitions))

    def _is_due(self, partition: int) -> bool:
        return f"tv:due:{{e{partition:02d}}}" in self.of.server.due

    async def _ask_each_second(self, generation: str, seen: int) -> None:
        """As often as the answer could be another one."""
        server = self.of.server
        while True:
            seen = await self.effect("tick", lambda: server.changes, partial(self._changed_since, seen))
            await still_ours(self.store, generation)

    def _changed_since(self, seen: int) -> bool:
        return self.of.server.changes != seen  # type: ignore[no-any-return]

    # -- partitions

    def assign(self, claim: Claim) -> None:
        self.spawn("/".join(map(str, claim.place)), self._work_off(claim))

    async def _work_off(self, claim: Claim) -> None:
        topic, number = claim.place
        owner = self._steps.owner_of(topic)
        try:
            await self.effect(("begin", topic, number), lambda: None, lambda: claim.may_start() or self._lost(claim))
            if self._lost(claim):
                return
            if owner is not None:
                owner.release(number)
                await owner.take_over(number)
            at = await start_offset(
                self.store, self._generation, topic, number, self.of.kafka.committed.get(claim.place)
            )
            while (batch := await self._fetch(claim, at)) is not None:
                await self._steps.of(topic).handle(batch)
                at = batch.last_offset + 1
                await self.effect(("offset", topic, number, at), partial(self._commit, claim, at))
        finally:
            if owner is not None:
                owner.release(number)
            claim.finished = True

    def _lost(self, claim: Claim) -> bool:
        return not self.of.group.holds(claim)

    async def _fetch(self, claim: Claim, at: int) -> SimulatedBatch | None:
        """The next records; None when the partition went to somebody else."""
        partition = self.of.kafka.partition(*claim.place)
        return await self.effect(  # type: ignore[no-any-return]
            ("fetch", *claim.place, at),
            lambda: None if self._lost(claim) else self.of.cut(partition, at),
            lambda: partition.end > at or self._lost(claim),
        )

    def _commit(self, claim: Claim, at: int) -> None:
        if not self._lost(claim):  # the coordinator refuses a member of an earlier generation
            self.of.kafka.committed[claim.place] = at
