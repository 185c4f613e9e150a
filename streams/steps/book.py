"""One local day of the counters: a tally for each venue, and what areas and organisations make of them (rule 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from streams.ports import Store
from streams.rules.counters import NOT_SEEN, Seen, Tally, more, stamps_of, tallies, total
from streams.rules.distinct import distinct, within
from streams.state.graph import read_venues_from
from streams.state.layout import I64, RECORD, U64, Records, tokens_of
from streams.state.people import PeopleTable

MANY = 100  # venue days a call: a market's day is some 100 KB
TAIL = 4 * RECORD


class Known(NamedTuple):
    """How much of what lies at a venue was counted: bytes, and the last of them. An erasure makes it shorter, and then
    other bytes are in their place."""

    length: int
    tail: bytes


@dataclass
class Book:
    """`tallies`: venue token → what was seen there; only of venues with a scan that counts.

    `near`: pieces of this day may cover now, so its scans are kept as well, and `moved` collects whose changed. Of such
    a day only what was added is read, since a market's day would be read each second otherwise.
    """

    day: int
    near: bool = False
    tallies: dict[bytes, Tally] = field(default_factory=dict)
    moved: list[U64] = field(default_factory=list)
    _seen: dict[bytes, Seen] = field(default_factory=dict)
    _known: dict[bytes, Known] = field(default_factory=dict)
    _erased: set[bytes] = field(default_factory=set)
    _whole: Tally | None = None

    async def count(self, store: Store, people: PeopleTable, tokens: Iterable[bytes], *, anew: bool) -> set[bytes]:
        """Count some venues; those whose tally is another one now. `anew`: what was counted may count no more, or for
        another person."""
        changed: set[bytes] = set()
        ordered = sorted(tokens)
        for at in range(0, len(ordered), MANY):
            part = ordered[at : at + MANY]
            known = {} if anew or not self.near else {t: self._known[t] for t in part if t in self._known}
            starts = [known[t].length - len(known[t].tail) if t in known else 0 for t in part]
            blobs = dict(zip(part, await read_venues_from(store, part, self.day, starts), strict=True))
            added = {t: blobs[t][len(k.tail) :] for t, k in known.items() if blobs[t].startswith(k.tail)}
            again = self._add(people, added, changed)
            for token, blob in blobs.items():
                if token in added and token not in again:
                    self._known[token] = Known(known[token].length + len(added[token]), blob[-TAIL:])
            whole = {t: blobs[t] for t in part if t not in known}
            rest = sorted(again | (known.keys() - added.keys()))
            whole |= dict(zip(rest, await read_venues_from(store, rest, self.day, [0] * len(rest)), strict=True))
            self._count_whole(people, whole, changed)
        if changed:
            self._whole = None
        return changed

    def _add(self, people: PeopleTable, added: Mapping[bytes, bytes], changed: set[bytes]) -> set[bytes]:
        """Scans that were added; the venues where that is not enough, since something was taken back there."""
        tokens = [token for token, blob in added.items() if blob]
        rows = _Rows([added[token] for token in tokens], self.day, people)
        self._erased |= {tokens[i] for i in rows.erased_at}
        voided = {tokens[i] for i in distinct(rows.place[rows.void]).tolist()}
        bounds = np.searchsorted(rows.place, np.arange(len(tokens) + 1)).tolist()
        stamps = stamps_of(rows.code, rows.second, rows.out, rows.staff)
        for token, (i, j) in zip(tokens, pairwise(bounds), strict=True):
            if token in voided or i == j:
                continue
            part = slice(i, j)
            columns = (stamps[part], rows.person[part], rows.second[part], rows.out[part], rows.staff[part])
            had = self.tallies.get(token, _NOTHING)
            new, seen = more(had, self._seen.get(token, NOT_SEEN), *columns)
            if new is not had:
                self.tallies[token], self._seen[token] = new, seen
                self.moved.append(rows.person[part])
                changed.add(token)
        return voided

    def _count_whole(self, people: PeopleTable, blobs: Mapping[bytes, bytes], changed: set[bytes]) -> None:
        tokens = list(blobs)
        rows = _Rows(list(blobs.values()), self.day, people)
        columns = (rows.place, rows.code, rows.person, rows.second, rows.out, rows.staff, rows.void)
        voided = set(distinct(rows.place[rows.void]).tolist())
        self._erased = (self._erased - blobs.keys()) | {tokens[i] for i in rows.erased_at}
        for i, (token, new, seen) in enumerate(zip(tokens, *tallies(len(tokens), *columns), strict=True)):
            if not same(self.tallies.get(token, _NOTHING), new):
                changed.add(token)
            if new.scans:
                self.tallies[token] = new
            else:
                self.tallies.pop(token, None)
            if self.near:
                self.moved.append(self._seen.get(token, NOT_SEEN).moved(seen))
                self._seen[token] = seen
                self._known.pop(token, None)
                # Where something was taken back, the scan that it takes back may come after it: always count all.
                if i not in voided:
                    self._known[token] = Known(len(blobs[token]), blobs[token][-TAIL:])

    def grows_old(self) -> None:
        """No piece of this day can cover now any more."""
        self.near = False
        self.moved, self._seen, self._known = [], {}, {}

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
        """Venues where one of these persons (tokens) was; and those where something lies that is erased, since a hold,
        or that two codes are no person's, may be told of later than the erasure."""
        tokens, seen = list(self.tallies), [tally.persons for tally in self.tallies.values()]
        if not tokens:
            return set(self._erased)
        # All at once: a question for each of 16,000 venues kept the whole worker waiting, for each link (fuzz).
        hit = within(np.concatenate(seen), distinct(persons))
        owner = np.repeat(np.arange(len(tokens)), [len(mine) for mine in seen])
        return self._erased | {tokens[i] for i in distinct(owner[hit]).tolist()}


class Tokens:
    """The venues of a book that was put away: eight bytes each."""

    def __init__(self, tokens: Iterable[bytes]) -> None:
        self._ordered = np.sort(tokens_of(b"".join(tokens)))

    def __contains__(self, token: object) -> bool:
        return isinstance(token, bytes) and bool(within(tokens_of(token), self._ordered)[0])


_NOTHING = Tally()


def same(a: Tally, b: Tally) -> bool:
    figures = (a.scans, a.came, a.left, a.staff, a.last) == (b.scans, b.came, b.left, b.staff, b.last)
    return figures and np.array_equal(a.persons, b.persons) and np.array_equal(a.staff_persons, b.staff_persons)


class _Rows:
    """Records of several venues as columns, `place` = which of them, ascending; without what is erased."""

    def __init__(self, blobs: list[bytes], day: int, people: PeopleTable) -> None:
        records = Records(blobs, np.full(len(blobs), day))
        rows: I64 | slice = slice(None)
        self.erased_at: set[int] = set()
        if people.any_erased:
            counts = records.second > people.erased_until(records.other)
            rows = np.flatnonzero(counts)
            self.erased_at = set(distinct(records.owner[~counts]).tolist())
        self.place, self.code, self.second = records.owner[rows], records.other[rows], records.second[rows]
        self.out, self.staff, self.void = records.out[rows], records.staff[rows], records.void[rows]
        self.person = people.person_of(self.code)
