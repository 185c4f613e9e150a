"""Evaluation of a case: from facts to what must stand, in an order that no concurrent fact can slip through.

Write, then look, on both sides (architecture.md, section 2). Here: the case's own mark and spans are written before
the anchors are read, and contacts are marked before their scans, their links and whatever else hangs on them are read.
The ingest and the registries write before they look at spans and marks. Whatever the interleaving, one of the two sees
the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from schemas.case_status import CaseStatus
from streams.ports import StoreChanged
from streams.rules.codes import pseudonym_digest, venue_token
from streams.rules.exposure import ExposureTable
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


class Found(NamedTuple):
    """What was read for a case, and what rules 2 to 5 make of it.

    `table` counts venues as `at` (tokens), persons as `others.persons`; `persons` = by that number, the pseudonym by
    which each F1 goes, b"" for everybody else. `own`, `wanted` = the days read of the case's person and of the others.
    """

    own: PersonDays
    wanted: PersonDays
    scene: Scene
    others: Scene
    table: ExposureTable
    at: U64
    names: dict[bytes, str]
    persons: list[bytes]


class Looked(NamedTuple):
    """A case, the policy that decides about it, its window (rule 4), and what was found.

    `found` None: nothing can be (`closed`: too old; `withdrawn`; `open` with an empty window). `through` = the newest
    record timestamp taken in, seconds; `moved`: the window is another one than at the last evaluation.
    """

    case: CaseRow
    policy: Policy
    window: tuple[int, int]
    through: int
    state: Literal["open", "withdrawn", "closed"]
    found: Found | None = None
    moved: bool = False


class Evaluator:
    """Works out what must stand. Writes nothing but marks and spans, and exposures' ids for decisions about them.

    With `writes=False` it writes nothing at all: for questions on demand, whose answer is as of some moment, and which
    nobody tells when something changes. `policy`: judge by this one instead of the one in force (rule 9), to see what
    would follow; only sensible without writing.
    """

    def __init__(self, worker: Worker, *, writes: bool = True, policy: Policy | None = None) -> None:
        self.worker = worker
        self.writes = writes
        self._policy = policy
        self._case_table = cases.CaseTable()

    async def evaluate(self, case_id: str, asked: set[bytes] | None) -> Verdict | None:
        """What must stand for all (None) or some persons (pseudonyms, 16 bytes). None: nobody reported such a case."""
        while True:
            try:
                return await self._evaluate(case_id, asked)
            except CaseChanged:
                continue

    async def look(self, case_id: str) -> Looked | None:
        """What evaluating the whole case finds, before it becomes a verdict. None: nobody reported such a case."""
        while True:
            try:
                row = await self._case_row(case_id)
                return await self._look(row, None) if row is not None else None
            except CaseChanged:
                continue

    async def _case_row(self, case_id: str) -> CaseRow | None:
        row = await self._case_table.read(self.worker.store, case_id)
        if not row:
            return None
        await self.worker.refresh()
        return cases.decode_row(row)

    async def _evaluate(self, case_id: str, asked: set[bytes] | None) -> Verdict | None:
        worker = self.worker
        case = await self._case_row(case_id)
        if case is None:
            return None
        decision = await decision_of_case(worker.store, case_id)
        if asked is not None:
            asked = {member for person in asked for member in worker.people.ever(person)}
        looked = await self._look(case, asked)
        gate = Gate(looked.policy.approval_above, decision)
        if looked.state == "closed":
            closed = self._status(looked, Situation("closed"))
            verdict = Verdict(case_id, set() if asked is None else asked, {}, looked.policy.id, "", gate, closed)
        elif looked.found is None:
            verdict = Verdict(
                case_id,
                asked,
                {},
                looked.policy.id,
                "case_withdrawn" if looked.state == "withdrawn" else "dates_corrected",
                gate,
                self._status(looked, Situation(looked.state)),
                alerts={},
                presence=Presence(case_id, 0, looked.policy.id, []),
            )
        else:
            verdict = await self._verdict(looked, looked.found, asked, gate)
        verdict.case, verdict.window = case, looked.window
        return verdict

    async def _look(self, case: CaseRow, asked: set[bytes] | None) -> Looked:
        worker, case_id = self.worker, case.case_id
        policy = self._policy or worker.policies.of_time(case.reported_at)
        window = infectious_window(case.sampled_at, case.onset_at, case.isolated_at, case.negative_at, policy)
        now, through = await worker.now()
        before = await worker.spans.read(worker.store, case_id) if asked is None else b""
        state: Literal["open", "withdrawn", "closed"] = "open"
        if case.status != "confirmed":  # also of a closed case: this takes back what was reported, and needs no scan
            state = "withdrawn"
        elif is_closed(window[0], now, worker.retention(policy)):
            state = "closed"
        if state != "open" or window[1] <= window[0]:
            if asked is None:
                await self._put_spans(case_id, before, NO_WINDOW, [])
            return Looked(case, policy, window, through, state)
        found = await self._find(case, asked, policy, window, before)
        later, _ = await worker.now()
        if is_closed(window[0], later, worker.retention(policy)):
            # A stream that is replayed may be days further by now, and what was read half forgotten.
            raise CaseChanged
        moved = bool(before) and window_of(before) not in (window, NO_WINDOW)
        return Looked(case, policy, window, through, "open", found, moved)

    async def _find(
        self, case: CaseRow, asked: set[bytes] | None, policy: Policy, window: tuple[int, int], row_before: bytes
    ) -> Found:
        worker, case_id = self.worker, case.case_id
        person = pseudonym_digest(case.person)
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
        return Found(own, wanted, scene, others, table, at, names, persons)

    async def _verdict(self, looked: Looked, found: Found, asked: set[bytes] | None, gate: Gate) -> Verdict:
        worker, case = self.worker, looked.case
        person, policy, window = pseudonym_digest(case.person), looked.policy, looked.window
        known = await known_of(worker, case.case_id, [p for p in found.persons if p], writes=self.writes)
        content = contents(case, found.table, policy, found.persons, self._places(found), known)
        situation = Situation("open", found.scene, await tests_of(worker, person))
        reason = ERASED if worker.people.is_erased(person) else "dates_corrected" if looked.moved else "scans_corrected"
        verdict = Verdict(case.case_id, asked, content, policy.id, reason, gate, self._status(looked, situation))
        if asked is None:
            verdict.alerts = alerts(
                case.case_id, found.scene, found.others, found.table.is_f1, window, policy, found.names
            )
            verdict.presence = presence(case, found.scene, window, policy, found.names)
        return verdict

    def _places(self, found: Found) -> list[tuple[str, str]]:
        """(venue_id, type) by the table's venue number."""
        by_token = self.worker.venues.by_token
        return [
            (found.names.get(token, ""), by_token[token].type if token in by_token else "other")
            for token in map(bytes, token_bytes(found.at))
        ]

    @staticmethod
    def _status(looked: Looked, situation: Situation) -> CaseStatus:
        return status(looked.case, looked.policy, looked.window, situation, looked.through)

    # -- effects, each a method of its own so that the simulation can swap their order and must be caught doing it

    async def _mark(self, kind: bytes, case_id: str, who: PersonDays) -> None:
        if len(who.persons) and self.writes:
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
        if not self.writes:
            return before
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
