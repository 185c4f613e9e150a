"""One history: a seed makes a world of messages, an order of effects and faults; it runs until nothing can happen.

Four streams of chance, all from the seed: the world (which messages), the wire (cuts, partitions, chunks), the order
(who is next), the faults. Dropping a message while shrinking so leaves the world's other messages as they were.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from streams.ports import Log, Store
from streams.rules.codes import Pseudonymiser
from streams.steps.cases import Cases
from streams.steps.combine import Combining
from streams.steps.decisions import Decisions
from streams.steps.evaluation import Evaluation
from streams.steps.ingest import Ingest
from streams.steps.people import People
from streams.steps.policies import Policies
from streams.steps.venues import Venues
from streams.steps.worker import Worker
from tests.simulation.deliveries import Deliveries
from tests.simulation.faults import Faults, Plan
from tests.simulation.group import Group
from tests.simulation.kafka import Kafka, Partition
from tests.simulation.loop import SimulatedLoop
from tests.simulation.mishaps import Mishaps
from tests.simulation.outcomes import Outcome
from tests.simulation.ports import SimulatedClock
from tests.simulation.process import Process, Program, Rebuild, SimulatedBatch, Steps
from tests.simulation.redis import RedisServer
from tests.simulation.scheduler import Actor, Delays, Effect, Scheduler, some_strategy
from tests.simulation.worlds import KEY, Message, World, make_world

INPUTS = ("scans", "venues", "cases", "people", "decisions", "policies")
INTERNAL = ("evaluate", "combine")
OUTPUTS = ("exposures", "venue-alerts", "case-status", "followups", "clusters", "registry", "rejects")
MAX_STEPS = 60_000
TYPICAL_STEPS = 600


def real_steps(worker: Worker) -> Steps:
    return Steps(
        ingest=Ingest(worker),
        venues=Venues(worker),
        cases=Cases(worker),
        evaluation=Evaluation(worker),
        combining=Combining(worker),
        people=People(worker),
        decisions=Decisions(worker),
        policies=Policies(worker),
    )


@dataclass(frozen=True)
class Options:
    """`make_steps` lets a negative control put its own steps in; `plan` None = drawn from the seed. `race`: the
    world's first messages, a rest, then the others all at once and once each, with no worker starting meanwhile."""

    make_steps: Callable[[Worker], Steps] = real_steps
    plan: Plan | None = None
    dropped: frozenset[int] = field(default_factory=frozenset)
    world: Callable[[int], World] = make_world
    race: bool = False


NORMAL = Options()


