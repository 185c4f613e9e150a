"""The life of a worker process: wait until Redis may be believed, serve, end in order and with a code that says why."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from faust.types import TP

from streams.ports import Call, Meters, NoMeters, StoreChanged, StoreDown
from streams.rules.codes import Pseudonymiser
from streams.rules.policy import load_policies
from streams.runtime.app import BatchApp, make_app, place_of
from streams.runtime.batch import Batching
from streams.runtime.clock import SharedClock
from streams.runtime.exits import DONE, LogDown, code_of, end_tasks
from streams.runtime.kafka import KafkaLog
from streams.runtime.lag import Lag
from streams.runtime.lifetime import live
from streams.runtime.quiet import log_to_stderr
from streams.runtime.redis import RedisStore, check_server
from streams.runtime.settings import Settings, sealer
from streams.runtime.vaultkeys import vault_seals
from streams.state.generation import Generation, read_generation, read_offsets
from streams.steps.audit import Auditor
from streams.steps.rebuild import first_start, was_at_work
from streams.steps.worker import Worker, ready_generation, still_ours

if TYPE_CHECKING:
    from streams.runtime.metrics import Watched

logger = logging.getLogger("truyvet.worker")

TICK = 1.0  # seconds
REBUILD = "Kafka holds what was published, Redis nothing that this version knows: run `truyvet rebuild`"
LAG_EACH = 5.0  # seconds between two looks at the lag, for metrics


class Attached(NamedTuple):
    """`assigned` and `released` are told which (topic, partition) came and went; `tick` is called each second."""

    assigned: Callable[[set[tuple[str, int]]], None]
    released: Callable[[set[tuple[str, int]]], None]
    tick: Callable[[], Awaitable[None]]


Attach = Callable[[BatchApp, Worker], Attached]
"""Puts the agents on the app."""


def make_worker(
    settings: Settings, store: RedisStore, log: KafkaLog, generation: str, meters: Meters | None = None
) -> Worker:
    """What the steps of this process share. Raises SettingError (no key), PolicyError."""
    return Worker(
        store=store,
        log=log,
        clock=log.clock,
        pseudonymiser=Pseudonymiser(settings.needed_key()),
        policies=load_policies(settings.policies),
        seal=sealer(settings),
        generation=generation,
        retention_days=settings.retention_days,
        stream_time=settings.retention_clock == "stream",
        alert_pause_ms=settings.alert_seconds * 1000,
        vault=vault_seals(settings),
        auditor=Auditor(log, log.clock),
        lag=Lag(store, log).records,
        meters=meters or NoMeters(),
    )


def serve(settings: Settings, attach: Attach) -> int:
    """Run one worker until a signal or a failure; the exit code (streams.runtime.exits)."""
    log_to_stderr()
    settings.needed_key()  # before anything is opened: a worker without a key is of no use
    return asyncio.run(_serve(settings, attach))


async def _serve(settings: Settings, attach: Attach) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as opened:
        store = await RedisStore.open(settings.redis, pinned=True, patience=settings.patience)
        opened.push_async_callback(store.close)
        for wrong in await check_server(store):
            logger.warning("Redis: %s", wrong)
        log = await KafkaLog.open(settings)
        opened.push_async_callback(log.close)
        await log.clock.set(store)
        try:
            generation = await _or_stop(stop, _generation(store, log))
            if generation is None:
                return DONE
            meters = _meters(settings, log, opened)
            return await _work(settings, attach, store, log, generation.id, stop, meters)
        except (StoreDown, StoreChanged, LogDown) as error:
            logger.error("%s", error)
            return code_of(error)


def _meters(settings: Settings, log: KafkaLog, opened: contextlib.AsyncExitStack) -> Watched | None:
    """Somebody to measure for, if the settings want one."""
    if settings.metrics_port is None:
        return None
    # Only then: a worker that nobody watches need not have it in memory.
    from streams.runtime.metrics import Watched, listen

    meters = Watched()
    log.sent = meters.sent
    close = listen(settings, meters)
    if close is not None:
        opened.callback(close)
    return meters


async def _or_stop(stop: asyncio.Event, work: Awaitable[Generation]) -> Generation | None:
    """The result of `work`, None when the process is asked to end before."""
    working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        await end_tasks([working, stopped])


async def _generation(store: RedisStore, log: KafkaLog) -> Generation:
    """Wait for a generation that is ready; begin one if this system is new."""
    said = ""
    while True:
        generation = await ready_generation(store)
        if generation is not None:
            return generation
        if await read_generation(store) is not None:
            says = "the Redis state is being rebuilt: waiting until it is ready"
        elif await was_at_work(log, log.partitions("evaluate")):
            # Every worker that waits says so; which of them might begin a new system is no question here.
            says = REBUILD
        elif not await _may_begin(store):
            says = "another worker looks whether this system is new"
        elif await first_start(store, log, log.partitions("evaluate")) is None:
            says = REBUILD
        else:
            continue
        if says != said:
            logger.warning("%s", says)
            said = says
        # Somebody has to come and rebuild: to ask Kafka for all ends five times a second helps nobody.
        await asyncio.sleep(TICK if says == REBUILD else 0.2)


async def _may_begin(store: RedisStore) -> bool:
    """Of workers that start together only one begins the first generation; the others would make it void again."""
    (reply,) = await store.run([Call("SET", ("tv:first",), (1, "NX", "EX", 3))])
    return reply is not None


async def _work(
    settings: Settings,
    attach: Attach,
    store: RedisStore,
    log: KafkaLog,
    generation: str,
    stop: asyncio.Event,
    meters: Watched | None,
) -> int:
    prefix = settings.topic_prefix

    async def start_at(partitions: set[TP]) -> Mapping[TP, int]:
        """Redis's offsets, which are as old or new as the facts. Kafka's committed ones have no say."""
        attached.assigned({place_of(tp, prefix) for tp in partitions})
        offsets = await read_offsets(store, generation)
        return {tp: offsets.get(place_of(tp, prefix), 0) for tp in partitions}

    def revoked(partitions: set[TP]) -> None:
        attached.released({place_of(tp, prefix) for tp in partitions})

    batching = Batching(
        timeout=float(settings.batch_seconds),
        topic_prefix=prefix,
        security=settings.kafka_security,
        start_at=start_at,
        revoked=revoked,
    )
    app = make_app(settings, batching)
    attached = attach(app, make_worker(settings, store, log, generation, meters))
    beside = [_each_second(store, generation, log.clock, attached.tick)]
    if meters is not None:
        beside.append(_tell_lag(Lag(store, log), meters))
    return await live(app, stop, beside)


async def _tell_lag(lag: Lag, meters: Watched) -> None:
    while True:
        with contextlib.suppress(StoreDown):  # the figure is old then; the worker's work says what is wrong
            meters.lag(await lag.records())
        await asyncio.sleep(LAG_EACH)


async def _each_second(
    store: RedisStore, generation: str, clock: SharedClock, tick: Callable[[], Awaitable[None]]
) -> None:
    """Do what time alone brings. And notice a rebuild, or another Redis, when there is nothing to do; a busy worker
    meets it in its next offset."""
    while True:
        await asyncio.sleep(TICK)
        with contextlib.suppress(StoreDown):  # whoever needs Redis will say so
            await clock.set(store)
            await still_ours(store, generation)
            await tick()
