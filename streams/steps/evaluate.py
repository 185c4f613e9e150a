"""Evaluation of a case: from facts to what must stand, in an order that no concurrent scan can slip through.

Write, then look, on both sides (architecture.md, section 2). Here: the case's own mark and spans are written before
the anchors are read, and contacts are marked before their scans are read. The ingest writes a scan before it looks at
spans and marks. Whatever the interleaving, one of the two sees the other.
"""

from __future__ import annotations

import msgspec
import numpy as np

from schemas.evaluate import Evaluate
from schemas.exposure import Exposure
from streams.ports import Batch
from streams.rules.codes import pseudonym_digest, venue_token
from streams.rules.policy import Policy
from streams.rules.window import infectious_window
from streams.state import cases, graph
from streams.state.generation import offset_done
from streams.state.graph import mark_calls, read_persons, read_venues
from streams.state.layout import OWN, U64, WATCH, Records, token_bytes, tokens_of
from streams.state.spans import NO_WINDOW, Span, case_token, next_row, window_of
from streams.state.standing import Standing
from streams.steps import contacts
from streams.steps.contacts import PersonDays, Scene
from streams.steps.contents import contents
from streams.steps.publish import TOPIC, Verdict, publish, take_over
from streams.steps.triggers import merged
from streams.steps.worker import Worker

_decoder = msgspec.json.Decoder(Evaluate)


class _CaseChanged(Exception):
    """The case's spans were written by another evaluation meanwhile: begin again with what is there now."""


