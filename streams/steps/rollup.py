"""The counters (rule 11) worked out anew from what changed, and written over what stood: nothing is added up.

One worker does it for all (whoever has the first partition of `evaluate`), a tick at a time. It keeps a book a day in
memory; a new owner reads the days again. A venue day stays marked until its figures are written, so that a death in
between counts it once more, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streams.ports import Call
from streams.rules.codes import venue_token
from streams.rules.counters import Tally, ancestors
from streams.rules.days import date_of, local_day
from streams.rules.forgetting import first_kept_day
from streams.state import dirty, graph, public
from streams.state.cases import CaseTable
from streams.state.layout import tokens_of
from streams.state.people import PeopleTable
from streams.state.places import CoverageTable, OrganisationTable, Place, PlaceTable
from streams.state.shards import read_days
from streams.state.table import Table
from streams.steps.book import Book, read_tallies
from streams.steps.inside import Inside
from streams.steps.publicmeta import Meta
from streams.steps.publictracing import Tracing
from streams.steps.worker import Worker

SLOW_MS = 10_000  # areas, organisations and ranks: within 15 s (messages.md)
PERSONS_KEPT = 30_000_000  # entries of persons in all books (240 MB); the oldest day goes first


class Rollup:
    """`tick()` each second. All figures of a day that has a scan are written; the others are absent, which is 0."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._books: dict[int, Book] = {}
        self._first_day = 0
        self._unread: list[int] | None = None
        self._places, self._organisations = PlaceTable(), OrganisationTable()
        self._coverage, self._cases = CoverageTable(), CaseTable()
        # Not the worker's copy: that one learns of a change elsewhere too, and here it has to be acted upon.
        self._people = PeopleTable()
        self._children: dict[str, list[str]] = {}
        self._last: dict[bytes, dict[int, int]] = {}
        self._slow_days: set[int] = set()
        self._slow_at = 0
        self._silent_stale = True
        self._inside = Inside(worker)
        self._meta, self._tracing = Meta(worker), Tracing(worker)

    async def tick(self) -> None:
        await self._let_go()
        await self._registries()
        if self._unread is None:
            self._unread = sorted(await read_days(self.worker.store))
        if self._unread:
            await self._changed(self._unread.pop(), None)
        marked: dict[int, list[bytes]] = {}
        for day, token in await dirty.take(self.worker.store):
            marked.setdefault(day, []).append(token)
        for day, tokens in sorted(marked.items(), reverse=True):
            await self._changed(day, tokens)
            await dirty.done(self.worker.store, [(day, token) for token in tokens])
        await self._now_inside()
        await self._slow(quiet=not marked)
        await self._tracing.tick()
        await self._meta.tick(settled=not self._unread and not self._slow_days)

    async def _let_go(self) -> None:
        """Days whose scans are forgotten are not counted again: their figures stand until their keys end (rule 10)."""
        await self.worker.refresh()
        now, _ = await self.worker.now()
        self._first_day = first_kept_day(now, self.worker.kept_days()) or 0
        for day in [day for day in self._books if day < self._first_day]:
            del self._books[day]
        self._slow_days = {day for day in self._slow_days if day >= self._first_day}

    # -- registries

    async def _registries(self) -> None:
        """What belongs to what; a change of it makes every day's areas and organisations stale."""
        worker = self.worker
        tables: tuple[Table[Any], ...] = (self._places, self._organisations, self._coverage, self._cases)
        replies = await worker.store.run([*(table.since() for table in tables), self._people.since()])
        changed = [bool(table.take(reply)) for table, reply in zip(tables, replies[:-1], strict=True)]
        people = self._people.take(replies[-1])
        if changed[0]:
            self._children = {}
            for place in self._places.rows.values():
                if place.parent is not None:
                    self._children.setdefault(place.parent, []).append(place.venue_id)
            self._silent_stale = True
            for book in self._books.values():
                await self._write_venues(book, set(book.tallies))
        if any(changed):
            self._slow_days |= self._books.keys()
            for book in self._books.values():
                await self._write_day(book)
        if people:
            # One person now who were two, or scans that no longer count: days on which they were are counted again.
            persons = tokens_of(b"".join(sorted(self._people.concerned(people))))
            for book in list(self._books.values()):
                await self._changed(book.day, sorted(book.with_persons(persons)))

    # -- days and venues

    async def _book(self, day: int) -> Book:
        if day not in self._books:
            book = self._books[day] = Book(day)
            book.take(
                await read_tallies(self.worker.store, self._people, day, await graph.all_venues(self.worker.store))
            )
            self._forget_oldest(day)
        return self._books[day]

    def _forget_oldest(self, but: int) -> None:
        held = sum(len(seen.persons) for book in self._books.values() for seen in book.tallies.values())
        for day in sorted(self._books):
            if held <= PERSONS_KEPT:
                return
            if day != but:
                held -= sum(len(seen.persons) for seen in self._books.pop(day).tallies.values())

    async def _changed(self, day: int, tokens: list[bytes] | None) -> None:
        """Count these venues of a day anew (None: all of them, for the first time) and write what follows at once."""
        if day < self._first_day:
            return
        if day in self._books and tokens is not None:
            book = self._books[day]
            changed = book.take(await read_tallies(self.worker.store, self._people, day, tokens))
        else:
            book = await self._book(day)
            changed = set(book.tallies) | set(tokens or ())
        if not changed:
            return
        for token in changed:
            self._last.setdefault(token, {})[day] = book.tallies[token].last if token in book.tallies else 0
        self._silent_stale = True
        self._slow_days.add(day)
        await self._write_venues(book, changed)
        await self._write_day(book)

    async def _write_venues(self, book: Book, tokens: set[bytes]) -> None:
        names = await self._names(tokens)
        parents = {venue_id: place.parent for venue_id, place in self._places.rows.items()}
        written = {above for name in names.values() for above in ancestors(name, parents)}
        calls: list[Call] = []
        for venue_id in sorted(written):
            seen = book.of(self._under(venue_id))
            key = public.venue_key(venue_id, date_of(book.day).isoformat())
            if not seen.scans:
                calls.append(Call("DEL", (key,)))
                continue
            figures = {**_figures(seen), "persons": len(seen.persons), "staff": seen.staff, "last_scan": seen.last}
            calls += public.hash_calls(key, figures)
        await public.write(self.worker.store, calls)

    def _under(self, venue_id: str) -> list[bytes]:
        """Tokens of a venue and of everything within it."""
        found, ahead = [venue_id], [venue_id]
        while ahead:
            for child in self._children.get(ahead.pop(), ()):
                if child not in found:
                    found.append(child)
                    ahead.append(child)
        return [venue_token(name) for name in found]

    async def _names(self, tokens: Iterable[bytes]) -> dict[bytes, str]:
        known = self.worker.venue_names
        missing = [token for token in tokens if token not in known]
        if missing:
            found = await graph.read_names(self.worker.store, graph.VENUES, missing)
            known.update((token, name.decode()) for token, name in found.items())
        return {token: known[token] for token in tokens if token in known}

    async def _write_day(self, book: Book) -> None:
        seen = book.whole()
        places = self._places.by_token
        figures = {
            **_figures(seen),
            "staff": seen.staff,
            "persons": len(seen.persons),
            "venues_active": seen.venues,
            "venues_registered": sum(place.open for place in self._places.rows.values()),
            "unregistered": sum(token not in places for token in book.tallies),
            "cases_reported": sum(
                case.status == "confirmed" and local_day(case.reported_at) == book.day
                for case in self._cases.rows.values()
            ),
        }
        await public.write(self.worker.store, public.hash_calls(public.day_key(date_of(book.day).isoformat()), figures))

    async def _now_inside(self) -> None:
        """`inside_now` of the venues where it is another number than before (rule 11)."""
        calls = []
        day, changed = await self._inside.changed(self._books)
        names = await self._names(changed)
        for token, count in changed.items():
            key = public.venue_key(names.get(token, ""), date_of(day).isoformat())
            if token in names and (count or (day in self._books and token in self._books[day].tallies)):
                calls += public.hash_calls(key, {"inside_now": count})
        await public.write(self.worker.store, calls)

    # -- areas, organisations, ranks, silent venues

    async def _slow(self, *, quiet: bool) -> None:
        """Each `SLOW_MS` while scans come in, and at once when nothing more did."""
        now_ms = self.worker.clock.now_ms()
        if now_ms < self._slow_at + SLOW_MS and not quiet:
            return
        self._slow_at = now_ms
        for day in sorted(self._slow_days):
            if day in self._books:
                await self._write_areas(self._books[day])
                await self._write_organisations(self._books[day])
        self._slow_days.clear()
        if self._silent_stale:
            silent = {
                place.venue_id: max(self._last.get(token, {}).values(), default=0)
                for token, place in self._places.by_token.items()
            }
            await public.write(self.worker.store, [public.set_call(public.SILENT, silent, kept=0)])
            self._silent_stale = False

    async def _write_areas(self, book: Book) -> None:
        date = date_of(book.day)
        members: dict[tuple[str, str], list[Place]] = {}
        for place in self._places.rows.values():
            for named in place.areas:
                members.setdefault(named, []).append(place)
        for area in self._coverage.rows.values():
            # An area that was abolished, or is not there yet, on that day has no zero in its rank.
            if (area.valid_from or date) <= date <= (area.valid_to or date):
                members.setdefault((area.level, area.area), [])
        calls: list[Call] = []
        ranks: dict[str, dict[str, int]] = {}
        for (level, code), places in sorted(members.items()):
            seen = book.of(venue_token(place.venue_id) for place in places)
            known = self._coverage.rows.get(code)
            ranks.setdefault(level, {})[code] = seen.scans
            figures = {
                **_figures(seen),
                "persons_est": len(seen.persons),
                "venues_active": seen.venues,
                "venues_registered": sum(place.open for place in places),
                "population": (known.population if known else None) or 0,
                "subscribers": (known.subscribers if known else None) or 0,
                "installs": (known.installs if known else None) or 0,
            }
            calls += public.hash_calls(public.area_key(code, date.isoformat()), figures)
        calls += [public.set_call(public.rank_key(level, date.isoformat()), rank) for level, rank in ranks.items()]
        await public.write(self.worker.store, calls)

    async def _write_organisations(self, book: Book) -> None:
        rows = self._organisations.rows
        parents = {name: found.parent for name, found in rows.items()}
        members: dict[str, list[Place]] = {name: [] for name in rows}
        for place in self._places.rows.values():
            for name in ancestors(place.organisation, parents):
                members.setdefault(name, []).append(place)
        calls: list[Call] = []
        for name, places in sorted(members.items()):
            seen = book.of(venue_token(place.venue_id) for place in places)
            figures = {
                **_figures(seen),
                "staff_persons": len(seen.staff_persons),
                "headcount": (rows[name].headcount if name in rows else None) or 0,
                "venues": len(places),
                "venues_active": seen.venues,
            }
            calls += public.hash_calls(public.organisation_key(name, date_of(book.day).isoformat()), figures)
        await public.write(self.worker.store, calls)


def _figures(seen: Tally) -> dict[str, int]:
    return {"scans": seen.scans, "in": seen.came, "out": seen.left}