class History(Mishaps):
    """Everything of one seed. `run` leaves the topics in `kafka` and the state in `server` for the checks."""

    def __init__(self, seed: int, server: RedisServer, world: World, options: Options = NORMAL) -> None:
        self.seed, self.server, self.world = seed, server, world
        self.wire_rng, order_rng, fault_rng = (Random(f"{seed}/{name}") for name in ("wire", "order", "faults"))
        self.partitions = self.wire_rng.choice((1, 2, 2, 3))
        self.kafka = Kafka({name: self.partitions for name in (*INPUTS, *INTERNAL, *OUTPUTS)})
        self.plan = options.plan or Plan.of(fault_rng)
        self._make_steps = options.make_steps
        self._fault_rng = fault_rng
        strategy = Delays(order_rng, 0.15, 100) if options.race else some_strategy(order_rng, TYPICAL_STEPS)
        self.scheduler = Scheduler(strategy, MAX_STEPS)
        self.clock = SimulatedClock(self.scheduler, world.earliest_ms)
        places = [(topic, i) for topic in (*INPUTS, *INTERNAL) for i in range(self.partitions)]
        self.group = Group(places, order_rng)
        self.rebuilding = False
        self._rebuild_wanted = False
        self._processes: list[Program] = []
        self._born = 0
        self._workers = self.wire_rng.choice((1, 2, 2, 3))
        self._batch = self.wire_rng.choice((1, 3) if options.race else (1, 3, 8, 100))
        lead = world.lead if options.race else None
        self._deliveries = Deliveries(self.wire_rng, self.kafka, self.scheduler, lead)
        order = self._deliveries.in_some_order(world.messages)
        self._to_send = [m for i, m in enumerate(order) if i not in options.dropped]
        # Ten seconds instead of thirty: each effect takes a few hundredths of one.
        self.alert_pause_ms = Random(f"{seed}/pause").choice((0, 0, 10_000))
        self.deaths = 0
        self._operator = Actor("operator")

    # -- running

    def run(self) -> None:
        """Until all inputs are worked off and nothing can happen. Raises what a step raised, TooLong, Stuck."""
        self._in_loop(self._main(self._to_send))

    def redeliver(self) -> None:
        """Every message that was sent comes once more, to the system as it stands, and nothing goes wrong."""
        self.scheduler.strike = lambda _effect: False
        again = self._deliveries.sent[:]
        self.wire_rng.shuffle(again)
        self._in_loop(self._main(again))

    def rebuild(self) -> None:
        """An operator rebuilds the state of the system at rest."""
        self.scheduler.strike = lambda _effect: False
        self.ask_for_rebuild()
        self._in_loop(self._main([]))

    def _in_loop(self, main: Any) -> None:
        # Processes live in one loop from the first run on; a second `run_until_complete` goes on with them.
        if not hasattr(self, "_loop"):
            self._loop = SimulatedLoop(self.scheduler.idle)
            self._loop.set_exception_handler(lambda _loop, context: None)
            self._loop.call_soon(self._world_begins)
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(main)

    def outcome(self) -> Outcome:
        """What the brute force makes of the messages that were sent, wherever and however often they came."""
        return self.world.outcome([r for topic in INPUTS for p in self.kafka.topics[topic] for r in p.records])

    def describe(self) -> str:
        return (
            f"{self._workers} workers, {self.partitions} partitions, batches to {self._batch}, "
            f"{len(self._deliveries.sent)} messages, {self.scheduler.step} effects, {self.plan}"
        )

    def trace_lines(self) -> list[str]:
        return [line.text() for line in self.scheduler.trace]

    def close(self) -> None:
        """Kill what is left, so that no task outlives its loop."""
        for process in self._processes[:]:
            process.die("the history ends")
        if hasattr(self, "_loop"):
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()
        asyncio.set_event_loop(None)

    def _world_begins(self) -> None:
        happens = self.scheduler.always
        faults = Faults(self.plan, self, self._fault_rng)
        self.scheduler.strike, self.scheduler.calm = faults.strike, self._wake_all
        outside, broker, cluster = Actor("outside"), Actor("kafka"), Actor("cluster")
        happens(outside, "gateways", self._deliveries.deliver, self._deliveries.due)
        happens(broker, "markers", self._mark, lambda: bool(self.kafka.missing_markers()))
        happens(broker, "coordinator", self._rebalance, self.group.unclaimed)
        happens(cluster, "supervisor", self._start_worker, lambda: self._running(Process) < self._workers)
        happens(
            self._operator, "rebuild", self._start_rebuild, lambda: self._rebuild_wanted and not self._running(Rebuild)
        )

    async def _main(self, messages: list[Message]) -> None:
        self._deliveries.to_send = messages
        await self.scheduler.quiet()

    # -- what the world does

    def _mark(self) -> None:
        self.kafka.mark_one(self.wire_rng.choice(self.kafka.missing_markers()))

    def _rebalance(self) -> None:
        self.group.rebalance(shuffle=False, evict=lambda: False)

    def _running(self, kind: type[Program]) -> int:
        return sum(isinstance(p, kind) for p in self._processes)

    def _start_worker(self) -> None:
        self._start(Process(f"W{self._born}", self))

    def _start_rebuild(self) -> None:
        self._start(Rebuild(f"R{self._born}", self))

    def _start(self, program: Any) -> None:
        self._born += 1
        self._processes.append(program)
        program.start()

    def _wake_all(self) -> bool:
        """Nothing can happen: what was slow comes now."""
        if self._deliveries.hurry():
            return True
        asleep = [p for p in self._processes if p.paused]
        for process in asleep:
            process.actor.paused = False
            self.scheduler.note(process.name, "goes on")
        return bool(asleep)

    # -- what programs ask of their surroundings

    def make_worker(self, store: Store, log: Log, generation: str) -> Worker:
        return Worker(
            store=store,
            log=log,
            clock=self.clock,
            pseudonymiser=Pseudonymiser(KEY),
            policies=self.world.policies,
            seal=lambda payload: payload,
            generation=generation,
            retention_days=self.world.retention_days,
            alert_pause_ms=self.alert_pause_ms,
            counters=False,  # they only read; checked when a history is at rest
        )

    def make_steps(self, worker: Worker) -> Steps:
        return self._make_steps(worker)

    def cut(self, partition: Partition, start: int) -> SimulatedBatch:
        """A fetch: some of what is there."""
        count = self.wire_rng.randint(1, self._batch)
        return SimulatedBatch(partition.records[start : start + count])

    def ask_for_rebuild(self) -> None:
        self.rebuilding = self._rebuild_wanted = True

    def rebuild_beside(self) -> bool:
        """Somebody else begins a rebuild while one runs, which ends when it notices; False where two run already."""
        beside = self._running(Rebuild) == 1
        if beside:
            self._start_rebuild()
        return beside

    def rebuilt(self, program: Program) -> None:
        self.rebuilding = self._rebuild_wanted = False
        self._processes.remove(program)

    def died(self, program: Program) -> None:
        self.deaths += 1
        self._processes.remove(program)
        if isinstance(program, Process):
            self.group.leave(program)

    def stays_on_the_wire(self, effect: Effect) -> bool:
        return self.wire_rng.random() < 0.3
