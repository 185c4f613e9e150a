"""The step behind the internal topic `combine`: one follow-up a person, the clusters at a venue (rule 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from schemas.cluster import Cluster
from schemas.combine import Combine
from schemas.decoding import decode_combine
from schemas.encoding import encode
from schemas.exposure import Advice, Exposure
from schemas.followup import Followup
from schemas.times import format_time, parse_time
from streams.ports import Batch, Out
from streams.rules import clusters
from streams.rules.codes import cluster_id, pseudonym_digest
from streams.rules.forgetting import ends_at
from streams.rules.policy import Policy
from streams.state.generation import offset_done
from streams.state.standing import CLUSTER, EXPOSURE, FOLLOWUP, PRESENCE, Standing
from streams.steps.followups import rows_of_persons, rows_of_venue
from streams.steps.kinds import KINDS, Presence
from streams.steps.publish import Change, carry_out_all, prepare
from streams.steps.requests import requests_of
from streams.steps.takeover import note_ends, take_over
from streams.steps.worker import Worker, still_ours

Band = Literal["high", "medium", "low"]
ASK_AGAIN = 60
TOGETHER = 500
BANDS: tuple[Band, ...] = ("high", "medium", "low")


class Combining:
    """One instance a worker; a partition of `combine` has one owner at a time."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._standing: dict[int, Standing] = {}
        self._assigned: set[int] = set()

    def assign(self, partition: int) -> None:
        """The partition came to this worker; what ages there does not wait for a first batch."""
        self._assigned.add(partition)

    async def take_over(self, partition: int) -> None:
        standing = Standing(self.worker.store, partition, "c")
        # Requests for them are on the topic still: an offset comes after the confirmation.
        begun = await take_over(standing, self.worker.log, self.worker.still_ours)
        heads = await standing.heads_of(begun)
        wanted = [Combine(person=of) if FOLLOWUP in mine else Combine(venue_id=of) for of, mine in heads.items()]
        await self._settle_all(standing, wanted)
        await standing.settled(begun)
        self._standing[partition] = standing

    def release(self, partition: int) -> None:
        self._standing.pop(partition, None)
        self._assigned.discard(partition)

    async def tick(self) -> None:
        """Venues of which a cluster ends by its age are put on `combine`."""
        now, _ = await self.worker.now()
        for partition in sorted(self._assigned):
            standing = Standing(self.worker.store, partition, "c")
            aged = await standing.aged(now)
            if aged:
                wanted = [Combine(venue_id=venue_id) for venue_id, _ in aged]
                await self.worker.log.send([Out("combine", c.key().encode(), encode(c)) for c in wanted])
            for venue_id, second in aged:
                await standing.age_asked(venue_id, second, now + ASK_AGAIN)

    async def handle(self, batch: Batch) -> None:
        if batch.partition not in self._standing:
            await self.take_over(batch.partition)
        standing = self._standing[batch.partition]
        wanted = set(await requests_of(self.worker, batch, decode_combine, Combine.key))
        if await self._settle_all(standing, sorted(wanted, key=Combine.key), batch.alive):
            await note_ends(standing, self.worker.log, self.worker.clock.now_ms())
        worker = self.worker
        await offset_done(worker.store, worker.generation, batch.topic, batch.partition, batch.last_offset + 1)

    async def _settle_all(
        self, standing: Standing, wanted: Sequence[Combine], alive: Callable[[], None] = lambda: None
    ) -> int:
        """The number of records published. Hundreds share a transaction: a case has thousands of contacts, and one
        transaction each would keep their follow-ups, and everybody behind them, waiting for minutes."""
        published = 0
        for at in range(0, len(wanted), TOGETHER):
            published += await self._settle(standing, wanted[at : at + TOGETHER])
            alive()
        return published

    async def _settle(self, standing: Standing, wanted: Sequence[Combine]) -> int:
        changes = await self._followups([request.person for request in wanted if request.person is not None])
        for request in wanted:
            if request.venue_id is not None:
                changes[request.venue_id] = await self._clusters(request.venue_id)
        # After the rows were read: where a rebuild, or somebody, cleared them under us, nothing ends by it.
        await still_ours(self.worker.store, self.worker.generation)
        heads = await standing.heads_of(list(changes))
        bodies = await standing.bodies_of({of: sorted(heads[of].keys() - mine.keys()) for of, mine in changes.items()})
        now, _ = await self.worker.now()
        issued = format_time(self.worker.clock.now_ms() // 1000)
        ready = []
        for of, mine in changes.items():
            for entry, body in bodies[of].items():
                had = KINDS[entry[:1]].decode(body)
                # A follow-up ends with its last exposure, however that went; a cluster by its age, which withdraws
                # nothing.
                gone = entry[:1] == FOLLOWUP or self._is_old(had, now)
                mine[entry] = Change(None, None if gone else _withdrawal(had), gone=gone)
            ready.append((prepare(of, heads[of], mine, standing.partition, issued), ()))
        for request in wanted:
            if request.venue_id is not None:
                of = request.venue_id
                live = [self._ends_at(c.content) for c in changes[of].values() if isinstance(c.content, Cluster)]
                await standing.ages_at(of, min((at for at in live if at is not None), default=None))
        return await carry_out_all(standing, self.worker.log, ready)

    def _is_old(self, cluster: Cluster, now: int) -> bool:
        at = self._ends_at(cluster)
        return at is not None and at <= now

    def _ends_at(self, cluster: Cluster) -> int | None:
        """The second at which a cluster ends by its own age, as an exposure does; None = never."""
        if cluster.to is None:
            return None
        policy = self.worker.policies.by_id(cluster.policy) if cluster.policy is not None else None
        days = self.worker.kept_days() if policy is None else self.worker.retention(policy)
        return ends_at(parse_time(cluster.to) // 1000, days)

    async def _followups(self, persons: Sequence[str]) -> dict[str, dict[bytes, Change]]:
        """Person → the change of their follow-up; none where nothing stands of them."""
        changes: dict[str, dict[bytes, Change]] = {}
        all_rows = await rows_of_persons(self.worker, [pseudonym_digest(person) for person in persons])
        for person, rows in zip(persons, all_rows, strict=True):
            standing: list[Exposure] = [KINDS[EXPOSURE].decode(row.body) for row in rows]
            changes[person] = {FOLLOWUP: Change(followup(person, standing))} if standing else {}
        return changes

    async def _clusters(self, venue_id: str) -> dict[bytes, Change]:
        await self.worker.refresh()
        said: list[Presence] = [KINDS[PRESENCE].decode(r.body) for r in await rows_of_venue(self.worker, venue_id)]
        if not said:
            return {}
        now, _ = await self.worker.now()
        policy = self._policy({presence.policy for presence in said})
        members = [
            clusters.Presence(start, end, presence.case_id, presence.turn)
            for presence in said
            for _, start, end in presence.pieces
        ]
        changes = {}
        for found in clusters.clusters(members, policy.cluster_cases, policy.cluster_days):
            begin = format_time(found.start)
            cluster = Cluster(
                cluster_id=cluster_id(venue_id, begin),
                revision=0,
                status="raised",
                venue_id=venue_id,
                from_=begin,
                to=format_time(found.end),
                cases=tuple(found.cases),
                source_like=found.source_like,
                spread_like=found.spread_like,
                policy=policy.id,
                issued_at="",
            )
            old = self._is_old(cluster, now)
            entry = CLUSTER + bytes.fromhex(cluster.cluster_id)
            changes[entry] = Change(None, gone=True) if old else Change(cluster)
        return changes

    def _policy(self, ids: set[str]) -> Policy:
        """Several cases, several policies: the newest of theirs decides about the cluster."""
        return max((p for p in self.worker.policies if p.id in ids), key=lambda p: (p.first_day, p.id))


def followup(person: str, exposures: Iterable[Exposure]) -> Followup:
    """The strongest band, the latest dates: who keeps these keeps all."""
    mine = sorted(exposures, key=lambda e: e.exposure_id)
    advised = [e.advice for e in mine if isinstance(e.advice, Advice)]
    return Followup(
        person=person,
        revision=0,
        exposures=tuple(e.exposure_id for e in mine),
        band=next((band for band in BANDS if any(e.band == band for e in mine)), None),
        follow_up_until=max(a.follow_up_until for a in advised),
        test_on=max(a.test_on for a in advised),
        issued_at="",
    )


def _withdrawal(had: Cluster) -> Cluster:
    return Cluster(
        cluster_id=had.cluster_id,
        revision=0,
        status="withdrawn",
        venue_id=had.venue_id,
        from_=had.from_,
        issued_at="",
    )
