"""The step behind the topic `scans`: check, pseudonymise, write both sides of the graph, then look who must be told.

Per scan as little Python as can be: a batch is decoded, checked, packed and sorted as columns; Redis gets one call a
bucket and side. The order of effects is the point of this file:

1. names, and new persons' codes into the vault (so that whoever finds a fact also finds what its tokens stand for),
2. facts, person side and venue side (each set insertions; again changes nothing),
3. look at the infectious spans as they are *after* the facts, and at the marks that came back with them,
4. rejects and requests to evaluate, acknowledged by Kafka,
5. the offset. A worker that dies before this line leaves a batch that is done again, without harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import compress, filterfalse
from typing import TypeVar, cast

import numpy as np

from schemas.decoding import Problem, ScanColumns, decode_scan_records, element
from schemas.times import EARLIEST_MS
from streams.ports import Batch, Message
from streams.rules.acceptance import CLOSED_GATEWAY, EXPIRED, FUTURE, late_or_early
from streams.rules.codes import canonical, pseudonym_text, venue_token
from streams.rules.days import LOCAL_OFFSET, local_day
from streams.rules.distinct import distinct
from streams.state import dirty, graph, refusals, vault
from streams.state.erasing import erase_these
from streams.state.generation import offset_done
from streams.state.graph import Facts, Mark, marks_of
from streams.state.layout import I64, OWN, Mask, tokens_of
from streams.state.people import NEVER
from streams.state.shards import add_days, swept
from streams.steps.erase import Eraser
from streams.steps.gates import Gates
from streams.steps.rejects import refusal, reject
from streams.steps.together import in_portions
from streams.steps.triggers import Triggers
from streams.steps.worker import Worker

# Names that a worker remembers to have stored; past this many it forgets them and stores them again, which is harmless.
REMEMBERED = 2_000_000
WEEK = 7 * 86400
PORTION = 100  # rejects, some 10 ms: each is sealed
EARLIEST = EARLIEST_MS // 1000
NEVER_CLOSED = np.iinfo(np.int64).max
WANTED = {
    FUTURE: "/scanned_at: expected a time at most the clock tolerance after the record's timestamp",
    EXPIRED: "/scanned_at: expected a time within the retention before the record's timestamp",
    CLOSED_GATEWAY: "/gateway_id: expected a gateway that was not revoked at the record's timestamp",
}

Marks = dict[bytes, list[Mark]]
Kind = TypeVar("Kind")


class Ingest:
    """One instance a worker; batches of different partitions may be in hand at once.

    `looks=False` while a generation is loaded: facts only, the cases are evaluated when all facts are there.
    """

    def __init__(self, worker: Worker, *, looks: bool = True) -> None:
        self.worker = worker
        self._looks = looks
        self._gates = Gates(worker)

    async def handle(self, batch: Batch) -> None:
        messages = list(batch)
        columns, problems = decode_scan_records([m.value for m in messages], [m.headers for m in messages])
        await self.worker.gateways.refresh(self.worker.store)
        as_read = columns
        columns = self._corrected(columns)
        keep, refused = self._check(columns, messages)
        batch.alive()
        out = [
            reject(problem, messages[at], batch.topic, self.worker.clock.now_ms(), self.worker.seal)
            async for at, problem in in_portions([*problems, *refused], PORTION, batch.alive)
        ]
        if len(columns.seconds):
            digests = self.worker.pseudonymiser.digests(columns.persons)
            await self._names(columns, digests, keep)
            batch.alive()
            facts = self._facts(columns, digests, keep)
            if self._looks:
                codes = _kept(columns.persons, keep)
                out += (await self._write_then_look(facts, _kept(digests, keep), codes)).records()
            else:
                await self._write(facts)
        if problems or refused:
            await refusals.add(
                self.worker.store, [refusal(p, messages[at], batch.topic) for at, p in [*problems, *refused]]
            )
        if out:
            await self.worker.log.send(out)
        await self._gates.add(messages, as_read, keep, problems)
        self.worker.meters.took_in(int(keep.sum()))
        self.worker.meters.refused(batch.topic, [problem.reason for _, problem in [*problems, *refused]])
        newest = max((m.timestamp for m in messages), default=0)
        worker = self.worker
        await offset_done(worker.store, worker.generation, batch.topic, batch.partition, batch.last_offset + 1, newest)

    # -- rule 1

    def _corrected(self, columns: ScanColumns) -> ScanColumns:
        """`scanned_at` less what its gateway's clock is wrong by."""
        offsets = {name: terms.clock_offset for name, terms in self.worker.gateways.special.items()}
        if not any(offsets.values()) or not columns.gateway_ids:
            return columns
        wrong = np.fromiter((offsets.get(name, 0) for name in columns.gateway_ids), np.int64, len(columns.gateway_ids))
        return replace(columns, seconds=columns.seconds - wrong)

    def _closed(self, columns: ScanColumns, at: I64) -> list[int]:
        """Scans in records (`at`: their timestamps) that came when their gateway was closed."""
        closed = {n: t.revoked_at for n, t in self.worker.gateways.special.items() if t.revoked_at is not None}
        if not closed:
            return []
        since = np.fromiter((closed.get(name, NEVER_CLOSED) for name in columns.gateway_ids), np.int64, len(at))
        return np.flatnonzero(at >= since).tolist()

    def _check(self, columns: ScanColumns, messages: Sequence[Message]) -> tuple[Mask, list[tuple[int, Problem]]]:
        """Which scans are not refused; a reject for each that is, by the first reason of rule 1 that holds. One policy
        a day of records."""
        stamp = np.fromiter((m.timestamp for m in messages), np.int64, len(messages)) // 1000
        at = stamp[columns.record]
        keep = np.ones(len(at), bool)
        refused: list[tuple[int, Problem]] = []
        for day in distinct((at + LOCAL_OFFSET) // 86400).tolist():
            policy = self.worker.policies.of_day(day)
            days = policy.retention_days if self.worker.retention_days is None else self.worker.retention_days
            mine = np.flatnonzero((at + LOCAL_OFFSET) // 86400 == day)
            reason = late_or_early(columns.seconds[mine], at[mine], policy.clock_tolerance, days)
            reason[columns.seconds[mine] < EARLIEST] = -1  # corrected to where no day has a number, whatever is kept
            for i in mine[reason != 0].tolist():
                keep[i] = False
                refused.append(self._refusal(columns, messages, i, FUTURE if columns.seconds[i] > at[i] else EXPIRED))
        for i in self._closed(columns, at):
            if keep[i]:
                keep[i] = False
                refused.append(self._refusal(columns, messages, i, CLOSED_GATEWAY))
        return keep, refused

    @staticmethod
    def _refusal(columns: ScanColumns, messages: Sequence[Message], i: int, reason: str) -> tuple[int, Problem]:
        record, index = int(columns.record[i]), int(columns.index[i])
        detail = f"{'' if index < 0 else f'/{index}'}{WANTED[reason]}"
        value = messages[record].value or b""
        payload = value if index < 0 else element(value, index)
        return record, Problem(reason, detail, None if index < 0 else index, payload)

    # -- rule 2 and the graph

    def _facts(self, columns: ScanColumns, digests: list[bytes], keep: Mask) -> Facts:
        tokens = list(map(self.worker.known_venues.get, columns.venue_ids))
        if None in tokens:  # a venue that only refused scans name, or one that was forgotten meanwhile
            tokens = [t or venue_token(v) for t, v in zip(tokens, columns.venue_ids, strict=True)]
        person = np.frombuffer(b"".join(digests), ">u8")[::2].astype(np.uint64)
        return Facts(
            person[keep],
            tokens_of(b"".join(cast(list[bytes], tokens)))[keep],
            columns.seconds[keep],
            columns.out[keep],
            columns.staff[keep],
            columns.void[keep],
        )

    async def _names(self, columns: ScanColumns, digests: list[bytes], keep: Mask) -> None:
        """Keep what new tokens stand for, before any fact uses them."""
        worker = self.worker
        self._forget_last_week(columns.seconds[keep])
        persons = set(filterfalse(worker.known_persons.__contains__, _kept(digests, keep)))
        new = set(filterfalse(worker.known_venues.__contains__, _kept(columns.venue_ids, keep)))
        venues = {v: venue_token(v) for v in new}
        if persons:
            await graph.add_persons(worker.store, list(persons))
            await self._codes(columns, digests, keep, persons)
        if venues:
            await graph.add_venues(worker.store, {token: v.encode() for v, token in venues.items()})
        days = set(distinct(local_day(columns.seconds[keep])).tolist()) - worker.known_days
        if days:
            await add_days(worker.store, days)
            worker.known_days |= days
        if len(worker.known_persons) > REMEMBERED:
            worker.known_persons.clear()
        if len(worker.known_venues) > REMEMBERED:
            worker.known_venues.clear()
        worker.known_persons |= persons
        worker.known_venues.update(venues)

    def _forget_last_week(self, seconds: I64) -> None:
        """The vault is told of everybody once a week, since it lets codes go by when their person was last met."""
        week = int(seconds.max(initial=0)) // WEEK
        if week > self.worker.known_week:
            self.worker.known_week = week
            self.worker.known_persons.clear()

    async def _codes(self, columns: ScanColumns, digests: list[bytes], keep: Mask, persons: set[bytes]) -> None:
        """Put what new persons' codes stand for into the vault, each with the last second that this batch has of it."""
        if self.worker.vault is None:
            return
        seen: dict[bytes, vault.Sighting] = {}
        rows = zip(digests, columns.persons, columns.seconds.tolist(), keep.tolist(), strict=True)
        for digest, code, second, kept in rows:
            if kept and digest in persons and (digest not in seen or seen[digest].second < second):
                seen[digest] = vault.Sighting(canonical(code), second)
        await vault.keep(self.worker.store, self.worker.vault, seen)

    async def _write_then_look(self, facts: Facts, digests: list[bytes], codes: list[str]) -> Triggers:
        """Looking first would miss the case whose spans are written between the look and the write."""
        marks = await self._write(facts)
        return await self._look(facts, marks, digests, codes)

    async def _write(self, facts: Facts) -> Marks:
        """Both sides of the graph; the marks of the persons touched, as they were after their scans were added. Then
        what is to be counted anew: marked after the write, or the count could come before the scans."""
        marks = marks_of(await graph.write(self.worker.store, facts))
        await self.worker.store.run(dirty.mark(facts.venue, facts.second))
        return marks

    async def _look(self, facts: Facts, marks: Marks, digests: list[bytes], codes: list[str]) -> Triggers:
        """Who must be evaluated because of these scans: by place (spans), and by person (marks).

        `digests` (pseudonyms) and `codes` (as read) of the facts, one each.
        """
        worker, found = self.worker, Triggers()
        spans, people, forgotten = await worker.store.run([worker.spans.since(), worker.people.since(), swept()])
        worker.spans.take(spans)
        worker.people.take(people)
        await self._tell_again(facts, int(forgotten or 0))
        if worker.people.any_erased:
            await self._destroy_erased(facts, digests, codes)
        for at, case_id in worker.spans.hits(facts.venue, facts.second):
            found.person(case_id, pseudonym_text(digests[at]))
        if marks:
            day = (facts.second + LOCAL_OFFSET) // 86400
            for at in np.flatnonzero(np.isin(facts.person, tokens_of(b"".join(marks)))).tolist():
                for mark in marks[digests[at][:8]]:
                    known = worker.spans.case_of_token.get(mark.case)
                    if known is not None and mark.first_day <= day[at] <= mark.last_day:
                        if mark.kind == OWN:
                            found.everybody(known)
                        else:
                            found.person(known, pseudonym_text(digests[at]))
        return found

    async def _tell_again(self, facts: Facts, forgotten: int) -> None:
        """Days were forgotten since this worker told of its own: it may have written to one of them (shards.py)."""
        worker = self.worker
        if forgotten != worker.days_forgotten:
            worker.days_forgotten = forgotten
            worker.known_days = set(distinct(local_day(facts.second)).tolist())
            await add_days(worker.store, worker.known_days)

    async def _destroy_erased(self, facts: Facts, digests: list[bytes], codes: list[str]) -> None:
        """Scans of an erased person. Those that came late never count, and must not lie there either (rule 10); with
        those after the erasure the vault has to have the code again, whatever this worker remembers of the person."""
        until = self.worker.people.erased_until(facts.person)
        late = np.flatnonzero(facts.second <= until).tolist()
        if late:
            f = facts
            these = Facts(f.person[late], f.venue[late], f.second[late], f.out[late], f.staff[late], f.void[late])
            await erase_these(self.worker.store, these)
            await Eraser(self.worker).destroy({digests[at] for at in late})
        again = np.flatnonzero((until > NEVER) & (facts.second > until)).tolist()
        if again and self.worker.vault is not None:
            seen = {digests[at]: vault.Sighting(canonical(codes[at]), int(facts.second[at])) for at in again}
            await vault.keep(self.worker.store, self.worker.vault, seen)


def _kept(values: list[Kind], keep: Mask) -> list[Kind]:
    return values if keep.all() else list(compress(values, keep.tolist()))
