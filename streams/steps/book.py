"""One local day of the counters: a tally for each venue, and what areas and organisations make of them (rule 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from streams.ports import Store
from streams.rules.counters import Tally, tally, total
from streams.state.graph import read_venues
from streams.state.layout import U64, tokens_of
from streams.state.people import PeopleTable

MANY = 500  # venue days a call: a market's day is some 100 KB


@dataclass
class Book:
    """`tallies`: venue token → what was seen there; only of venues with a scan that counts."""

    day: int
    tallies: dict[bytes, Tally] = field(default_factory=dict)

    def take(self, found: Mapping[bytes, Tally]) -> set[bytes]:
        """New tallies of some venues; the venues whose tally is another one now."""
        changed = set()
        for token, new in found.items():
            if not same(self.tallies.get(token, _NOTHING), new):
                changed.add(token)
            if new.scans:
                self.tallies[token] = new
            else:
                self.tallies.pop(token, None)
        return changed

    def of(self, tokens: Iterable[bytes]) -> Tally:
        """Several venues as one."""
        return total(self.tallies[token] for token in tokens if token in self.tallies)

    def whole(self) -> Tally:
        return total(self.tallies.values())

    def with_persons(self, persons: U64) -> set[bytes]:
        """Venues where one of these persons (tokens) was."""
        return {token for token, seen in self.tallies.items() if np.isin(persons, seen.persons).any()}


_NOTHING = Tally()


def same(a: Tally, b: Tally) -> bool:
    figures = (a.scans, a.came, a.left, a.staff, a.last) == (b.scans, b.came, b.left, b.staff, b.last)
    return figures and np.array_equal(a.persons, b.persons) and np.array_equal(a.staff_persons, b.staff_persons)


async def read_tallies(store: Store, people: PeopleTable, day: int, tokens: list[bytes]) -> dict[bytes, Tally]:
    """What lies at these venues on that day, counted."""
    found: dict[bytes, Tally] = {}
    for at in range(0, len(tokens), MANY):
        part = tokens[at : at + MANY]
        records = await read_venues(store, tokens_of(b"".join(part)), np.full(len(part), day))
        order = np.argsort(records.owner, kind="stable")
        bounds = np.searchsorted(records.owner[order], np.arange(len(part) + 1)).tolist()
        for i, token in enumerate(part):
            found[token] = _tally(records, order[bounds[i] : bounds[i + 1]], people)
    return found


def _tally(records, rows, people: PeopleTable) -> Tally:  # type: ignore[no-untyped-def]
    if people.any_erased:
        rows = rows[records.second[rows] > people.erased_until(records.other[rows])]
    code = records.other[rows]
    return tally(
        code, people.person_of(code), records.second[rows], records.out[rows], records.staff[rows], records.void[rows]
    )
