"""Evaluation of a case: from facts to what must stand, in an order that no concurrent fact can slip through.

Write, then look, on both sides (architecture.md, section 2). Here: the case's own mark and spans are written before
the anchors are read, and contacts are marked before their scans, their links and whatever else hangs on them are read.
The ingest and the registries write before they look at spans and marks. Whatever the interleaving, one of the two sees
the other.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np

from schemas.case_status import CaseStatus
from streams.rules.codes import pseudonym_digest, venue_token
from streams.rules.distinct import distinct
from streams.rules.forgetting import is_closed
from streams.rules.policy import Policy
from streams.rules.window import infectious_window
from streams.state import cases
from streams.state.cases import CaseRow
from streams.state.generation import NEWEST, newest_of
from streams.state.layout import OWN, WATCH, token_bytes, tokens_of
from streams.state.spans import NO_WINDOW, spans_in, window_of
from streams.steps import contacts
from streams.steps.alerts import alerts
from streams.steps.contents import contents, contents_of_f2
from streams.steps.facts import decision_of, decision_on, known_of, tests_of
from streams.steps.kinds import Presence
from streams.steps.presumed import presumed, risky_places
from streams.steps.reading import CaseChanged, Found, Looked
from streams.steps.second import SecondReading
from streams.steps.status import Situation, presence, status
from streams.steps.together import both
from streams.steps.verdict import ERASED, Gate, Verdict
from streams.steps.worker import Worker

__all__ = ["CaseChanged", "Evaluator", "Found", "Looked"]


class Evaluator(SecondReading):
    """Works out what must stand. Writes nothing but marks and spans, and exposures' ids for decisions about them.

    With `writes=False` it writes nothing at all: for questions on demand, whose answer is as of some moment, and which
    nobody tells when something changes. `policy`: judge by this one instead of the one in force (rule 9), to see what
    would follow; only sensible without writing.
    """

    def __init__(self, worker: Worker, *, writes: bool = True, policy: Policy | None = None) -> None:
        super().__init__(worker, writes=writes)
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
                return await self._look(row, None, await self.worker.now()) if row is not None else None
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
        row = await self._case_table.read(worker.store, case_id)
        if not row:
            return None
        case = cases.decode_row(row)
        # After the row: a policy that came between would have found no case to tell.
        decided, newest = await worker.refresh(decision_on(case_id), NEWEST)
        if self._policy_of(case).publish_f2:
            asked = None  # one F1 more or less changes who is F2 of it: nobody can be looked at alone
        if asked is not None:
            asked = {member for person in asked for member in worker.people.ever(person)}
        looked = await self._look(case, asked, worker.now_at(newest_of(newest)))
        gate = Gate(looked.policy.approval_above, decision_of(decided))
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

    def _policy_of(self, case: CaseRow) -> Policy:
        return self._policy or self.worker.policies.of_time(case.reported_at)

    async def _look(self, case: CaseRow, asked: set[bytes] | None, time: tuple[int, int]) -> Looked:
        worker, case_id = self.worker, case.case_id
        policy = self._policy_of(case)
        window = infectious_window(case.sampled_at, case.onset_at, case.isolated_at, case.negative_at, policy)
        now, through = time
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
        person, as_of = pseudonym_digest(case.person), worker.people.version
        days = contacts.case_days(case.onset_at if case.onset_at is not None else case.sampled_at, window, policy)
        own = contacts.one_person(person[:8], days, worker.people)
        if asked is None:
            if window_of(row_before) in (None, NO_WINDOW):
                # A mark names the case by its token, and only this row says whose that is. Without it a scan of the
                # case's own that is written after its scans were read would find a mark and not know whom to tell.
                row_before = await self._put_spans(case_id, row_before, window, [])
            await self._mark(OWN, case_id, own)
        # Both look at what was written before the mark, so which of them is first does not matter.
        _, records = await both(self._same_persons(as_of, [own.persons]), self._read(own.person, own.day))
        while True:
            figures_as_of = worker.venues.version
            scene = contacts.scene(records, own.person, worker.venues, worker.people, policy)
            spans = contacts.case_spans(scene, window, policy)
            if asked is not None:
                break
            # Where F2 are published, the F1s' places are in the row too, and stay there until they are known anew.
            more = spans_in(row_before) if policy.publish_f2 and window_of(row_before) == window else []
            row_before = await self._put_spans(case_id, row_before, window, [*spans, *more])
            # The row names the venues: one that is registered from here on sends us a request. One that was registered
            # meanwhile may have looked before the row was there, so the figures are read again after it.
            await worker.venues.refresh(worker.store)
            changed = worker.venues.changed_since(figures_as_of)
            if changed is not None and not any(int.from_bytes(venue_token(v)) in scene.venues for v in changed):
                break

        back = policy.staff_dwell + policy.conflict_seconds
        if asked is None:
            venues, venue_days = contacts.venue_days(spans)
            anchors = await self._anchors(venues, venue_days)
            places = risky_places(scene, window)
            who = presumed(anchors, venues[anchors.owner], places, own.persons, worker.people, policy)
            around = partial(contacts.days_around, anchors, venues, case=scene, people=worker.people, policy=policy)
            wanted = around(who.present, days_back=back)
            linkable = distinct(anchors.other[who.possible])
        else:
            mine = {bytes(token) for token in token_bytes(own.persons)}
            named = sorted({person[:8] for person in asked} - mine)
            wanted = contacts.all_days(tokens_of(b"".join(named)), spans, worker.people, back)
            linkable = wanted.persons
        await self._mark(WATCH, case_id, wanted)
        _, records = await both(
            self._same_persons(as_of, [own.persons, wanted.persons, linkable]), self._read(wanted.person, wanted.day)
        )
        others = contacts.scene(records, wanted.person, worker.venues, worker.people, policy)
        names = await self._venue_names(np.union1d(scene.venues, others.venues))
        table, at = contacts.exposures_to(scene, others, window, policy, names)
        persons = await self._pseudonyms(others, table.is_f1)
        return Found(own, wanted, scene, others, table, at, names, persons, spans, row_before, as_of)

    async def _verdict(self, looked: Looked, found: Found, asked: set[bytes] | None, gate: Gate) -> Verdict:
        worker, case = self.worker, looked.case
        person, policy, window = pseudonym_digest(case.person), looked.policy, looked.window
        second = await self._second(looked, found) if policy.publish_f2 else None
        persons = {p for p in [*found.persons, *(second.persons if second else ())] if p}
        known, tests = await both(
            known_of(worker, case.case_id, sorted(persons), writes=self.writes), tests_of(worker, person)
        )
        content = contents(case, found.table, policy, found.persons, self._places(found.at, found.names), known)
        if second is not None:
            content |= contents_of_f2(case, second, policy, self._places(second.scene.venues, second.names), known)
        situation = Situation("open", found.scene, tests)
        reason = ERASED if worker.people.is_erased(person) else "dates_corrected" if looked.moved else "scans_corrected"
        verdict = Verdict(case.case_id, asked, content, policy.id, reason, gate, self._status(looked, situation))
        if asked is None:
            verdict.alerts = alerts(
                case.case_id, found.scene, found.others, found.table.is_f1, window, policy, found.names
            )
            verdict.presence = presence(case, found.scene, window, policy, found.names)
        return verdict

    @staticmethod
    def _status(looked: Looked, situation: Situation) -> CaseStatus:
        return status(looked.case, looked.policy, looked.window, situation, looked.through)
