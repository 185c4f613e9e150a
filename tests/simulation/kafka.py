"""Kafka in memory, as far as the steps can tell it from the real one. Nothing here waits; ports.py does.

Held to what Kafka does: offsets are consecutive within a partition and a transaction's end marker takes one too; a
reader of committed records sees nothing at or after the first record of an open transaction (the last stable offset);
a producer's epoch fences all earlier ones of its transactional id; a commit is decided before its markers are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka.partitioner import murmur2

from streams.ports import Fenced

Headers = Sequence[tuple[str, bytes]]


@dataclass(eq=False, slots=True)
class Transaction:
    """`state`: open → committed or aborted; `open_in`: partitions that have no end marker yet."""

    producer: str
    epoch: int
    state: str = "open"
    open_in: list[Partition] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Record:
    """In the shape of aiokafka's ConsumerRecord. `marker`: ends a transaction, holds nothing."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    transaction: Transaction | None = None
    marker: bool = False

    def visible(self, committed: bool) -> bool:
        """Markers are never seen, aborted records only by a reader that does not ask for committed ones."""
        return not self.marker and not (committed and self.transaction and self.transaction.state != "committed")


@dataclass(eq=False, slots=True)
class Partition:
    topic: str
    number: int
    records: list[Record] = field(default_factory=list)

    @property
    def end(self) -> int:
        return len(self.records)

    @property
    def stable_end(self) -> int:
        """The last stable offset: where a reader of committed records has to stop."""
        for record in self.records:
            if record.transaction is not None and self in record.transaction.open_in:
                return record.offset
        return self.end

    def append(
        self,
        timestamp: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        tx: Transaction | None = None,
    ) -> Record:
        record = Record(self.topic, self.number, self.end, timestamp, key, value, headers, tx)
        self.records.append(record)
        return record

    def mark(self, tx: Transaction) -> None:
        """The end marker of a transaction."""
        self.records.append(Record(self.topic, self.number, self.end, 0, None, None, (), tx, marker=True))
        tx.open_in.remove(self)


class Kafka:
    """Topics, their partitions, transactional producers by id, committed offsets of the one consumer group."""

    def __init__(self, partitions: dict[str, int]) -> None:
        self.topics = {name: [Partition(name, i) for i in range(count)] for name, count in partitions.items()}
        self.committed: dict[tuple[str, int], int] = {}
        self._epoch: dict[str, int] = {}
        self._open: dict[str, Transaction] = {}

    def partition(self, topic: str, number: int) -> Partition:
        return self.topics[topic][number]

    def partition_of(self, topic: str, key: bytes | None, fallback: int = 0) -> int:
        """Kafka's default partitioner over the key; `fallback` where there is none."""
        count = len(self.topics[topic])
        return (murmur2(key) & 0x7FFFFFFF) % count if key is not None else fallback % count

    # -- transactions

    def init_producer(self, producer: str) -> int:
        """A new epoch for this id: an open transaction of a former owner is aborted, a decided one ended."""
        self._epoch[producer] = self._epoch.get(producer, 0) + 1
        self.time_out(producer)
        self.finish(producer)
        return self._epoch[producer]

    def write(
        self,
        producer: str,
        epoch: int,
        topic: str,
        number: int,
        timestamp: int,
        key: bytes,
        value: bytes | None,
        headers: Headers = (),
    ) -> None:
        """One record within the producer's transaction, which begins by itself."""
        self._check(producer, epoch)
        tx = self._open.get(producer)
        if tx is not None and tx.state != "open":  # the broker answers CONCURRENT_TRANSACTIONS until the last one ended
            self.finish(producer)
            tx = None
        if tx is None:
            tx = self._open[producer] = Transaction(producer, epoch)
        partition = self.partition(topic, number)
        if partition not in tx.open_in:
            tx.open_in.append(partition)
        partition.append(timestamp, key, value, headers, tx)

    def commit(self, producer: str, epoch: int) -> None:
        """Decide: from here on nothing aborts it. Its markers come later, one by one (`mark_one` or `finish`)."""
        self._check(producer, epoch)
        self._open[producer].state = "committed"

    def time_out(self, producer: str) -> None:
        """The coordinator ends a transaction that was left open, and fences whoever left it."""
        tx = self._open.get(producer)
        if tx is not None and tx.state == "open":
            tx.state = "aborted"
            if tx.epoch == self._epoch[producer]:
                self._epoch[producer] += 1
            self.finish(producer)

    def has_open(self, producer: str) -> bool:
        tx = self._open.get(producer)
        return tx is not None and tx.state == "open"

    def producers(self) -> list[str]:
        """Transactional ids with a transaction that has no end yet."""
        return list(self._open)

    def missing_markers(self) -> list[str]:
        """Transactional ids whose transaction is decided and has a partition without its marker."""
        return [producer for producer, tx in self._open.items() if tx.state != "open"]

    def mark_one(self, producer: str) -> None:
        tx = self._open[producer]
        tx.open_in[0].mark(tx)
        if not tx.open_in:
            del self._open[producer]

    def finish(self, producer: str) -> None:
        """All markers of a decided transaction."""
        while producer in self._open:
            self.mark_one(producer)

    def _check(self, producer: str, epoch: int) -> None:
        if self._epoch.get(producer) != epoch:
            raise Fenced(f"{producer}: epoch {epoch} is not the latest, {self._epoch.get(producer)}")
