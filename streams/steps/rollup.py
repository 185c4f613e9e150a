"""The counters (rule 11) worked out anew from what changed, and written over what stood: nothing is added up.

One worker does it for all (counting.py), a round at a time. It keeps a book a day in memory; a new owner reads the days
again. A venue day stays marked until its figures are written, so that a death in between counts it once more, which
changes nothing. Work that may take long is done in portions: the batches of the worker, and its other ticks, go on.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from streams.ports import Call
from streams.rules.days import local_day
from streams.rules.forgetting import first_kept_day
from streams.state import dirty, graph, public
from streams.state.layout import tokens_of
from streams.state.shards import read_days
from streams.steps.book import Book, Tokens
from streams.steps.figures import area_calls, cases_calls, day_calls, organisation_calls, venue_calls
from streams.steps.inside import Inside
from streams.steps.publicgateways import PublicGateways
from streams.steps.publicmeta import Meta
from streams.steps.publictracing import Tracing
from streams.steps.registers import Registers
from streams.steps.silent import Silent
from streams.steps.tidy import tidy
from streams.steps.worker import Worker

HOUR_MS = 3_600_000
SLOW_MS = 10_000  # areas, organisations and ranks: within 15 s (messages.md)
PORTION_MS = 500  # what a round spends at most on what is not urgent, before it goes on in the next one
PERSONS_KEPT = 30_000_000  # entries of persons in all books (240 MB); the oldest day goes first


class Rollup:
    """`tick()` each second. Days with a scan, a case or the present are written; the others are absent, which is 0."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._registers = Registers(worker)
        self._books: dict[int, Book] = {}
        self._unread: set[int] | None = None  # None: nobody looked yet which days there are
        self._put_away: dict[int, Tokens] = {}  # read and written, and not in memory any more; where scans were
        self._reported: dict[int, int] = {}  # day → cases, as they were written or are to be
        self._first = self._near = 0  # days before it are forgotten; decide nothing of who is inside now
        self._day_stale: set[int] = set()
        self._slow_stale: set[int] = set()
        self._venues_stale: set[int] = set()
        self._counted: dict[int, set[str]] = {}  # day → venues with other figures than those that stand
        self._untidy = True  # a former owner may have left keys of what is no more
        self._slow_at = 0
        self._today = 0
        self._inside = Inside(worker)
        self._inside_shown: dict[str, int] = {}
        self._expires: dict[tuple[int, str], int] = {}  # the hour in which it was said last, of days near now
        self._silent = Silent(worker, self._registers)
        self._gateways = PublicGateways(worker)
        self._meta, self._tracing = Meta(worker), Tracing(worker)

    async def tick(self) -> bool:
        """One round; whether everything that was there when it began is written."""
        store = self.worker.store
        number = await dirty.begin_round(store)
        await self._meta.begin()
        until = self.worker.clock.now_ms() + PORTION_MS
        await self._forget()
        await self._take_registries()
        marked = await self._count_marked()
        while self._unread:
            await self._read(max(self._unread))
            if self.worker.clock.now_ms() > until:
                break
        await self._write_urgent(until)
        await dirty.done(store, marked)
        await self._write_slow(until, quiet=not marked)
        self._put_oldest_away()
        settled = self._settled()
        if settled and self._untidy:
            inside = {(venue_id, self._inside.day): count for venue_id, count in self._inside_shown.items()}
            seen: dict[int, Container[bytes]] = {**self._put_away}
            seen.update((day, book.tallies) for day, book in self._books.items())
            await tidy(store, self._registers, seen, elsewhere=lambda day: day < self._first, inside=inside)
            self._untidy = False
        await self._tracing.tick()
        await self._meta.tick(settled=settled)
        if settled:
            await dirty.end_round(store, number)
        return settled

    def _settled(self) -> bool:
        left = self._unread or self._day_stale or self._slow_stale or self._venues_stale
        return not left and self._inside.settled

    # -- which days there are

    async def _forget(self) -> None:
        """What the sweeper took away is not counted to 0: the figures stay as they are until they expire."""
        worker = self.worker
        near = await self._inside.first_day()
        now, newest = await worker.now()
        self._first = first_kept_day(now, worker.kept_days()) or 0
        of_days: tuple[dict[int, Any], ...] = (self._books, self._put_away)
        for known in of_days:
            for day in [day for day in known if day < self._first]:
                del known[day]
        for stale in (self._day_stale, self._slow_stale, self._venues_stale):
            stale -= {day for day in stale if day < self._first}
        if self._unread is None:
            self._unread = set(await read_days(worker.store))
        self._unread = {day for day in self._unread if day >= self._first}
        for book in self._books.values():
            if book.near and book.day < near:
                book.grows_old()
                self._expires = {place: hour for place, hour in self._expires.items() if place[0] != book.day}
        self._near = near
        today = local_day(newest)
        if newest and today >= self._first and today != self._today:
            # A day on which nobody was scanned yet has its areas and venues all the same.
            self._today = today
            self._unread |= {today} - self._books.keys()

    # -- what changed

    async def _take_registries(self) -> None:
        changed = await self._registers.refresh()
        assert self._unread is not None
        if changed.persons or changed.places or changed.organisations or changed.coverage:
            self._unread |= self._put_away.keys()
            self._put_away = {}
        if changed.persons:
            # One person now who were two, or scans that no longer count: days on which they were are counted again.
            persons = tokens_of(b"".join(sorted(changed.persons)))
            for book in list(self._books.values()):
                await self._count(book, book.with_persons(persons), anew=True)
        if changed.rooms:
            self._venues_stale |= self._books.keys()
        if changed.places:
            self._silent.stale = True
        if changed.places or changed.organisations or changed.coverage:
            self._slow_stale |= self._books.keys()
            self._untidy = True
        if changed.places:
            self._day_stale |= self._books.keys()
        if changed.cases:
            await self._take_cases()

    async def _take_cases(self) -> None:
        """Days of which another number of cases is reported now. One that is put away is not read for it: with weeks of
        a country put away, each case had 20 million scans counted again."""
        assert self._unread is not None
        before, self._reported = self._reported, self._registers.reported
        days = {day for day in before.keys() | self._reported.keys() if before.get(day) != self._reported.get(day)}
        self._day_stale |= days & self._books.keys()
        self._unread |= {day for day in days if day >= self._first} - self._books.keys() - self._put_away.keys()
        for day in sorted(days & self._put_away.keys()):
            await public.write(self.worker.store, cases_calls(day, self._registers))

    async def _count_marked(self) -> dict[int, list[bytes]]:
        """Count the venue days that were marked; which those were."""
        assert self._unread is not None
        marked = await dirty.take(self.worker.store)
        for day in sorted(marked, reverse=True):
            if day in self._books:
                await self._count(self._books[day], marked[day])
            elif day >= self._first:
                self._put_away.pop(day, None)
                await self._read(day)
        return marked

    async def _count(self, book: Book, tokens: Iterable[bytes], *, anew: bool = False) -> None:
        """Count some venues of a day."""
        changed = await book.count(self.worker.store, self._registers.people, tokens, anew=anew)
        if changed:
            self._counted.setdefault(book.day, set()).update(await self._shown_for(changed))
            for token in changed:
                self._silent.saw(token, book.day, book.tallies[token].last if token in book.tallies else 0)
            self._day_stale.add(book.day)
            self._slow_stale.add(book.day)

    async def _read(self, day: int) -> None:
        """A whole day, for the first time."""
        assert self._unread is not None
        self._unread.discard(day)
        book = self._books[day] = Book(day, near=day >= self._near)
        await self._count(book, await dirty.venues_of(self.worker.store, day))
        self._day_stale.add(day)
        self._slow_stale.add(day)

    # -- what is written

    async def _write_urgent(self, until: int) -> None:
        """Venues and days, and who is inside: a venue where both changed is written once."""
        await self._look_inside(until)
        for day in sorted(self._counted, reverse=True):
            if day in self._books:
                await self._write_venues(self._books[day], self._counted[day])
        self._counted = {}
        while self._venues_stale:
            book = self._books[max(self._venues_stale)]
            self._venues_stale.discard(book.day)
            await self._write_venues(book, await self._shown_for(book.tallies.keys()))
            if self.worker.clock.now_ms() > until:
                break
        calls = [call for day in sorted(self._day_stale) for call in day_calls(self._books[day], self._registers)]
        await public.write(self.worker.store, calls)
        self._day_stale.clear()

    async def _shown_for(self, tokens: Iterable[bytes]) -> set[str]:
        """The venues (ids) whose figures these venues are part of."""
        names = await self._names(tokens)
        return {shown for name in names.values() for shown in self._registers.with_parents(name)}

    async def _write_venues(self, book: Book, venues: Iterable[str]) -> None:
        await public.write(self.worker.store, self._venue_calls(book, sorted(venues)))

    def _venue_calls(self, book: Book, venues: Iterable[str]) -> Iterator[Call]:
        """One venue after the other, when its turn to be written comes: to make those of 20,000 venues first kept cases
        waiting for half a second, and of 140,000 for many."""
        inside = self._inside_shown if book.day == self._inside.day else {}
        hour = self.worker.clock.now_ms() // HOUR_MS
        for venue_id in venues:
            count, place = inside.get(venue_id, 0), (book.day, venue_id)
            # To say each second that a busy venue's key is kept for 25 days would be half of the work.
            kept = None if self._expires.get(place) == hour else public.KEPT
            calls = venue_calls(book, self._registers, venue_id, count, kept)
            yield from calls
            if calls[-1].name == "DEL":
                self._expires.pop(place, None)
            elif book.near:
                self._expires[place] = hour

    async def _look_inside(self, until: int) -> None:
        """Venues where another number of persons is inside than before; on a new day, all of yesterday's as well."""
        before_day = self._inside.day
        touched = await self._inside.tick(self._books.values(), lambda: self.worker.clock.now_ms() <= until)
        shown = await self._shown_for(touched)
        if self._inside.day != before_day:
            emptied, self._inside_shown = set(self._inside_shown), {}
            self._counted.setdefault(before_day, set()).update(emptied)
            shown |= await self._shown_for(self._inside.venues())
        if self._venues_stale:  # what belongs to what may be another: whose figures who is inside belongs to, too
            shown |= self._inside_shown.keys() | await self._shown_for(self._inside.venues())
        counts = self._inside.counts({venue_id: self._registers.under(venue_id) for venue_id in shown})
        news = {venue_id for venue_id, count in counts.items() if self._inside_shown.get(venue_id, 0) != count}
        self._inside_shown |= counts
        self._inside_shown = {venue_id: count for venue_id, count in self._inside_shown.items() if count}
        self._counted.setdefault(self._inside.day, set()).update(news)

    async def _names(self, tokens: Iterable[bytes]) -> dict[bytes, str]:
        known, tokens = self.worker.venue_names, list(tokens)
        missing = [token for token in tokens if token not in known]
        if missing:
            found = await graph.read_names(self.worker.store, graph.VENUES, missing)
            known.update((token, name.decode()) for token, name in found.items())
        return {token: known[token] for token in tokens if token in known}

    async def _write_slow(self, until: int, *, quiet: bool) -> None:
        """Areas, organisations, ranks, silent venues, gateways: each `SLOW_MS` while scans come in, at once when no
        more did. What was due and found no time is due in the next round."""
        now_ms = self.worker.clock.now_ms()
        if now_ms < self._slow_at + SLOW_MS and not quiet:
            return
        await self._gateways.tick()
        await self._silent.write()
        while self._slow_stale:
            book = self._books[max(self._slow_stale)]
            await public.write(self.worker.store, await area_calls(book, self._registers))
            await public.write(self.worker.store, await organisation_calls(book, self._registers))
            self._slow_stale.discard(book.day)
            if self.worker.clock.now_ms() > until:
                break
        if not self._slow_stale:
            self._slow_at = now_ms

    def _put_oldest_away(self) -> None:
        """Books of which everything is written, when they are too many to keep."""
        held = sum(book.entries() for book in self._books.values())
        for day in sorted(self._books):
            if held <= PERSONS_KEPT:
                return
            book = self._books[day]
            if not book.near and not {day} & (self._day_stale | self._slow_stale | self._venues_stale):
                held -= book.entries()
                self._put_away[day] = Tokens(book.tallies)
                del self._books[day]
