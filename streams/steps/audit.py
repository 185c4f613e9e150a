"""Writing the audit log: one chain a process, each line acknowledged by Kafka before what it speaks of is answered.

"No audit, no answer" (rule 10) rests on `write` returning only when the line is kept, and raising in every other case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import uuid4

import msgspec

from schemas.audit import Action, AuditLine, Head, Outcome
from schemas.times import format_time
from streams.ports import Clock, Log, Out
from streams.rules.auditchain import ANCHOR, Kept, Report, holds_code, line_bytes, verify

TOPIC = "audit"
HEADS_A_LINE = 2000  # about 400 KB, well under the 1 MiB that a record may have


class NotAudited(Exception):
    """A line could not be written, or may not have been: what it speaks of must not be done or answered."""


class CodeInAudit(ValueError):
    """A text for the log looks as if it held a personal code. `field` = which; the text itself is not repeated."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: no personal code, telephone or identity number (nine digits in a row, or `|`)")
        self.field = field


class Entry(NamedTuple):
    """What a line says. `subject`: pseudonym or id; `by`, `reason`: as a person gave them."""

    action: Action
    by: str
    subject: str
    reason: str
    outcome: Outcome = "done"
    case_id: str | None = None
    heads: tuple[Head, ...] = ()


class Sends(Protocol):
    """As much of the Log port as it takes."""

    async def send(self, records: Sequence[Out]) -> None: ...


class Auditor:
    """One chain. Share one in a process; calls wait for each other, since a line holds the digest of the one before."""

    def __init__(self, log: Sends, clock: Clock, chain: str | None = None) -> None:
        self._log, self._clock = log, clock
        self._lock = asyncio.Lock()
        self._begin(chain or uuid4().hex)

    def _begin(self, chain: str) -> None:
        self.chain, self._seq, self._digest = chain, 0, ""

    async def write(
        self,
        action: Action,
        by: str,
        subject: str,
        reason: str,
        *,
        outcome: Outcome = "done",
        case_id: str | None = None,
    ) -> AuditLine:
        """Write one line; returns it when all of Kafka's replicas have it. Raises NotAudited, CodeInAudit."""
        return (await self.write_all([Entry(action, by, subject, reason, outcome, case_id)]))[0]

    async def write_all(self, entries: Sequence[Entry]) -> list[AuditLine]:
        """Write several lines, in their order. After NotAudited some of them may stand; none may be acted upon."""
        for entry in entries:
            for field in ("by", "reason"):
                if holds_code(getattr(entry, field)):
                    raise CodeInAudit(field)
        if not entries:
            return []
        async with self._lock:
            # One after the other: of several sent at once a later one could arrive and an earlier one be lost.
            return [await self._append(entry) for entry in entries]

    async def _append(self, entry: Entry) -> AuditLine:
        line = self._line(entry, self._seq + 1, self._digest)
        value, digest = line_bytes(line)
        try:
            await self._log.send([Out(TOPIC, self.chain.encode(), value)])
        except BaseException as error:
            # Nobody knows whether it arrived. Another line with a number that may be used would look like a forgery
            # for ever, so this chain ends here, with it or without, and the next line begins a new one.
            self._begin(uuid4().hex)
            if not isinstance(error, Exception):
                raise  # cancelled: the caller does not go on either
            raise NotAudited(f"Kafka did not take the audit line: {type(error).__name__}") from error
        self._seq, self._digest = line.seq, digest
        return msgspec.structs.replace(line, digest=digest)

    def _line(self, entry: Entry, seq: int, previous: str) -> AuditLine:
        return AuditLine(
            chain=self.chain,
            seq=seq,
            at=format_time(self._clock.now_ms() // 1000),
            action=entry.action,
            by=entry.by,
            subject=entry.subject,
            reason=entry.reason,
            outcome=entry.outcome,
            previous=previous,
            case_id=entry.case_id,
            heads=entry.heads,
        )


async def read_log(log: Log, partitions: int) -> tuple[list[Kept], dict[int, int]]:
    """All lines as they are now, partition by partition, and the first offset that each partition keeps.

    A topic without transactions has no holes, so what lies before its first record was deleted by age.
    """
    kept: list[Kept] = []
    starts: dict[int, int] = {}
    for number in range(partitions):
        end = await log.end(TOPIC, number)
        async for chunk in log.tail(TOPIC, number, 0, committed=True):
            starts.setdefault(number, chunk[0].offset)
            kept += [Kept(number, read.offset, read.timestamp, read.key, read.value) for read in chunk]
        starts.setdefault(number, end)
    return kept, starts


def due(report: Report) -> list[Head]:
    """Heads that no anchor has seen yet. The newest anchor's own chain is among them: so no anchor can go unnoticed."""
    heads = (head for name, head in report.heads.items() if report.anchored.get(name) != head)
    return sorted(heads, key=lambda head: head.chain)


async def anchor(
    auditor: Auditor, kept: Iterable[Kept], starts: Mapping[int, int], by: str
) -> tuple[Report, list[AuditLine]]:
    """Write down all heads that no earlier anchor did; what the check of the log said, and the anchor's lines.

    `kept`, `starts`: the log as it was read back, as `verify` takes it. Nothing is written when it is broken: an anchor
    on top would make the break look like what was always there. Two at the same time are harmless.
    """
    report = verify(kept, starts)
    if report.broken:
        return report, []
    heads, reason = due(report), "heads that no anchor saw before"
    entries = [
        Entry(ANCHOR, by, "", reason, heads=tuple(heads[at : at + HEADS_A_LINE]))
        for at in range(0, len(heads), HEADS_A_LINE)
    ]
    return report, await auditor.write_all(entries)
