"""A Faust transport that hands a partition's whole fetch to a plain `@app.agent` as one event.

Registered by the supported entry point `faust.transports`: the broker URL `batch://host:port` selects it. Stock Faust
spends some 80 us a record on four tasks each, acknowledges what raised, and commits past work that is not finished.
Here a partition has at most one batch in hand, and its offset is committed exactly when that batch is done.

Faust's own acknowledgement runs inlined in compiled code, in a `finally`, for events that raised or were skipped too:
so no offset hangs on it. Numbers of our own do (`_done`), set by `with batch`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.errors import ConsumerStoppedError
from faust.exceptions import ImproperlyConfigured
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.runtime.batch import Batch, Batching, BatchSchema
from streams.runtime.exits import FAILED, code_of, deadline, end_now, without_memory
from streams.runtime.fetching import BatchThread
from streams.runtime.watchdog import Watchdog

logger = logging.getLogger("truyvet.transport")

CRASH_PATIENCE = 15.0  # seconds from a failed batch to the end of the process, however it hangs


class Consumer(driver.Consumer):
    """`flow` is Faust's word for "between rebalances". Each stop of it begins a new `epoch`; what belongs to an earlier
    one is put back or dropped, since each start of the flow begins with a seek of every partition."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._in_hand: dict[TP, Batch] = {}
        self._done: dict[TP, int] = {}  # next offset to commit
        self._last_commit: dict[TP, int] = {}
        self._expected: dict[TP, int] = {}  # where the next fetch should begin
        self._epoch = 0
        self._changed = asyncio.Event()
        super().__init__(*args, **kwargs)
        self.batching: Batching = self.app.batching
        self._watchdog = Watchdog(lambda: list(self._in_hand.values()), self.batching.timeout)

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def on_start(self) -> None:
        await super().on_start()
        self._watchdog.start()

    async def on_stop(self) -> None:
        await super().on_stop()
        self._watchdog.stop()

    async def subscribe(self, topics: Iterable[str]) -> None:
        for topic in self.app.topics:
            if not isinstance(topic.schema, BatchSchema):
                names = ", ".join(topic.topics)
                raise ImproperlyConfigured(f"topic {names}: the batch transport needs schema=BatchSchema()")
        await super().subscribe(topics)

    # -- the flow

    def flowing(self, epoch: int) -> bool:
        """Whether records of this epoch may still be handed out. Called from both threads."""
        return self.flow_active and self._epoch == epoch

    def stop_flow(self) -> None:
        self._epoch += 1
        super().stop_flow()
        # The agents' queues are cleared next, and a stream skips what it took off them just before: these never start.
        for tp, batch in list(self._in_hand.items()):
            if batch.started is None:
                del self._in_hand[tp]

    async def _drain_messages(self, fetcher: Any) -> None:
        """While the flow is on, one pump for each partition. Faust's fetcher service runs this."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self.wait(self.can_resume_flow)
                if self.flow_active and not self.should_stop:
                    await self._pump_all(self._epoch)
        except ConsumerStoppedError:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            # The fetcher is only ever cancelled. Swallowed in a rebalance, it would be dead for the next one.
            if not self.app.should_stop:
                raise

    async def _pump_all(self, epoch: int) -> None:
        stopped = asyncio.ensure_future(self.suspend_flow.wait())
        pumps = [asyncio.ensure_future(self._pump(tp, epoch)) for tp in sorted(self._get_active_partitions())]
        try:
            done, _ = await asyncio.wait([stopped, *pumps], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (stopped, *pumps):
                task.cancel()
            await asyncio.gather(stopped, *pumps, return_exceptions=True)

    async def _pump(self, tp: TP, epoch: int) -> None:
        """Fetch, hand out, wait until it is done: one batch at a time, so order within the partition is kept whatever
        the agent's concurrency, and nothing else needs to push back."""
        while self.flowing(epoch):
            if tp in self._in_hand:  # of an earlier epoch: it blocks the partition until it is done
                await self._in_hand[tp].finished.wait()
                continue
            records = await self._thread.fetch(tp, epoch)
            if not records or not self.flowing(epoch):
                continue
            self._warn_of_gap(tp, records[0].offset)
            self._expected[tp] = records[-1].offset + 1
            topic = tp.topic.removeprefix(self.batching.topic_prefix)
            batch = Batch(self, tp, topic, records, self.app.consumer_generation_id)
            self._in_hand[tp] = batch
            await self.callback(self._event(batch))
            await batch.finished.wait()

    def _warn_of_gap(self, tp: TP, found: int) -> None:
        expected = self._expected.get(tp)
        if expected is not None and found != expected:
            logger.warning(
                "GAP %s/%d: expected offset %d, the next record is %d (retention, compaction, or another topic by the "
                "same name)",
                tp.topic,
                tp.partition,
                expected,
                found,
            )

    @staticmethod
    def _event(batch: Batch) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000.0,
            0,
            None,
            None,
            batch,
            None,
            0,
            0,
            batch.tp,
            generation_id=batch.generation,
        )

    # -- how a batch went

    def batch_done(self, batch: Batch) -> None:
        # A batch of an earlier generation is not in hand any more: its partition is somebody else's.
        if self._in_hand.get(batch.tp) is batch:
            del self._in_hand[batch.tp]
            self._done[batch.tp] = batch.last_offset + 1
        self._changed.set()

    def batch_failed(self, batch: Batch, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            if self.app.should_stop:
                return
            error = RuntimeError(f"{batch!r} was cancelled")
        logger.critical("%r failed: %s", batch, type(error).__name__)
        if without_memory(error):
            end_now(FAILED)
        self.app.failure = self.app.failure or error
        deadline(CRASH_PATIENCE, code_of(error))
        self._crashing = asyncio.ensure_future(self.crash(error))

    # -- committing

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        # What Faust noted by itself is of no use here, and would only grow.
        self._acked.clear()
        self._acked_index.clear()
        due = {
            tp: offset
            for tp, offset in self._done.items()
            if self._last_commit.get(tp) != offset and (topics is None or tp in topics or tp.topic in topics)
        }
        if not due or not await self._commit(due):
            return False
        self._last_commit.update(due)
        return True

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # A consumer thread that ends answers no more, and whoever asks would wait for ever.
        return not self._thread.should_stop and await self._thread.commit(offsets)

    async def wait_empty(self) -> None:
        """Wait until no batch is in hand, then commit. Called when partitions go away and when the worker ends."""
        while not self.should_stop and any(batch.started is not None for batch in list(self._in_hand.values())):
            self._changed.clear()
            await self.wait(self._changed, timeout=1.0)
        if not await self.commit():  # a commit that was under way may have begun before the last batch was done
            await self.commit()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        # Faust stops the flow only if it had an assignment; a flow that stays on would fetch before the next seek.
        self.stop_flow()
        await super().on_partitions_revoked(revoked)
        # After the wait and the commit in there, which need these numbers.
        for numbers in (self._done, self._last_commit, self._expected, self._in_hand):
            numbers.clear()
        self.batching.revoked(revoked)

    async def perform_seek(self) -> None:
        """The last word on where each partition starts: nothing of Faust's seeks after this and before the flow."""
        partitions = set(self._get_active_partitions())
        offsets: dict[TP, int | None] = dict.fromkeys(partitions)
        if self.batching.start_at is not None:
            offsets.update(await self.batching.start_at(partitions))
        rest = [tp for tp, offset in offsets.items() if offset is None]
        if rest:
            offsets.update(await self._thread.committed(rest))
        self._expected = {tp: offset for tp, offset in offsets.items() if offset}
        await self._thread.seek_all(offsets)

    async def verify_all_partitions_active(self) -> None:
        """Faust's livelock detector counts events, of which we have few; the watchdog does its work."""


class Producer(driver.Producer):
    """Faust wants one and nothing uses it: steps publish through `streams.runtime.kafka`. It opens no connection."""

    async def on_start(self) -> None:
        await self.add_runtime_dependency(self.buffer)

    async def on_stop(self) -> None: ...

    async def flush(self) -> None: ...


class Transport(driver.Transport):
    Consumer = Consumer
    Producer = Producer
