"""Negative controls: the real steps with one order turned round. If the checks let one pass, they are worth nothing.

Each is the smallest change that breaks what one line of the design protects; everything else stays the real code.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from streams.ports import Batch, Log, Out, Read, Store
from streams.rules.policy import Policies
from streams.state.generation import offset_done
from streams.state.graph import Facts
from streams.state.layout import U64, WATCH, Records
from streams.state.spans import NO_WINDOW, Span, SpanTable, window_of
from streams.state.standing import Standing
from streams.steps.contacts import PersonDays
from streams.steps.evaluation import Evaluation, Settled
from streams.steps.followups import pass_on
from streams.steps.ingest import Ingest, Marks
from streams.steps.worker import Worker
from tests.simulation.faults import Plan
from tests.simulation.history import OUTPUTS, Options, real_steps
from tests.simulation.process import Steps
from tests.simulation.worlds import race_of_cuts, race_of_own, race_of_scans


class _SpansAsTheyWere(SpanTable):
    """A copy that stays as it was; `look` brings it up to date."""

    def take(self, reply: list[bytes]) -> set[str]:
        return set()

    async def look(self, store: Store) -> None:
        (reply,) = await store.run([self.since()])
        super().take(reply)


class LookBeforeWrite(Ingest):
    """The spans are looked at before the facts are written: a case in between sees no scan, and the scan no case."""

    def __init__(self, worker: Worker) -> None:
        self._then = _SpansAsTheyWere()
        super().__init__(replace(worker, spans=self._then))

    async def _write(self, facts: Facts) -> Marks:
        await self._then.look(self.worker.store)
        return await super()._write(facts)


class ReadBeforeMark(Evaluation):
    """Contacts are marked after their scans were read: a scan in between is neither read nor reported."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._later: dict[asyncio.Task[Any] | None, tuple[bytes, str, PersonDays]] = {}

    async def _mark(self, kind: bytes, case_id: str, who: PersonDays) -> None:
        if kind == WATCH:
            self._later[asyncio.current_task()] = (kind, case_id, who)
        else:
            await super()._mark(kind, case_id, who)

    async def _read(self, persons: U64, days: np.ndarray) -> Records:
        records = await super()._read(persons, days)
        later = self._later.pop(asyncio.current_task(), None)
        if later is not None:
            await super()._mark(*later)
        return records


class NamelessMarks(Evaluation):
    """No row of spans before a case's own marks: a scan in between finds a mark, and not whose it is."""

    async def _put_spans(self, case_id: str, before: bytes, window: tuple[int, int], spans: list[Span]) -> bytes:
        if not spans and window != NO_WINDOW and window_of(before) in (None, NO_WINDOW):
            return before
        return await super()._put_spans(case_id, before, window, spans)


class _Remembered:
    """A ledger whose notes are in the memory of its owner."""

    def __init__(self, standing: Standing, notes: list[bytes]) -> None:
        self._standing, self._notes = standing, notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._standing, name)

    async def todo(self) -> list[bytes]:
        return sorted(self._notes)

    async def todo_done(self, things: Sequence[bytes]) -> None:
        return


class NotesInMemory(Evaluation):
    """What hangs on a publication is not noted in Redis: who dies before it is passed on leaves nothing behind, and
    whoever evaluates again finds nothing changed."""

    async def _carry_out(self, standing: Standing, ready: Sequence[Settled]) -> int:
        count = await super()._carry_out(standing, [one._replace(todo=[]) for one in ready])
        notes = {note for one in ready for note in one.todo}
        await pass_on(_Remembered(standing, list(notes)), self.worker)  # type: ignore[arg-type]
        return count


class _LogAround:
    """A Log that passes everything on; a control overrides one call."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class _UnfencedLog(_LogAround):
    """Published without a transaction of the partition's owner: a paused worker that goes on has the last word."""

    async def fence(self, partition: int, *, line: str = "e") -> None:
        return

    async def publish(self, partition: int, records: Sequence[Out], *, line: str = "e") -> None:
        await self._log.send(records)


class _ForgetfulLog(_LogAround):
    """What the topic holds is not read at a take-over: a Redis without its last second gives numbers out again."""

    async def tail(self, topic: str, partition: int, start: int, *, committed: bool) -> AsyncIterator[list[Read]]:
        if topic not in OUTPUTS:
            async for chunk in self._log.tail(topic, partition, start, committed=committed):
                yield chunk


def _offset_first(step: Any) -> Any:
    """The offset is stored before the batch's effects: what a crash in between cuts off is never done."""
    whole = step.handle

    async def handle(batch: Batch) -> None:
        worker = step.worker
        await offset_done(worker.store, worker.generation, batch.topic, batch.partition, batch.last_offset + 1)
        await whole(batch)

    step.handle = handle
    return step


def _look_before_write(worker: Worker) -> Steps:
    return replace(real_steps(worker), ingest=LookBeforeWrite(worker))


def _read_before_mark(worker: Worker) -> Steps:
    return replace(real_steps(worker), evaluation=ReadBeforeMark(worker))


def _nameless_marks(worker: Worker) -> Steps:
    return replace(real_steps(worker), evaluation=NamelessMarks(worker))


def _no_gate(worker: Worker) -> Steps:
    """A policy without limits, as the brute force does not know it."""
    policies = Policies(replace(policy, approval_above=1000) for policy in worker.policies)
    return real_steps(replace(worker, policies=policies))


def _no_pause(worker: Worker) -> Steps:
    return real_steps(replace(worker, alert_pause_ms=0))


def _notes_in_memory(worker: Worker) -> Steps:
    return replace(real_steps(worker), evaluation=NotesInMemory(worker))


def _no_fence(worker: Worker) -> Steps:
    return real_steps(replace(worker, log=_UnfencedLog(worker.log)))  # type: ignore[arg-type]


def _offsets_before_effects(worker: Worker) -> Steps:
    steps = real_steps(worker)
    return Steps(**{field.name: _offset_first(getattr(steps, field.name)) for field in fields(steps)})


def _numbers_given_twice(worker: Worker) -> Steps:
    return real_steps(replace(worker, log=_ForgetfulLog(worker.log)))  # type: ignore[arg-type]


# The faults that a control needs are always allowed, so that few seeds are enough; the three races need none.
CONTROLS = {
    "look_before_write": Options(_look_before_write, Plan((), 1, 0), world=race_of_scans, race=True),
    "read_before_mark": Options(_read_before_mark, Plan((), 1, 0), world=race_of_cuts, race=True),
    "nameless_marks": Options(_nameless_marks, Plan((), 1, 0), world=race_of_own, race=True),
    "no_fence": Options(_no_fence, Plan(("pause_publishing",), 5, 2)),
    "offsets_before_effects": Options(_offsets_before_effects, Plan(("crash_before", "crash_after"), 40, 8)),
    "notes_in_memory": Options(
        _notes_in_memory, Plan(("crash_before", "crash_after"), 25, 12), world=race_of_scans, race=True
    ),
    "no_gate": Options(_no_gate, Plan((), 1, 0)),
    "no_pause": Options(_no_pause, Plan((), 1, 0)),
    "numbers_given_twice": Options(_numbers_given_twice, Plan(("lose_numbers",), 5, 2)),
}
