"""One local day of the counters: a tally for each venue, and what areas and organisations make of them (rule 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from streams.ports import Store
from streams.rules.counters import NOT_SEEN, Seen, Tally, tallies, total
from streams.state.graph import read_venues
from streams.state.layout import U64, tokens_of
from streams.state.people import PeopleTable

MANY = 500  # venue days a call: a market's day is some 100 KB


class Counted(NamedTuple):
    """What lies at a venue on a day."""

    tally: Tally
    seen: Seen


@dataclass
class Book:
    """`tallies`: venue token → what was seen there; only of venues with a scan that counts.

    `near`: pieces of this day may cover now, so its scans are kept as well, and `moved` collects whose changed.
    """

    day: int
    near: bool = False
    tallies: dict[bytes, Tally] = field(default_factory=dict)
    moved: list[U64] = field(default_factory=list)
    _seen: dict[bytes, Seen] = field(default_factory=dict)
    _whole: Tally | None = None

    def take(self, found: Mapping[bytes, Counted]) -> set[bytes]:
        """New tallies of some venues; the venues whose tally is another one now."""
        changed = set()
        for token, (new, seen) in found.items():
            if not same(self.tallies.get(token, _NOTHING), new):
                changed.add(token)
            if new.scans:
                self.tallies[token] = new
            else:
                self.tallies.pop(token, None)
            if self.near:
                self.moved.append(self._seen.get(token, NOT_SEEN).moved(seen))
                self._seen[token] = seen
        if changed:
            self._whole = None
        return changed

    def grows_old(self) -> None:
        """No piece of this day can cover now any more."""
        self.near = False
        self.moved, self._seen = [], {}

    def of(self, tokens: Iterable[bytes]) -> Tally:
        """Several venues as one."""
        return total(self.tallies[token] for token in tokens if token in self.tallies)

    def whole(self) -> Tally:
        if self._whole is None:
            self._whole = total(self.tallies.values())
        return self._whole

    def entries(self) -> int:
        """How many numbers of persons it holds."""
        return sum(len(seen.persons) for seen in self.tallies.values())

    def with_persons(self, persons: U64) -> set[bytes]:
        """Venues where one of these persons (tokens) was."""
        return {token for token, seen in self.tallies.items() if np.isin(persons, seen.persons).any()}


_NOTHING = Tally()


def same(a: Tally, b: Tally) -> bool:
    figures = (a.scans, a.came, a.left, a.staff, a.last) == (b.scans, b.came, b.left, b.staff, b.last)
    return figures and np.array_equal(a.persons, b.persons) and np.array_equal(a.staff_persons, b.staff_persons)


async def read_tallies(store: Store, people: PeopleTable, day: int, tokens: list[bytes]) -> dict[bytes, Counted]:
    """What lies at these venues on that day, counted; in portions, so that the worker's batches go on between."""
    found: dict[bytes, Counted] = {}
    for at in range(0, len(tokens), MANY):
        part = tokens[at : at + MANY]
        records = await read_venues(store, tokens_of(b"".join(part)), np.full(len(part), day))
        rows = np.arange(len(records))
        if people.any_erased:
            rows = rows[records.second > people.erased_until(records.other)]
        code = records.other[rows]
        columns = (records.second[rows], records.out[rows], records.staff[rows], records.void[rows])
        made, seen = tallies(len(part), records.owner[rows], code, people.person_of(code), *columns)
        found.update(zip(part, map(Counted, made, seen), strict=True))
    return found