class Evaluation:
    """The step behind the topic `evaluate`. One instance a worker; a case partition has one owner at a time."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._case_table = cases.CaseTable()
        self._standing: dict[int, Standing] = {}

    async def take_over(self, partition: int) -> None:
        """Become the owner of a case partition, and finish what its former owner may have left half done."""
        standing = Standing(self.worker.store, partition)
        for case_id in await take_over(standing, self.worker.log):
            await self._settle(standing, case_id, None)
        self._standing[partition] = standing

    def release(self, partition: int) -> None:
        """The partition went to somebody else; a batch that comes after is preceded by a new take-over."""
        self._standing.pop(partition, None)

    async def handle(self, batch: Batch) -> None:
        if batch.partition not in self._standing:
            await self.take_over(batch.partition)
        standing = self._standing[batch.partition]
        wanted = merged(_decoder.decode(message.value) for message in batch if message.value)
        published = 0
        for case_id, persons in wanted.items():
            asked = None if persons is None else {pseudonym_digest(p) for p in persons}
            published += await self._settle(standing, case_id, asked)
        if published:
            await standing.set_read_up_to(TOPIC, await self.worker.log.end(TOPIC, batch.partition))
        await offset_done(
            self.worker.store, self.worker.generation, batch.topic, batch.partition, batch.last_offset + 1
        )

    async def _settle(self, standing: Standing, case_id: str, asked: set[bytes] | None) -> int:
        while True:
            try:
                verdict = await self.evaluate(case_id, asked)
            except _CaseChanged:
                continue
            if verdict is None:
                return 0
            return await publish(standing, self.worker.log, verdict, self.worker.clock.now_ms())

    async def evaluate(self, case_id: str, asked: set[bytes] | None) -> Verdict | None:
        """What must stand for all (None) or some persons (pseudonyms, 16 bytes). None: nobody reported such a case."""
        worker = self.worker
        row = await self._case_table.read(worker.store, case_id)
        if not row:
            return None
        case = cases.decode_row(row)
        policy = worker.policies.of_time(case.reported_at)
        window = infectious_window(case.sampled_at, case.onset_at, case.isolated_at, case.negative_at, policy)
        own = pseudonym_digest(case.person)
        if case.status != "confirmed" or window[1] <= window[0]:
            reason = "case_withdrawn" if case.status != "confirmed" else "dates_corrected"
            if asked is None:
                await self._put_spans(case_id, await worker.spans.read(worker.store, case_id), NO_WINDOW, [])
            return Verdict(case_id, asked, {}, policy.id, reason)

        before = row_before = await worker.spans.read(worker.store, case_id) if asked is None else b""
        own_token = tokens_of(own[:8])
        days = contacts.case_days(window, policy)
        if asked is None:
            await self._mark(OWN, case_id, _whole(own_token, days))
        await worker.venues.refresh(worker.store)
        records = await self._read(np.repeat(own_token, len(days)), days)
        while True:
            scene = contacts.scene(records, np.repeat(own_token, len(days)), worker.venues, policy)
            spans = contacts.case_spans(scene, window, policy)
            if asked is not None:
                break
            row_before = await self._put_spans(case_id, row_before, window, spans)
            # The row names the venues: one that is registered from here on sends us a request. One that was registered
            # meanwhile may have looked before the row was there, so the figures are read again after it.
            changed = await worker.venues.refresh(worker.store)
            if not any(int.from_bytes(venue_token(venue_id)) in scene.venues for venue_id in changed):
                break

        shown = before and window_of(before) not in (window, NO_WINDOW)
        reason = "dates_corrected" if shown else "scans_corrected"
        back = policy.staff_dwell + policy.conflict_seconds
        if asked is None:
            venues, venue_days = contacts.venue_days(spans)
            anchors = await self._anchors(venues, venue_days)
            wanted = contacts.candidates(anchors, venues, spans, scene, int(own_token[0]), policy, back)
        else:
            others = sorted(token for token in {person[:8] for person in asked} if token != own[:8])
            wanted = contacts.all_days(tokens_of(b"".join(others)), spans, back)
        await self._mark(WATCH, case_id, wanted)
        records = await self._read(wanted.person, wanted.day)
        found = await self._contents(
            case, policy, window, scene, contacts.scene(records, wanted.person, worker.venues, policy)
        )
        found.pop(own, None)
        return Verdict(case_id, asked, found, policy.id, reason)

    # -- effects, each a method of its own so that the simulation can swap their order and must be caught doing it

    async def _mark(self, kind: bytes, case_id: str, who: PersonDays) -> None:
        if len(who.persons):
            calls = mark_calls(kind, case_token(case_id), who.persons, who.first_day, who.last_day)
            await self.worker.store.run(calls)

    async def _read(self, persons: U64, days: np.ndarray) -> Records:
        return await read_persons(self.worker.store, persons, days)

    async def _anchors(self, venues: U64, days: np.ndarray) -> Records:
        return await read_venues(self.worker.store, venues, days)

    async def _put_spans(self, case_id: str, before: bytes, window: tuple[int, int], spans: list[Span]) -> bytes:
        row = next_row(before, window, spans)
        if row != before and not await self.worker.spans.put(self.worker.store, case_id, before, row):
            raise _CaseChanged(case_id)
        return row

    # -- names

    async def _contents(
        self, case: cases.CaseRow, policy: Policy, window: tuple[int, int], scene: Scene, others: Scene
    ) -> dict[bytes, Exposure]:
        names = await self._venue_names(scene.venues)
        table, venues = contacts.exposures_to(scene, others, window, policy, names)
        tokens = [bytes(t) for t in token_bytes(others.persons)]
        f1 = [tokens[row.person] for row in table.f1()]
        rest = await graph.read_names(self.worker.store, graph.PERSONS, f1)
        # Names are kept before facts (ingest), so a contact without one is a fault of ours, not of the data.
        pseudonyms = [token + rest[token] if row else b"" for token, row in zip(tokens, table.is_f1, strict=True)]
        by_token = self.worker.venues.by_token
        at = [
            (names.get(token, ""), by_token[token].type if token in by_token else "other")
            for token in map(bytes, token_bytes(venues))
        ]
        return contents(case, table, policy, pseudonyms, at)

    async def _venue_names(self, venues: U64) -> dict[bytes, str]:
        known = self.worker.venue_names
        tokens = [bytes(token) for token in token_bytes(venues)]
        missing = [token for token in tokens if token not in known]
        if missing:
            found = await graph.read_names(self.worker.store, graph.VENUES, missing)
            known.update((token, name.decode()) for token, name in found.items())
        return {token: known[token] for token in tokens if token in known}


def _whole(token: U64, days: np.ndarray) -> PersonDays:
    """One person, all of these days."""
    return PersonDays(np.repeat(token, len(days)), days, token, days[:1], days[-1:])
