"""The step behind `decisions`: to release or refuse a held case, to confirm or dismiss an exposure.

One that comes before its case waits on its shelf: the evaluation reads it there.
"""

from __future__ import annotations

from schemas.decision import CaseDecision, Decision, ExposureDecision
from schemas.decoding import Problem, decode_decision
from streams.ports import Message
from streams.rules.codes import pseudonym_text
from streams.state import said
from streams.state.said import DECISIONS, EXPOSURE_OF, DecisionRow
from streams.steps.onrecord import on_record
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers
from streams.steps.winners import win


def field_of(decided: CaseDecision) -> bytes:
    """A case's field on the shelf. Exposures' ids are 16 bytes; the prefix keeps a case id of that length apart."""
    return b"case/" + decided.case_id.encode()


class Decisions(RegistryStep):
    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        decided = decode_decision(message.value, message.headers)
        if decided is None or isinstance(decided, Problem):
            return decided
        value = message.value or b""
        row = DecisionRow(
            decided.updated_at,
            self._digest(value),
            self._origin(message, topic),
            decided.decision,
            decided.by,
            decided.at,
        )
        field = field_of(decided) if isinstance(decided, CaseDecision) else bytes.fromhex(decided.exposure_id)
        await self._record(field, row, decided)
        store, log = self.worker.store, self.worker.log
        await win(store, log, DECISIONS, field, row, value, said.encode, said.decision_row)
        await self._announce("decision", DECISIONS, field)
        if isinstance(decided, CaseDecision):
            triggers.everybody(decided.case_id)
        elif about := await EXPOSURE_OF.read(self.worker.store, field):
            case_id, person = said.exposure_of_row(about)
            triggers.person(case_id, pseudonym_text(person))
        return None

    async def _record(self, field: bytes, row: DecisionRow, decided: Decision) -> None:
        """Also of one that loses: somebody took it. Only the one that stands is known when it comes again."""
        had = await DECISIONS.read(self.worker.store, field)
        if had and said.decision_row(had).digest == row.digest:
            return
        case_id = decided.case_id if isinstance(decided, CaseDecision) else None
        subject = decided.exposure_id if isinstance(decided, ExposureDecision) else decided.case_id
        reason = f"`{decided.decision}` on `decisions`"
        await on_record(self.worker, "decision", subject, reason, by=decided.by, case_id=case_id)
