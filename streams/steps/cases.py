"""The step behind `cases`: who has a positive test, and since when."""

from __future__ import annotations

from schemas.decoding import Problem, decode_case
from streams.ports import Message
from streams.rules.codes import pseudonym_text
from streams.state import cases
from streams.state.cases import CaseRow, CaseTable
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers
from streams.steps.winners import win
from streams.steps.worker import Worker


class Cases(RegistryStep):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._table = CaseTable()

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        case = decode_case(message.value, message.headers)
        if case is None or isinstance(case, Problem):
            return case
        value = message.value or b""
        new = CaseRow(
            case_id=case.case_id,
            person=pseudonym_text(await self._person(case.person, case.reported_at)),
            status=case.status,
            sampled_at=case.sampled_at,
            onset_at=case.onset_at,
            isolated_at=case.isolated_at,
            negative_at=case.negative_at,
            reported_at=case.reported_at,
            updated_at=case.updated_at,
            digest=self._digest(value),
            origin=self._origin(message, topic),
        )
        store, log = self.worker.store, self.worker.log
        await win(store, log, self._table, case.case_id, new, value, cases.encode_row, cases.decode_row)
        await self._announce("case", self._table, case.case_id)
        triggers.everybody(case.case_id)
        return None
