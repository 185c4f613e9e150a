"""What the steps of one worker share: ports, rules in force, and copies of the small tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from streams.ports import Call, Clock, Log, Meters, NoMeters, Store, StoreChanged
from streams.rules.codes import Pseudonymiser
from streams.rules.policy import Policies, Policy
from streams.state.gateways import GatewayTable
from streams.state.generation import Generation, is_current, read_generation, read_newest, read_offsets
from streams.state.people import PeopleTable
from streams.state.policies import PolicyTable
from streams.state.spans import SpanTable
from streams.state.vault import Seals
from streams.state.venues import VenueTable
from streams.steps.audit import Auditor


@dataclass
class Worker:
    """`policies` are those that hold: the built-in ones (or the folder's), and with `refresh` those of the topic.

    `retention_days` None = the policy's; `stream_time`: "now" for forgetting is the newest record timestamp, else the
    wall clock; `alert_pause_ms` between two revisions of a venue alert (rule 8). `seal` encrypts a rejected payload to
    the operations key; `vault` the codes of new persons to the desk's and the escrow's (None: no code is kept, nobody
    can be called back; for tests only), `auditor` writes what was erased on record (None: nothing does; likewise).

    `known_days` are those told to Redis since days were forgotten there for the `days_forgotten`th time (shards.py).
    `known_persons` (in the week `known_week`) and `known_venues` hold what this worker has seen in Redis's tables;
    they are as old as the process at most, and a process never outlives the Redis it started with (StoreChanged), so
    they cannot promise too much.

    `lag()` = how many records are in the inputs and the internal topics that had not all their effects, None when Kafka
    does not say; `counters`: count for dashboards, if this worker is the one to do it; `meters`: who watches it.
    """

    store: Store
    log: Log
    clock: Clock
    pseudonymiser: Pseudonymiser
    policies: Policies
    seal: Callable[[bytes], bytes]
    generation: str
    retention_days: int | None = None
    stream_time: bool = False
    alert_pause_ms: int = 30_000
    vault: Seals | None = None
    auditor: Auditor | None = None
    lag: Callable[[], Awaitable[int | None]] | None = None
    counters: bool = True
    meters: Meters = field(default_factory=NoMeters)
    venues: VenueTable = field(default_factory=VenueTable)
    people: PeopleTable = field(default_factory=PeopleTable)
    gateways: GatewayTable = field(default_factory=GatewayTable)
    policy_table: PolicyTable = field(default_factory=PolicyTable)
    spans: SpanTable = field(default_factory=SpanTable)
    known_persons: set[bytes] = field(default_factory=set)
    known_week: int = 0
    known_days: set[int] = field(default_factory=set)
    days_forgotten: int = 0
    known_venues: dict[str, bytes] = field(default_factory=dict)
    venue_names: dict[bytes, str] = field(default_factory=dict)
    known_exposures: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._own_policies = self.policies

    async def refresh(self, *more: Call) -> list[Any]:
        """Bring the copies that an evaluation rests on up to date, and ask whatever else is to be asked with it; the
        replies to that."""
        venues, people, policies = self.venues, self.people, self.policy_table
        replies = await self.store.run([venues.since(), people.since(), policies.since(), *more])
        venues.take(replies[0])
        people.take(replies[1])
        if policies.take(replies[2]):
            self.policies = Policies([*self._own_policies, *policies.rows.values()])
        return replies[3:]

    async def still_ours(self) -> None:
        """Raises StoreChanged when this worker's generation is over."""
        await still_ours(self.store, self.generation)

    async def now(self) -> tuple[int, int]:
        """What "now" is for forgetting (rule 10), and the newest record timestamp of `scans` taken in; seconds UTC."""
        return self.now_at(await read_newest(self.store))

    def now_at(self, newest: int) -> tuple[int, int]:
        """The same, where the newest record's time is known."""
        return (newest if self.stream_time else self.clock.now_ms() // 1000), newest

    def kept_days(self) -> int:
        """For how many days scans are kept, 0 = for ever. The policy that keeps them longest decides, since a case that
        goes by it may be open still. `refresh` before."""
        if self.retention_days is not None:
            return self.retention_days
        days = [policy.retention_days for policy in self.policies]
        return 0 if 0 in days else max(days)

    def retention(self, policy: Policy) -> int:
        """Days; 0 = everything is kept."""
        return policy.retention_days if self.retention_days is None else self.retention_days


async def ready_generation(store: Store) -> Generation | None:
    """The generation to work for, None while there is none or it is being loaded."""
    generation = await read_generation(store)
    return generation if generation is not None and generation.state == "ready" else None


async def still_ours(store: Store, generation: str) -> None:
    """To be called each second by every worker. Raises StoreChanged, also where Redis has another generation or none.

    A worker without work makes no calls, so it would not notice that Redis came back without its last second, and what
    was lost would stay lost until the next scan of that partition.
    """
    if not await is_current(store, generation):
        raise StoreChanged("Redis holds another generation than the one this worker started with, or none")


async def start_offset(store: Store, generation: str, topic: str, partition: int, _committed: int | None = None) -> int:
    """Where to start reading: the offset kept in Redis beside the facts, or the beginning.

    Kafka's committed offset has no say: it survives what Redis lost (its last second, or everything), and starting
    there would leave a hole in the facts that nobody notices. Raises StoreChanged when the generation is over.
    """
    return (await read_offsets(store, generation)).get((topic, partition), 0)
