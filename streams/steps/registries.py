"""The steps behind `venues` and `cases`: who wins, what is kept, who must be told.

Of all records with one key the one with the greatest (`updated_at`, value bytes) wins, whatever came last
(messages.md). The winner goes to the topic `registry`, from which a rebuild reads it; then the cases that hang on it
are evaluated. A record that is delivered again redoes both, since the first time may have ended between two lines.
"""

from __future__ import annotations

from hashlib import sha256

from schemas.case import Case
from schemas.decoding import Problem, decode_case, decode_venue
from schemas.encoding import encode
from schemas.registry import Registered
from schemas.venue import Venue
from streams.ports import Batch, Message, Out
from streams.rules.codes import canonical, pseudonym_digest, pseudonym_text, venue_token
from streams.state import cases, vault, venues
from streams.state.cases import CaseRow, CaseTable
from streams.state.generation import offset_done
from streams.state.table import Table
from streams.state.venues import VenueRow
from streams.steps.rejects import reject
from streams.steps.triggers import Triggers
from streams.steps.worker import Worker


class _Registry:
    """What both have in common: reject or take in, tell, and say that the batch is done."""

    kind: str

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def handle(self, batch: Batch) -> None:
        triggers, out = Triggers(), []
        for message in batch:
            problem = await self._take(message, batch.topic, triggers)
            if problem is not None:
                out.append(reject(problem, message, batch.topic, self.worker.clock.now_ms(), self.worker.seal))
        out += triggers.records()
        if out:
            await self.worker.log.send(out)
        await offset_done(
            self.worker.store, self.worker.generation, batch.topic, batch.partition, batch.last_offset + 1
        )

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        raise NotImplementedError

    async def _announce(self, table: Table, key: str) -> None:
        """Publish the row that stands, until it is the last one published.

        Two workers may set rows of one key, and the one with the older row may publish last: compaction would then
        keep the older one. So whoever published looks again.
        """
        published = b""
        # No row any more: Redis was emptied under us. An empty row in the topic would be what a rebuild finds.
        while (row := await table.read(self.worker.store, key)) and row != published:
            record = Registered(kind=self.kind, key=key, row=row)
            await self.worker.log.send([Out("registry", f"{self.kind}/{key}".encode(), encode(record))])
            published = row


class Venues(_Registry):
    kind = "venue"

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        venue = decode_venue(message.value, message.headers)
        if venue is None or isinstance(venue, Problem):
            return venue
        await self._win(venue, message.value or b"")
        await self._announce(self.worker.venues, venue.venue_id)
        # Look after the write: a case whose spans come later reads the new figures itself.
        await self.worker.spans.refresh(self.worker.store)
        for case_id in self.worker.spans.cases_at.get(venue_token(venue.venue_id), ()):
            triggers.everybody(case_id)
        return None

    async def _win(self, venue: Venue, value: bytes) -> None:
        new = VenueRow(
            updated_at=venue.updated_at,
            value=value,
            type=venue.type,
            dwell_minutes=venue.dwell_minutes,
            max_stay_minutes=venue.max_stay_minutes,
            linger_minutes=venue.linger_minutes,
        )
        table, store = self.worker.venues, self.worker.store
        while True:
            had = await table.read(store, venue.venue_id)
            if had:
                old = venues.decode_row(had)
                if (old.updated_at, old.value) >= (new.updated_at, new.value):
                    return
            if await table.put(store, venue.venue_id, had, venues.encode_row(new)):
                return


class Cases(_Registry):
    kind = "case"

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._table = CaseTable()

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        case = decode_case(message.value, message.headers)
        if case is None or isinstance(case, Problem):
            return case
        row = self._row(case, message, topic)
        await self._keep_code(case, row)
        await self._win(row, message.value or b"")
        await self._announce(self._table, case.case_id)
        triggers.everybody(case.case_id)
        return None

    def _row(self, case: Case, message: Message, topic: str) -> CaseRow:
        return CaseRow(
            case_id=case.case_id,
            person=pseudonym_text(self.worker.pseudonymiser.digest(case.person)),
            status=case.status,
            sampled_at=case.sampled_at,
            onset_at=case.onset_at,
            isolated_at=case.isolated_at,
            negative_at=case.negative_at,
            reported_at=case.reported_at,
            updated_at=case.updated_at,
            digest=self._digest(message.value or b""),
            origin=(topic, message.partition, message.offset),
        )

    async def _keep_code(self, case: Case, row: CaseRow) -> None:
        """A case's person may never have been scanned, and the desk must be able to find it by its pseudonym too."""
        if self.worker.vault is not None:
            seen = vault.Sighting(canonical(case.person), case.reported_at)
            await vault.keep(self.worker.store, self.worker.vault, {pseudonym_digest(row.person): seen})

    def _digest(self, value: bytes) -> bytes:
        """16 bytes that tell records apart. Keyed like a pseudonym: the record holds a code, which a plain digest
        would let anybody guess."""
        return self.worker.pseudonymiser.digest("record " + sha256(value).hexdigest())

    async def _win(self, new: CaseRow, value: bytes) -> None:
        store = self.worker.store
        while True:
            had = await self._table.read(store, new.case_id)
            if had and not await self._wins(new, value, cases.decode_row(had)):
                return
            if await self._table.put(store, new.case_id, had, cases.encode_row(new)):
                return

    async def _wins(self, new: CaseRow, value: bytes, old: CaseRow) -> bool:
        if new.updated_at != old.updated_at:
            return new.updated_at > old.updated_at
        if new.digest == old.digest:
            return False
        # The records' bytes decide, and they hold the person's code, so they are not kept: read the other one again.
        other = await self.worker.log.origin(*old.origin)
        return value > other if other is not None else new.digest > old.digest
