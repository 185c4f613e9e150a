"""What a step needs from the outside: Redis calls, Kafka sends and reads, a clock. Nothing here talks to either.

Steps (`streams.steps`) and state (`streams.state`) know only these protocols, so the same code runs on real Kafka and
Redis (`streams.runtime`) and in the deterministic simulation (`tests.simulation`), where a seeded scheduler decides
which waiting effect happens next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

Arg = bytes | str | int


class Call(NamedTuple):
    """One Redis call: `name` is a script of `streams/state/scripts/` (without `.lua`) or a plain Redis command.

    `keys` are the keys touched (all in one hash slot); `args` the rest. A plain command is sent as NAME keys… args….
    """

    name: str
    keys: tuple[Arg, ...]
    args: tuple[Arg, ...] = ()


class StoreDown(Exception):
    """Redis did not answer, or answered with a fault that trying again may mend; nothing is committed."""


class StoreChanged(Exception):
    """Redis is not the one this worker started with (restarted, emptied, failed over): end and rewind."""


class Fenced(Exception):
    """Another worker owns this partition of `evaluate` now; whatever this one still wanted to write is void."""


class Store(Protocol):
    """Redis. Every call is atomic by itself; those of one `run` are sent together, in order: no transaction."""

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        """Replies in the order of the calls. Raises StoreDown or StoreChanged; a script's own error as it is."""
        ...


class Out(NamedTuple):
    """A record to publish. `partition` None = Kafka's default partitioner over the key. `topic` is without prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Read(NamedTuple):
    """A record read back from one of the topics."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


class Log(Protocol):
    """Kafka, as far as a step publishes and reads back. Topic names are without prefix."""

    async def send(self, records: Sequence[Out]) -> None:
        """Publish (acks=all) and return when every record is acknowledged; raises otherwise."""
        ...

    def partition_of(self, topic: str, key: bytes) -> int:
        """Where Kafka's default partitioner puts a key."""
        ...

    async def fence(self, partition: int, *, line: str = "e") -> None:
        """Become the only writer of this partition of a line ("e": what is published of cases, "c": what is combined
        from several): open transactions of former owners end, their sends fail."""
        ...

    async def publish(self, partition: int, records: Sequence[Out], *, line: str = "e") -> None:
        """All records in one transaction of that partition's writer. Raises Fenced when another worker took it."""
        ...

    async def end(self, topic: str, partition: int) -> int:
        """The offset after the last record that a reader of committed records may see."""
        ...

    def tail(self, topic: str, partition: int, start: int, *, committed: bool) -> AsyncIterator[list[Read]]:
        """Records from offset `start` to the end as it is now, in chunks; `committed=False` shows aborted ones too."""
        ...

    async def origin(self, topic: str, partition: int, offset: int) -> bytes | None:
        """The value of one record, None when it is no longer kept."""
        ...


class Clock(Protocol):
    def now_ms(self) -> int: ...


class Meters(Protocol):
    """What a step tells whoever watches the pipeline (streams/runtime/metrics.py): numbers of a batch, never of a scan,
    and nothing that came with a message but the reason of its refusal."""

    def took_in(self, scans: int) -> None:
        """So many scans were accepted, some of them perhaps again."""
        ...

    def refused(self, topic: str, reasons: Iterable[str]) -> None:
        """One reason for each that was rejected."""
        ...


class NoMeters:
    """Nobody watches."""

    def took_in(self, scans: int) -> None: ...

    def refused(self, topic: str, reasons: Iterable[str]) -> None: ...


class Message(Protocol):
    """One record of an input topic, in the shape of aiokafka's ConsumerRecord."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Batch(Protocol):
    """All records of one fetch of one partition, in offset order. `topic` is without prefix."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def first_offset(self) -> int: ...
    @property
    def last_offset(self) -> int: ...
    def __iter__(self) -> Iterator[Message]: ...
    def __len__(self) -> int: ...
    def alive(self) -> None:
        """A part of it is done. Hundreds of cases in one batch may take minutes; a watchdog that ended the worker for
        that would end every next one for the same batch."""
        ...
