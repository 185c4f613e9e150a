"""What the steps of one worker share: ports, rules in force, and copies of the small tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.ports import Clock, Log, Store, StoreChanged
from streams.rules.codes import Pseudonymiser
from streams.rules.policy import Policies
from streams.state.generation import Generation, read_generation, read_offsets
from streams.state.spans import SpanTable
from streams.state.vault import Seals
from streams.state.venues import VenueTable


@dataclass
class Worker:
    """`retention_days` None = the policy's. `seal` encrypts a rejected payload to the operations key; `vault` the codes
    of new persons to the desk's and the escrow's (None: no code is kept, nobody can be called back; for tests only).

    `known_persons` (in the week `known_week`) and `known_venues` hold what this worker has seen in Redis's tables;
    they are as old as the process at most, and a process never outlives the Redis it started with (StoreChanged), so
    they cannot promise too much.
    """

    store: Store
    log: Log
    clock: Clock
    pseudonymiser: Pseudonymiser
    policies: Policies
    seal: Callable[[bytes], bytes]
    generation: str
    retention_days: int | None = None
    vault: Seals | None = None
    venues: VenueTable = field(default_factory=VenueTable)
    spans: SpanTable = field(default_factory=SpanTable)
    known_persons: set[bytes] = field(default_factory=set)
    known_week: int = 0
    known_venues: dict[str, bytes] = field(default_factory=dict)
    venue_names: dict[bytes, str] = field(default_factory=dict)


async def ready_generation(store: Store) -> Generation | None:
    """The generation to work for, None while there is none or it is being loaded."""
    generation = await read_generation(store)
    return generation if generation is not None and generation.state == "ready" else None


async def still_ours(store: Store, generation: str) -> None:
    """To be called each second by every worker. Raises StoreChanged, also where Redis has another generation or none.

    A worker without work makes no calls, so it would not notice that Redis came back without its last second, and what
    was lost would stay lost until the next scan of that partition.
    """
    found = await read_generation(store)
    if found is None or found.id != generation:
        raise StoreChanged("Redis holds another generation than the one this worker started with, or none")


async def start_offset(store: Store, topic: str, partition: int, _committed: int | None = None) -> int:
    """Where to start reading: the offset kept in Redis beside the facts, or the beginning.

    Kafka's committed offset has no say: it survives what Redis lost (its last second, or everything), and starting
    there would leave a hole in the facts that nobody notices.
    """
    return (await read_offsets(store)).get((topic, partition), 0)
