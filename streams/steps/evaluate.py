"""Evaluation of a case: from facts to what must stand, in an order that no concurrent fact can slip through.

Write, then look, on both sides (architecture.md, section 2). Here: the case's own mark and spans are written before
the anchors are read, and contacts are marked before their scans, their links and whatever else hangs on them are read.
The ingest and the registries write before they look at spans and marks. Whatever the interleaving, one of the two sees
the other.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from streams.ports import StoreChanged
from streams.rules.codes import pseudonym_digest, venue_token
from streams.rules.forgetting import is_closed
from streams.rules.policy import Policy
from streams.rules.window import infectious_window
from streams.state import cases, graph
from streams.state.cases import CaseRow
from streams.state.graph import mark_calls, read_persons, read_venues
from streams.state.layout import OWN, U64, WATCH, Records, token_bytes, tokens_of
from streams.state.spans import NO_WINDOW, Span, case_token, next_row, window_of
from streams.steps import contacts
from streams.steps.alerts import alerts
from streams.steps.contacts import PersonDays, Scene
from streams.steps.contents import contents
from streams.steps.facts import decision_of_case, known_of, tests_of
from streams.steps.kinds import Presence
from streams.steps.status import Situation, presence, status
from streams.steps.verdict import ERASED, Gate, Verdict
from streams.steps.worker import Worker


class CaseChanged(Exception):
    """Somebody changed what the evaluation rests on while it read: begin again with what is there now."""


class Evaluator:
    """Works out what must stand. Writes nothing but marks and spans."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._case_table = cases.CaseTable()

    async def evaluate(self, case_id: str, asked: set[bytes] | None) -> Verdict | None:
        """What must stand for all (None) or some persons (pseudonyms, 16 bytes). None: nobody reported such a case."""
        while True:
            try:
                return await self._evaluate(case_id, asked)
            except CaseChanged:
                continue

    async def _evaluate(self, case_id: str, asked: set[bytes] | None) -> Verdict | None:
        worker = self.worker
        row = await self._case_table.read(worker.store, case_id)
        if not row:
            return None
        case = cases.decode_row(row)
        await worker.refresh()
        policy = worker.policies.of_time(case.reported_at)
        gate = Gate(policy.approval_above, await decision_of_case(worker.store, case_id))
        window = infectious_window(case.sampled_at, case.onset_at, case.isolated_at, case.negative_at, policy)
        if asked is not None:
            asked = {member for person in asked for member in worker.people.ever(person)}
        now, through = await worker.now()
        if is_closed(window[0], now, worker.retention(policy)):
            closed = status(case, policy, window, Situation("closed"), through)
            return Verdict(case_id, set(), {}, policy.id, "", gate, closed)
        if case.status != "confirmed" or window[1] <= window[0]:
            withdrawn = case.status != "confirmed"
            if asked is None:
                await self._put_spans(case_id, await worker.spans.read(worker.store, case_id), NO_WINDOW, [])
            nothing = Situation("withdrawn" if withdrawn else "open")
            return Verdict(
                case_id,
                asked,
                {},
                policy.id,
                "case_withdrawn" if withdrawn else "dates_corrected",
                gate,
                status(case, policy, window, nothing, through),
                alerts={},
                presence=Presence(case_id, 0, policy.id, []),
            )
        return await self._confirmed(case, asked, policy, gate, window, through)

    async def _confirmed(
        self, case: CaseRow, asked: set[bytes] | None, policy: Policy, gate: Gate, window: tuple[int, int], through: int
    ) -> Verdict:
        worker, case_id = self.worker, case.case_id
        person = pseudonym_digest(case.person)
        before = row_before = await worker.spans.read(worker.store, case_id) if asked is None else b""
        days = contacts.case_days(case.onset_at if case.onset_at is not None else case.sampled_at, window, policy)
        own = contacts.one_person(person[:8], days, worker.people)
        if asked is None:
            await self._mark(OWN, case_id, own)
        await self._same_persons([own.persons])
        records = await self._read(own.person, own.day)
        while True:
            scene = contacts.scene(records, own.person, worker.venues, worker.people, policy)
            spans = contacts.case_spans(scene, window, policy)
            if asked is not None:
                break
            row_before = await self._put_spans(case_id, row_before, window, spans)
            # The row names the venues: one that is registered from here on sends us a request. One that was registered
            # meanwhile may have looked before the row was there, so the figures are read again after it.
            changed = await worker.venues.refresh(worker.store)
            if not any(int.from_bytes(venue_token(venue_id)) in scene.venues for venue_id in changed):
                break

        back = policy.staff_dwell + policy.conflict_seconds
        if asked is None:
            venues, venue_days = contacts.venue_days(spans)
            anchors = await self._anchors(venues, venue_days)
            wanted = contacts.candidates(anchors, venues, spans, scene, own.persons, worker.people, policy, back)
        else:
            mine = {bytes(token) for token in token_bytes(own.persons)}
            named = sorted({person[:8] for person in asked} - mine)
            wanted = contacts.all_days(tokens_of(b"".join(named)), spans, worker.people, back)
        await self._mark(WATCH, case_id, wanted)
        await self._same_persons([own.persons, wanted.persons])
        records = await self._read(wanted.person, wanted.day)
        others = contacts.scene(records, wanted.person, worker.venues, worker.people, policy)
        names = await self._venue_names(np.union1d(scene.venues, others.venues))
        table, at = contacts.exposures_to(scene, others, window, policy, names)
        persons = await self._pseudonyms(others, table.is_f1)
        known = await known_of(worker, case_id, [p for p in persons if p])
        by_token = worker.venues.by_token
        places = [
            (names.get(token, ""), by_token[token].type if token in by_token else "other")
            for token in map(bytes, token_bytes(at))
        ]
        found = contents(case, table, policy, persons, places, known)
        situation = Situation("open", scene, await tests_of(worker, person))
        moved = before and window_of(before) not in (window, NO_WINDOW)
        reason = ERASED if worker.people.is_erased(person) else "dates_corrected" if moved else "scans_corrected"
        verdict = Verdict(
            case_id,
            asked,
            found,
            policy.id,
            reason,
            gate,
            status(case, policy, window, situation, through),
        )
        if asked is None:
            verdict.alerts = alerts(case_id, scene, others, table.is_f1, window, policy, names)
            verdict.presence = presence(case, scene, window, policy, names)
        return verdict

    # -- effects, each a method of its own so that the simulation can swap their order and must be caught doing it

    async def _mark(self, kind: bytes, case_id: str, who: PersonDays) -> None:
        if len(who.persons):
            calls = mark_calls(kind, case_token(case_id), who.persons, who.first_day, who.last_day)
            await self.worker.store.run(calls)

    async def _same_persons(self, marked: Iterable[U64]) -> None:
        """After marking: a link or an erasure that was written before the marks could be seen is read here, and one
        that is written from here on finds the marks. Raises CaseChanged when it concerns one of the marked."""
        changed = await self.worker.people.refresh(self.worker.store)
        if changed:
            concerned = self.worker.people.concerned(changed)
            if concerned and any(np.isin(tokens_of(b"".join(sorted(concerned))), m).any() for m in marked):
                raise CaseChanged

    async def _read(self, persons: U64, days: np.ndarray) -> Records:
        return await read_persons(self.worker.store, persons, days)

    async def _anchors(self, venues: U64, days: np.ndarray) -> Records:
        return await read_venues(self.worker.store, venues, days)

    async def _put_spans(self, case_id: str, before: bytes, window: tuple[int, int], spans: list[Span]) -> bytes:
        row = next_row(before, window, spans)
        if row != before and not await self.worker.spans.put(self.worker.store, case_id, before, row):
            raise CaseChanged
        return row

    # -- names

    async def _pseudonyms(self, others: Scene, is_f1: np.ndarray) -> list[bytes]:
        """By person index: the pseudonym by which each F1 goes, b"" for everybody else."""
        tokens = [bytes(t) for t in token_bytes(others.persons)]
        people = self.worker.people
        f1 = [token for token, yes in zip(tokens, is_f1, strict=True) if yes]
        rest = await graph.read_names(self.worker.store, graph.PERSONS, [t for t in f1 if people.full(t) is None])
        # Names are kept before facts (ingest): a contact without one means that Redis was emptied under us.
        if any(people.full(token) is None and token not in rest for token in f1):
            raise StoreChanged("a contact has no name: Redis was emptied")
        return [
            (people.full(token) or token + rest[token]) if yes else b""
            for token, yes in zip(tokens, is_f1, strict=True)
        ]

    async def _venue_names(self, venues: U64) -> dict[bytes, str]:
        known = self.worker.venue_names
        tokens = [bytes(token) for token in token_bytes(venues)]
        missing = [token for token in tokens if token not in known]
        if missing:
            found = await graph.read_names(self.worker.store, graph.VENUES, missing)
            known.update((token, name.decode()) for token, name in found.items())
        return {token: known[token] for token in tokens if token in known}
