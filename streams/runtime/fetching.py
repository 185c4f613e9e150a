"""aiokafka's side of the batch transport: what runs in the consumer's own thread, where heartbeats go on meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, server_list
from faust.types import TP

from streams.ports import Message
from streams.runtime.exits import heed_memory

logger = logging.getLogger("truyvet.transport")

Result = TypeVar("Result")

POLL_MS = 500  # a fetch that finds nothing ends after this; it is never cancelled (see `fetch`)
COMMIT_PATIENCE = 10.0  # seconds; a commit that waits for a broker goes on by itself, the caller does not wait longer


class BatchThread(AIOKafkaConsumerThread):
    """Calls go straight to the thread's loop: Faust's method queue has two workers, which waiting fetches would fill,
    so that commits and seeks would starve."""

    async def _in_thread(self, work: Coroutine[Any, Any, Result], patience: float | None = None) -> Result:
        try:
            future = asyncio.run_coroutine_threadsafe(work, self.thread_loop)
        except RuntimeError:  # the loop is closed
            work.close()
            raise ConsumerStoppedError from None
        # Shielded: cancelling a getmany leaves aiokafka's count of waiting fetches raised for good.
        async with asyncio.timeout(patience):
            return await asyncio.shield(asyncio.wrap_future(future))

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf, batching = self.app.conf, self.app.batching
        heed_memory(self.thread_loop)
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset=conf.consumer_auto_offset_reset,
            max_poll_records=conf.broker_max_poll_records,
            # A worker that exceeds it leaves the group and never comes back: a day, and a watchdog instead.
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=batching.fetch_wait_ms,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            # A gateway that writes in transactions may take a scan back; a rebuild reads the same way.
            isolation_level="read_committed",
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **batching.security,
        )

    async def fetch(self, tp: TP, epoch: int) -> Sequence[Message]:
        """The next records of one partition, at most `broker_max_poll_records`; [] when none came in a while."""
        return await self._in_thread(self._fetch(TopicPartition(*tp), epoch))

    async def _fetch(self, tp: TopicPartition, epoch: int) -> Sequence[Message]:
        consumer = self._ensure_consumer()
        if not self.consumer.flowing(epoch):
            return []
        # Never without a partition: to aiokafka, none means all.
        records = (await consumer.getmany(tp, timeout_ms=POLL_MS)).get(tp, [])
        if records and not self.consumer.flowing(epoch):
            # The position is past these records already. Put them back before anything else can run in this thread, or
            # they are a hole: whoever reads on here starts behind them.
            with suppress(IllegalStateError):  # the partition went away; the next owner has an offset of its own
                consumer.seek(tp, records[0].offset)
            return []
        return records

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False when it did not happen or nobody can tell. The worker's own offsets are in Redis, so a commit
        that is missing costs a second look at a batch, never a hole."""
        try:
            return await self._in_thread(self._commit(offsets), COMMIT_PATIENCE)
        except (ConsumerStoppedError, TimeoutError):
            return False

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        mine = consumer.assignment()
        wanted = {
            TopicPartition(*tp): OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            if TopicPartition(*tp) in mine
        }
        if not wanted:
            return False
        try:
            await consumer.commit(wanted)
        except CommitFailedError:
            logger.info("offsets not committed: this worker was taken out of the group meanwhile")
            return False
        except (KafkaError, IllegalStateError) as error:
            logger.warning("offsets not committed: %s", type(error).__name__)
            return False
        return True

    async def committed(self, partitions: Sequence[TP]) -> dict[TP, int]:
        """Kafka's committed offsets of those partitions that have one."""
        return await self._in_thread(self._committed(partitions))

    async def _committed(self, partitions: Sequence[TP]) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        found = {tp: await consumer.committed(TopicPartition(*tp)) for tp in partitions}
        return {tp: offset for tp, offset in found.items() if offset is not None}

    async def seek_all(self, offsets: Mapping[TP, int | None]) -> None:
        """Go to these offsets; None = as `consumer_auto_offset_reset` says."""
        await self._in_thread(self._seek_all(offsets))

    async def _seek_all(self, offsets: Mapping[TP, int | None]) -> None:
        consumer = self._ensure_consumer()
        to_begin = consumer.seek_to_end if self._reset_to_end() else consumer.seek_to_beginning
        # A partition may be taken away while we are at it; the rebalance that does so ends with a seek of its own.
        with suppress(IllegalStateError):
            for tp, offset in offsets.items():
                if offset is not None:
                    consumer.seek(TopicPartition(*tp), offset)
            without = [TopicPartition(*tp) for tp, offset in offsets.items() if offset is None]
            if without:
                await to_begin(*without)

    def _reset_to_end(self) -> bool:
        return str(self.app.conf.consumer_auto_offset_reset) == "latest"
