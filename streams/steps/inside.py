"""`inside_now` (rule 11): persons whose piece, by today's policy, covers the newest record timestamp seen.

Kept in memory: the pieces near now of everybody who was scanned lately. Somebody's are worked out anew when a venue day
on which they were changed; time alone moves people out without any work.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from streams.rules.days import local_day
from streams.state.generation import read_newest
from streams.state.graph import read_persons
from streams.state.layout import I64, U64, token_bytes, tokens_of
from streams.steps import contacts
from streams.steps.book import Book
from streams.steps.worker import Worker

MANY = 20_000  # persons a call


class Inside:
    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._seen: dict[tuple[int, bytes], U64] = {}
        self._person = self._venue = np.empty(0, np.uint64)
        self._start = self._end = np.empty(0, np.int64)
        self._shown: dict[bytes, int] = {}
        self._day = 0

    async def changed(self, books: Mapping[int, Book]) -> tuple[int, dict[bytes, int]]:
        """The local day of now, and the venues (token) whose number of people inside is another than before."""
        now = await read_newest(self.worker.store)
        day = local_day(now)
        if day != self._day:
            self._shown, self._day = {}, day
        await self._renew(self._moved(books, day), now)
        alive = self._end > now
        if not alive.all():
            self._keep(alive)
        covers = self._start <= now
        pairs = np.unique(np.stack((self._venue[covers], self._person[covers])), axis=1)
        venues, counts = np.unique(pairs[0], return_counts=True)
        inside = dict(zip(map(bytes, token_bytes(venues)), counts.tolist(), strict=True))
        news = {token: n for token, n in inside.items() if self._shown.get(token) != n}
        news |= {token: 0 for token, n in self._shown.items() if n and token not in inside}
        self._shown = inside
        return day, news

    def _moved(self, books: Mapping[int, Book], day: int) -> U64:
        """Persons of venue days near now that are not the ones that were looked at last."""
        persons = []
        near = {(d, token): seen for d in (day - 1, day) if d in books for token, seen in books[d].tallies.items()}
        for key, tally in near.items():
            # A tally is made anew with its venue day: another object is another state of it.
            if self._seen.get(key) is not tally.persons:
                persons += [tally.persons, self._seen.get(key, tally.persons)]
        persons += [had for key, had in self._seen.items() if key not in near]
        self._seen = {key: tally.persons for key, tally in near.items()}
        return np.unique(np.concatenate(persons)) if persons else np.empty(0, np.uint64)

    async def _renew(self, persons: U64, now: int) -> None:
        if not len(persons):
            return
        self._keep(~np.isin(self._person, persons))
        worker = self.worker
        await worker.refresh()
        policy = worker.policies.of_time(now)
        first, last = contacts.covering_days(now, policy)
        days = np.arange(first, last + 1)
        for at in range(0, len(persons), MANY):
            part = tokens_of(b"".join(sorted(worker.people.members(map(bytes, token_bytes(persons[at : at + MANY]))))))
            owner, day = np.repeat(part, len(days)), np.tile(days, len(part))
            records = await read_persons(worker.store, owner, day)
            scene = contacts.scene(records, owner, worker.venues, worker.people, policy)
            pieces = scene.pieces
            near = (pieces.end > now) & (pieces.start <= now + policy.clock_tolerance)
            self._add(
                scene.persons[pieces.person[near]],
                scene.venues[pieces.venue[near]],
                pieces.start[near],
                pieces.end[near],
            )

    def _keep(self, rows: np.ndarray) -> None:
        self._person, self._venue = self._person[rows], self._venue[rows]
        self._start, self._end = self._start[rows], self._end[rows]

    def _add(self, person: U64, venue: U64, start: I64, end: I64) -> None:
        self._person = np.concatenate([self._person, person])
        self._venue = np.concatenate([self._venue, venue])
        self._start, self._end = np.concatenate([self._start, start]), np.concatenate([self._end, end])
