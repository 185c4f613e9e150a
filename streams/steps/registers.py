"""The registries as counters need them: what belongs to what (rule 11), kept up to date."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from streams.rules.codes import venue_token
from streams.rules.counters import ancestors
from streams.rules.days import local_day
from streams.state.cases import CaseTable
from streams.state.people import PeopleTable
from streams.state.places import CoverageTable, OrganisationTable, Place, PlaceTable
from streams.state.table import Table
from streams.steps.worker import Worker

LEVELS = ("province", "district", "commune")


class Changed(NamedTuple):
    """`rooms`: which venue is within which, the only thing of a registry that a venue's own figures hang on. `persons`:
    tokens of everybody who is another person now, or of whom scans were erased."""

    places: bool
    rooms: bool
    organisations: bool
    coverage: bool
    cases: bool
    persons: set[bytes]


class Registers:
    """Copies of its own. The worker's learn of a change elsewhere too, and here it has to be acted upon."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.places, self.organisations = PlaceTable(), OrganisationTable()
        self.coverage, self.cases, self.people = CoverageTable(), CaseTable(), PeopleTable()
        self.open_venues = 0
        self.reported: dict[int, int] = {}
        """Local day → how many cases were reported on it and stand; 0 where all of them were taken back."""
        self.of_area: dict[tuple[str, str], list[Place]] = {}
        self.of_organisation: dict[str, list[Place]] = {}
        self._parents: dict[str, str | None] = {}
        self._children: dict[str, list[str]] = {}

    async def refresh(self) -> Changed:
        tables: tuple[Table[Any], ...] = (self.places, self.organisations, self.coverage, self.cases)
        replies = await self._worker.store.run([*(table.since() for table in tables), self.people.since()])
        changed = [bool(table.take(reply)) for table, reply in zip(tables, replies[:-1], strict=True)]
        rooms = self._children
        if changed[0]:
            self._index_places()
        if changed[0] or changed[1]:
            self._index_organisations()
        if changed[3]:
            self._count_cases()
        persons = self.people.take(replies[-1])
        places, organisations, coverage, cases = changed
        return Changed(places, rooms != self._children, organisations, coverage, cases, self.people.concerned(persons))

    def _index_places(self) -> None:
        rows = self.places.rows
        self.open_venues = sum(place.open for place in rows.values())
        self._parents = {venue_id: place.parent for venue_id, place in rows.items()}
        self._children, self.of_area = {}, {}
        for place in rows.values():
            if place.parent is not None:
                self._children.setdefault(place.parent, []).append(place.venue_id)
            for named in place.areas:
                self.of_area.setdefault(named, []).append(place)

    def _count_cases(self) -> None:
        self.reported = {}
        for case in self.cases.rows.values():
            day = local_day(case.reported_at)
            self.reported[day] = self.reported.get(day, 0) + (case.status == "confirmed")

    def _index_organisations(self) -> None:
        """Those without a venue are there, too."""
        parents = {name: found.parent for name, found in self.organisations.rows.items()}
        self.of_organisation = {name: [] for name in parents}
        for place in self.places.rows.values():
            for name in ancestors(place.organisation, parents):
                self.of_organisation.setdefault(name, []).append(place)

    # -- venues

    def with_parents(self, venue_id: str) -> list[str]:
        """The venue and whatever it is a room of."""
        return ancestors(venue_id, self._parents)

    def under(self, venue_id: str) -> list[bytes]:
        """Tokens of a venue and of everything within it."""
        if venue_id not in self._children:
            return [venue_token(venue_id)]
        found, ahead = {venue_id: None}, [venue_id]
        while ahead:
            for child in self._children.get(ahead.pop(), ()):
                if child not in found:
                    found[child] = None
                    ahead.append(child)
        return [venue_token(name) for name in found]

    # -- areas

    def areas_on(self, day: date) -> set[tuple[str, str]]:
        """(level, area) of each that is to be shown on a day: those in which venues are, and those that coverage knows
        and that are valid then. An area that was abolished, or is not there yet, is no area without a scan: the venues
        of an abolished one count where they are registered, which is its successor once the desk has moved them."""
        valid = {
            (area.level, area.area)
            for area in self.coverage.rows.values()
            if (area.valid_from or day) <= day <= (area.valid_to or day)
        }
        return valid | self.of_area.keys()

    def in_area(self, code: str) -> list[Place]:
        """The venues of an area, whatever its level: the key of an area has none."""
        found = {p.venue_id: p for level in LEVELS for p in self.of_area.get((level, code), ())}
        return list(found.values())
