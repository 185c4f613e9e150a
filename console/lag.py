"""How far the pipeline is behind what its topics hold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from console.publishing import partitions_of, start_consumer
from streams.runtime.topics import INPUTS, INTERNAL
from streams.state.generation import read_generation, read_offsets
from streams.state.standing import Standing

if TYPE_CHECKING:
    from streams.ports import Store
    from streams.runtime.settings import Settings

LINES = {"evaluate": "e", "combine": "c"}
"""The internal topics, and the line of the ledger that each topic's partitions own."""

Place = tuple[str, int]
"""topic without prefix, partition"""


class Topics:
    """End offsets of the topics that agents take in. Open and close with `async with`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._partitions: dict[str, int] = {}

    async def __aenter__(self) -> Topics:
        self._partitions = await partitions_of(self.settings, *INPUTS, *INTERNAL)
        self._consumer: Any = await start_consumer(self.settings)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    def partitions(self, topic: str) -> int:
        return self._partitions[topic]

    async def ends(self, *topics: str) -> dict[Place, int]:
        """The offset after the last record of every partition, as it is now. 0 for those whose records are all gone."""
        found = await self._consumer.end_offsets(
            [self._at((topic, n)) for topic in topics for n in range(self._partitions[topic])]
        )
        starts = await self._consumer.beginning_offsets(list(found))
        plain = len(self.settings.topic_prefix)
        return {(at.topic[plain:], at.partition): end if end > starts[at] else 0 for at, end in found.items()}

    async def nothing_between(self, place: Place, offset: int, end: int) -> bool:
        """Whether no record lies in [offset, end): only marks of transactions, or what retention took away.

        Such offsets are never taken in by anybody, so waiting for them would not end.
        """
        at = self._at(place)
        self._consumer.assign([at])
        self._consumer.seek(at, offset)
        for _ in range(10):
            if (await self._consumer.getmany(at, timeout_ms=300, max_records=1)).get(at):
                return False
            if await self._consumer.position(at) >= end:
                return True
        return False

    def _at(self, place: Place) -> Any:
        from aiokafka import TopicPartition

        return TopicPartition(self.settings.topic_prefix + place[0], place[1])


async def behind(store: Store, ends: dict[Place, int]) -> dict[Place, int]:
    """Records not yet taken in, by place; nothing when all are. While no generation is ready, none is."""
    generation = await read_generation(store)
    if generation is None or generation.state != "ready":
        return {place: end for place, end in ends.items() if end}
    done = await read_offsets(store)
    return {place: end - done.get(place, 0) for place, end in ends.items() if end > done.get(place, 0)}


def ledgers(store: Store, topic: str, partitions: int) -> list[Standing]:
    """Of an internal topic's partitions."""
    return [Standing(store, partition, LINES[topic]) for partition in range(partitions)]


async def unfinished(standings: list[Standing]) -> set[tuple[int, str | bytes]]:
    """What was begun there: revisions reserved and not confirmed (text), notes not passed on (bytes), by partition."""
    begun = await asyncio.gather(*(_begun(standing) for standing in standings))
    return {(number, what) for number, found in enumerate(begun) for what in found}


async def _begun(standing: Standing) -> list[str | bytes]:
    return [*await standing.unconfirmed(), *await standing.todo()]


async def aged_by(standings: list[Standing], second: int) -> int:
    """How many cases or venues have something that ends by its age at this second of the clock of forgetting."""
    return sum(map(len, await asyncio.gather(*(standing.aged(second) for standing in standings))))


async def due_by(standings: list[Standing], at_ms: int) -> int:
    """How many cases are to be looked at again at this time or before."""
    return sum(map(len, await asyncio.gather(*(standing.due(at_ms) for standing in standings))))
