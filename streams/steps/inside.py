"""`inside_now` (rule 11): persons whose piece, by today's policy, covers the newest record timestamp seen.

Kept in memory: the pieces at or after now of everybody who was scanned lately. Somebody's are worked out anew when one
of their scans changed; a venue's figures, or the policy of a new day, change everybody's. Time alone moves people out,
and in where a scan is ahead, without any work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from streams.rules.days import local_day
from streams.rules.distinct import distinct, within
from streams.rules.policy import Policy
from streams.state.generation import read_newest
from streams.state.graph import read_persons
from streams.state.layout import I64, U64, Mask, token_bytes, tokens_of
from streams.steps import contacts
from streams.steps.book import Book
from streams.steps.worker import Worker

MANY = 1_000  # persons a call: what is worked out in one go keeps batches waiting
_NOBODY = np.empty(0, np.uint64)


class Inside:
    """`tick` says at which venues another number of people may be inside; then `counts` tells how many."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.now = 0
        self._person = self._venue = _NOBODY
        self._start = self._end = np.empty(0, np.int64)
        self._left = _NOBODY  # whose pieces are to be worked out still
        self._policy: Policy | None = None
        self._venues_version = 0

    @property
    def day(self) -> int:
        """The local day of now."""
        return local_day(self.now)

    @property
    def settled(self) -> bool:
        return not len(self._left)

    async def first_day(self) -> int:
        """The first local day whose scans decide who is inside now."""
        await self.worker.refresh()
        now = await read_newest(self.worker.store)
        return contacts.covering_days(now, self.worker.policies.of_time(now))[0]

    async def tick(self, books: Iterable[Book], more: Callable[[], bool]) -> set[bytes]:
        """Venues (tokens) to be counted anew. `more()` = whether there is time for another portion."""
        worker = self.worker
        await worker.refresh()
        before, self.now = self.now, await read_newest(worker.store)
        policy = worker.policies.of_time(self.now)
        near = [book for book in books if book.near]
        moved = [self._left]
        for book in near:
            moved += book.moved
            book.moved = []
        if policy is not self._policy or worker.venues.version != self._venues_version:
            self._policy, self._venues_version = policy, worker.venues.version
            moved += [seen.persons for book in near for seen in book.tallies.values()]
            moved.append(self._person)
        self._left = distinct(np.concatenate(moved))
        # Who came in or went out by time alone.
        turned = self._covers(before) != self._covers(self.now)
        touched = {bytes(token) for token in token_bytes(distinct(self._venue[turned]))}
        self._keep(self._end > self.now)
        while len(self._left):
            some, self._left = self._left[:MANY], self._left[MANY:]
            touched |= await self._renew(some, policy)
            if not more():
                break
        return touched

    def counts(self, venues: dict[str, list[bytes]]) -> dict[str, int]:
        """How many persons are inside venues: venue_id → tokens of it and of everything within it."""
        wanted = tokens_of(b"".join(token for tokens in venues.values() for token in tokens))
        rows = self._covers(self.now) & within(self._venue, np.sort(wanted))
        venue, person = self._venue[rows], self._person[rows]
        order = np.lexsort((person, venue))
        venue, person = venue[order], person[order]
        fresh = np.ones(len(venue), bool)
        fresh[1:] = (venue[1:] != venue[:-1]) | (person[1:] != person[:-1])
        names, first = np.unique(venue[fresh], return_index=True)
        found = dict(zip(map(bytes, token_bytes(names)), np.split(person[fresh], first[1:]), strict=False))
        inside: dict[str, int] = {}
        for venue_id, tokens in venues.items():
            parts = [found[token] for token in tokens if token in found]
            inside[venue_id] = len(parts[0] if len(parts) == 1 else distinct(np.concatenate(parts))) if parts else 0
        return inside

    def venues(self) -> set[bytes]:
        """Where somebody is inside (tokens)."""
        return {bytes(token) for token in token_bytes(distinct(self._venue[self._covers(self.now)]))}

    def _covers(self, second: int) -> Mask:
        return np.asarray((self._start <= second) & (second < self._end))

    async def _renew(self, persons: U64, policy: Policy) -> set[bytes]:
        """Work out the pieces of some persons (sorted); the venues of those they had and those they have."""
        worker = self.worker
        mine = within(self._person, persons)
        touched = [self._venue[mine]]
        self._keep(~mine)
        first, last = contacts.covering_days(self.now, policy)
        # No accepted scan is further ahead than the clock tolerance; those of batches in hand are newer than `now`.
        days = np.arange(first, min(last, self.day + 2) + 1)
        codes = tokens_of(b"".join(sorted(worker.people.members(map(bytes, token_bytes(persons))))))
        owner, day = np.repeat(codes, len(days)), np.tile(days, len(codes))
        records = await read_persons(worker.store, owner, day)
        if len(records):
            scene = contacts.scene(records, owner, worker.venues, worker.people, policy)
            pieces = scene.pieces
            ahead = pieces.end > self.now
            venue = scene.venues[pieces.venue[ahead]]
            self._add(scene.persons[pieces.person[ahead]], venue, pieces.start[ahead], pieces.end[ahead])
            touched.append(venue)
        return {bytes(token) for token in token_bytes(distinct(np.concatenate(touched)))}

    def _keep(self, rows: Mask) -> None:
        if not rows.all():
            self._person, self._venue = self._person[rows], self._venue[rows]
            self._start, self._end = self._start[rows], self._end[rows]

    def _add(self, person: U64, venue: U64, start: I64, end: I64) -> None:
        self._person = np.concatenate([self._person, person])
        self._venue = np.concatenate([self._venue, venue])
        self._start, self._end = np.concatenate([self._start, start]), np.concatenate([self._end, end])
