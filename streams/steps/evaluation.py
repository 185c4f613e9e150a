"""The step behind the topic `evaluate`: work out what must stand, publish the difference, pass on what hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.decoding import decode_evaluate
from schemas.evaluate import Evaluate
from schemas.times import format_time
from schemas.venue_alert import VenueAlert
from streams.ports import Batch
from streams.rules.codes import exposure_id, pseudonym_digest, pseudonym_text
from streams.state.generation import offset_done
from streams.state.said import EXPOSURE_OF
from streams.state.standing import ALERT, EXPOSURE, PRESENCE, STATUS, Head, Standing, Whole
from streams.steps import alerts
from streams.steps.ageing import closing, ended, open_until, with_forgotten
from streams.steps.counting import Counting
from streams.steps.duelooks import DueLooks
from streams.steps.evaluate import Evaluator
from streams.steps.followups import pass_on, todo_of
from streams.steps.kinds import KINDS
from streams.steps.publish import Change, Publication, carry_out_all, prepare
from streams.steps.requests import requests_of
from streams.steps.sweep import Sweep
from streams.steps.takeover import note_ends, take_over
from streams.steps.together import together
from streams.steps.triggers import Triggers, merged
from streams.steps.verdict import ERASED, Verdict, plan
from streams.steps.worker import Worker

TOGETHER = 500  # records, and no further case comes into the transaction
CASES_TOGETHER = 16  # nor of cases: the first of them would wait for all
AT_ONCE = 4  # cases looked at as a whole at the same time: each may hold the visits of thousands
ASK_AGAIN = 60  # seconds of the clock of forgetting, for an evaluation to be through


def _digests(persons: set[str] | None) -> set[bytes] | None:
    return None if persons is None else {pseudonym_digest(p) for p in persons}


class Settled(NamedTuple):
    """What is to be published of a case and passed on; `gone`: ids of exposures that end with it; `everybody`: the gate
    opened, and all of the case must be looked at."""

    what: Publication
    todo: list[bytes]
    gone: list[bytes]
    everybody: bool


class Evaluation(Evaluator):
    """One instance a worker; a case partition has one owner at a time."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._standing: dict[int, Standing] = {}
        self._assigned: set[int] = set()
        self._due = DueLooks(worker)
        self._sweep = Sweep(worker)
        self._counting = Counting(worker)

    def assign(self, partition: int) -> None:
        """The partition came to this worker. Its first batch takes it over; what is due there cannot wait for one: a
        case that its former owner was to look at again may have no other reason to be looked at for ever."""
        self._assigned.add(partition)

    async def take_over(self, partition: int, alive: Callable[[], None] = lambda: None) -> None:
        """Become the owner of a case partition, and finish what its former owner may have left half done."""
        standing = Standing(self.worker.store, partition)
        self.worker.known_exposures.clear()  # another owner may have let go of some
        cases = await take_over(standing, self.worker.log, self.worker.still_ours)
        await pass_on(standing, self.worker)
        await self._settle_all(standing, dict.fromkeys(cases), alive)
        await standing.settled(cases)
        self._standing[partition] = standing

    def release(self, partition: int) -> None:
        """The partition went to somebody else; a batch that comes after is preceded by a new take-over."""
        self._standing.pop(partition, None)
        self._due.release(partition)
        self._assigned.discard(partition)

    async def handle(self, batch: Batch) -> None:
        if batch.partition not in self._standing:
            await self.take_over(batch.partition, batch.alive)
        standing = self._standing[batch.partition]
        wanted = merged(await requests_of(self.worker, batch, decode_evaluate, Evaluate.key))
        # Who was just met goes before cases that are looked at as a whole, which takes ten times as long.
        asked = {case_id: persons for case_id, persons in wanted.items() if persons is not None}
        whole = {case_id: persons for case_id, persons in wanted.items() if persons is None}
        published = await self._settle_all(standing, asked, batch.alive)
        published += await self._settle_all(standing, whole, batch.alive)
        worker = self.worker
        if published:
            await note_ends(standing, worker.log, worker.clock.now_ms())
        await offset_done(worker.store, worker.generation, batch.topic, batch.partition, batch.last_offset + 1)
        if self._due.done(whole):
            await self._due.ask(self.partitions)

    async def _settle_all(
        self, standing: Standing, wanted: Mapping[str, set[str] | None], alive: Callable[[], None] = lambda: None
    ) -> int:
        """These cases (case → persons, None: all): the number of records published, what hangs on them passed on;
        `alive` is called after each case.

        Several cases share a transaction: Kafka takes its time between two of one writer, and an erasure can concern
        dozens of cases. And they are worked out at the same time: each asks Redis twenty times, one question after the
        other, and every answer waits for whatever else this worker has in hand (170 ms a case at 5,000 scans/s).
        """
        ready: list[Settled] = []
        published = 0
        waiting = list(wanted.items())
        while waiting:
            few = waiting[: CASES_TOGETHER if waiting[0][1] is not None else AT_ONCE]
            del waiting[: len(few)]
            settled = await together([self._settle(standing, case_id, _digests(persons)) for case_id, persons in few])
            ready += [one for one in settled if one is not None]
            if len(ready) >= CASES_TOGETHER or sum(len(one.what.records) for one in ready) >= TOGETHER:
                published += await self._carry_out(standing, ready)
                ready = []
            alive()
        return published + await self._carry_out(standing, ready)

    async def _settle(self, standing: Standing, case_id: str, asked: set[bytes] | None) -> Settled | None:
        """What is to be published of one case; None: nobody reported it."""
        verdict = await self.evaluate(case_id, asked)
        if verdict is None:
            return None
        worker = self.worker
        if verdict.status.state == "closed":
            return await self._close(standing, verdict)
        now_ms = worker.clock.now_ms()
        if verdict.presence is not None:
            known = await standing.bodies(case_id, [PRESENCE])
            verdict.presence = await with_forgotten(worker, verdict, known.get(PRESENCE))
        heads, counts, last_whole = await standing.outline(case_id, self._entries(verdict))
        planned = plan(verdict, heads, counts, worker.people)
        changes = planned.changes
        again = None
        if verdict.alerts is not None:
            last = await self._alerts(standing, case_id, heads)
            erased = verdict.reason == ERASED
            alerted = alerts.changes(heads, last, verdict.alerts, now_ms, worker.alert_pause_ms, erased=erased)
            changes.update(alerted.changes)
            again = alerted.again_at
        elif verdict.asked and verdict.status.state == "open":
            # What one person's scans did to how many were there, the next whole evaluation says: not more often than
            # alerts may be written, or every scan at a flagged place would cost one.
            again = max(now_ms, last_whole + worker.alert_pause_ms)
        whole = None
        if asked is None:
            ages_at = open_until(worker, verdict)
            if verdict.status.state == "withdrawn":
                aged = await ended(standing, worker, verdict, heads)
                changes.update(aged.changes)
                ages_at = aged.again_at
            whole = Whole(now_ms, ages_at)
        await standing.note_look(case_id, again, whole)
        return await self._settled(standing, case_id, heads, changes, planned.everybody)

    async def _close(self, standing: Standing, verdict: Verdict) -> Settled:
        """A case that is not evaluated again: what age and erasures end of it, and when to look next."""
        heads = await standing.heads(verdict.case_id)
        aged = await closing(standing, self.worker, verdict, heads)
        await standing.ages_at(verdict.case_id, aged.again_at)
        return await self._settled(standing, verdict.case_id, heads, aged.changes, False)

    async def _settled(
        self,
        standing: Standing,
        case_id: str,
        heads: Mapping[bytes, Head],
        changes: Mapping[bytes, Change],
        everybody: bool,
    ) -> Settled:
        issued = format_time(self.worker.clock.now_ms() // 1000)
        what = prepare(case_id, heads, changes, standing.partition, issued)
        before = await standing.bodies(case_id, [PRESENCE]) if PRESENCE in what.confirmed else {}
        gone = [entry[1:] for entry, change in changes.items() if change.gone and entry[:1] == EXPOSURE]
        ids = [bytes.fromhex(exposure_id(case_id, pseudonym_text(person))) for person in gone]
        return Settled(what, todo_of(what, before.get(PRESENCE)), ids, everybody)

    async def _carry_out(self, standing: Standing, ready: Sequence[Settled]) -> int:
        """Publish what changed, and pass on what hangs on it; the number of records."""
        if not ready:
            return 0
        worker = self.worker
        count = await carry_out_all(standing, worker.log, [(one.what, one.todo) for one in ready])
        await pass_on(standing, worker, {note for one in ready for note in one.todo})
        ids = [id_ for one in ready for id_ in one.gone]
        if ids:
            await EXPOSURE_OF.drop(worker.store, ids)
            worker.known_exposures.difference_update(ids)
        triggers = Triggers()
        for one in ready:
            if one.everybody:
                triggers.everybody(one.what.of)
        if triggers:
            await worker.log.send(triggers.records())
        return count

    @staticmethod
    def _entries(verdict: Verdict) -> list[bytes] | None:
        """Of the ledger, that may change; None: any."""
        if verdict.asked is None:
            return None
        return [STATUS, *sorted(EXPOSURE + person for person in verdict.asked | verdict.contents.keys())]

    @staticmethod
    async def _alerts(standing: Standing, case_id: str, heads: Iterable[bytes]) -> dict[bytes, VenueAlert]:
        bodies = await standing.bodies(case_id, sorted(entry for entry in heads if entry[:1] == ALERT))
        return {entry: KINDS[ALERT].decode(body) for entry, body in bodies.items()}

    @property
    def looks_pending(self) -> int:
        """Looks that were due and asked for, and are not done. When they are, the next are asked for."""
        return self._due.pending

    @property
    def partitions(self) -> list[int]:
        """Those that are this worker's, taken over already or not."""
        return sorted(self._assigned | self._standing.keys())

    async def tick(self) -> None:
        """Cases whose time has come, of the partitions of this worker, are put on `evaluate`. Whoever has the first
        partition forgets what is too old and counts what is new, for all."""
        await self._due.ask(self.partitions)
        for partition in self.partitions:
            await self.grow_older(partition)
        if 0 in self._assigned:
            await self._sweep.tick()
            if self.worker.counters:
                await self._counting.tick()

    async def grow_older(self, partition: int) -> None:
        """Cases that close, or of which something ends, by the clock of forgetting."""
        standing, worker = Standing(self.worker.store, partition), self.worker
        now, _ = await worker.now()
        aged = await standing.aged(now)
        triggers = Triggers()
        for case_id, _ in aged:
            triggers.everybody(case_id)
        if aged:
            await worker.log.send(triggers.records())
        for case_id, second in aged:
            await standing.age_asked(case_id, second, now + ASK_AGAIN)
