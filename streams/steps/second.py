"""Reading for rule 6: where the F1s of a case were, and who was there.

The same order as for the case itself (evaluate.py): F1s are marked before their scans are read, their places are put
into the case's spans before the anchors are read, and who was there is marked before their scans are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from streams.rules import f2
from streams.rules.codes import venue_token
from streams.rules.f2 import Carriers, Crowd, Meetings
from streams.rules.piece_table import PieceTable
from streams.rules.policy import Policy
from streams.state.layout import I64, U64, WATCH, token_bytes
from streams.state.spans import Span
from streams.steps import contacts
from streams.steps.contacts import LONGEST, PersonDays, Scene, local_day
from streams.steps.reading import CaseChanged, Found, Looked, Reading


@dataclass(frozen=True, slots=True)
class Second:
    """What rule 6 finds. Person and venue numbers are those of `scene`, which holds everybody who matters.

    `f1`: who is F1 and can carry; `k`: their infectious pieces by place in `f1.person`; `persons`: pseudonyms (16
    bytes) of the F1s and F2s by person number, b"" for everybody else; `order`: rank of each venue's id.
    """

    scene: Scene
    f1: Carriers
    k: PieceTable
    crowds: list[Crowd]
    met: Meetings
    persons: list[bytes]
    names: dict[bytes, str]
    order: I64


class _F1s(NamedTuple):
    """Tokens by which the F1s go, rising, and from when each can carry (seconds)."""

    token: U64
    begin: I64


class SecondReading(Reading):
    """Reads, marks and watches for F2."""

    async def _second(self, looked: Looked, found: Found) -> Second:
        """Raises CaseChanged."""
        worker, policy, end = self.worker, looked.policy, looked.window[1]
        f1 = _f1s(found, policy)
        as_of = worker.venues.version
        mine, scene, visits = await self._where_f1s_were(looked, found, f1)
        spans = contacts.spans_around(scene, visits[0], visits[1], visits[2], policy)
        await self._watch(looked, found, scene, spans, as_of)
        venues, days = contacts.venue_days(spans)
        back = policy.staff_dwell + policy.conflict_seconds
        anchors = await self._anchors(venues, days)
        nobody = np.empty(0, np.uint64)
        near = contacts.candidates(anchors, venues, spans, scene, nobody, worker.people, policy, back)
        await self._mark(WATCH, looked.case.case_id, near)
        await self._same_persons(found.as_of, [found.own.persons, found.wanted.persons, mine.persons, near.persons])
        everybody = contacts.both(mine, near)
        records = await self._read(everybody.person, everybody.day)
        scene = contacts.scene(records, everybody.person, worker.venues, worker.people, policy)
        names = await self._venue_names(scene.venues)
        ids = np.array([names.get(bytes(token), "") for token in token_bytes(scene.venues)], dtype=object)
        order = np.argsort(np.argsort(ids)).astype(np.int64) if len(ids) else np.empty(0, np.int64)

        carriers = _carriers(f1, scene)
        k, crowds = f2.infectious(scene.pieces, carriers, end, policy)
        case = worker.people.person_of(found.own.persons)
        eligible = ~np.isin(scene.persons, np.concatenate([f1.token, case]))
        met = f2.meetings(k, scene.pieces, eligible, scene.figures, policy, order)
        named = np.zeros(len(scene.persons), bool)
        named[carriers.person] = named[met.person] = True
        return Second(scene, carriers, k, crowds, met, await self._pseudonyms(scene, named), names, order)

    async def _where_f1s_were(
        self, looked: Looked, found: Found, f1: _F1s
    ) -> tuple[PersonDays, Scene, tuple[I64, I64, I64]]:
        """Days read of the F1s, their scene, and (venue, start, end) of the visits from which they can carry.

        A visit counts whole (its crowd does), and touching pieces can make one that goes on for days: so many days are
        read that no visit found can be a part of a longer one.
        """
        worker, policy, end = self.worker, looked.policy, looked.window[1]
        back = 2 * LONGEST + policy.staff_dwell + policy.conflict_seconds
        live = f1.begin < end
        token, begin = f1.token[live], f1.begin[live]
        first, last = local_day(begin - back), np.full(len(begin), local_day(end + 2 * LONGEST))
        while True:
            days = contacts.person_days(token, first, last, worker.people)
            await self._mark(WATCH, looked.case.case_id, days)
            await self._same_persons(found.as_of, [found.own.persons, found.wanted.persons, days.persons])
            records = await self._read(days.person, days.day)
            scene = contacts.scene(records, days.person, worker.venues, worker.people, policy)
            carriers = _carriers(f1, scene)
            visits = f2.visits_of(scene.pieces)
            which, place = f2.carried(visits, carriers, end)
            at = np.searchsorted(token, scene.persons[carriers.person[place]])
            needed_first, needed_last = first.copy(), last.copy()
            np.minimum.at(needed_first, at, local_day(visits.start[which] - back))
            np.maximum.at(needed_last, at, local_day(visits.end[which] + 2 * LONGEST))
            if (needed_first == first).all() and (needed_last == last).all():
                return days, scene, (visits.venue[which], visits.start[which], visits.end[which])
            first, last = needed_first, needed_last

    async def _watch(self, looked: Looked, found: Found, scene: Scene, spans: list[Span], as_of: int) -> None:
        """Put the F1s' places beside the case's own; `scene` is by the table of venues as of that version."""
        worker = self.worker
        await self._put_spans(looked.case.case_id, found.row, looked.window, [*found.spans, *spans])
        await worker.venues.refresh(worker.store)
        changed = worker.venues.changed_since(as_of)
        if changed is None or any(int.from_bytes(venue_token(venue_id)) in scene.venues for venue_id in changed):
            raise CaseChanged  # whoever registered it may have looked before the row was there


def _f1s(found: Found, policy: Policy) -> _F1s:
    table = found.table
    number = np.flatnonzero(table.is_f1)
    return _F1s(found.others.persons[number], table.episodes.start[table.first[number]] + policy.latency_hours * 3600)


def _carriers(f1: _F1s, scene: Scene) -> Carriers:
    """The F1s who have a scan here."""
    _, at, person = np.intersect1d(f1.token, scene.persons, return_indices=True)
    return Carriers(person, f1.begin[at])
