"""The step behind `policies`: figures that hold from a day on. A policy never changes (rule 9)."""

from __future__ import annotations

from schemas.decoding import Problem, decode_policy
from schemas.encoding import encode
from streams.ports import Message
from streams.rules.policy import PolicyConflict, PolicyError, make_policy
from streams.state.cases import CaseTable
from streams.steps.onrecord import on_record
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers
from streams.steps.worker import Worker

CONFLICT = "policy_conflict"


class Policies(RegistryStep):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._cases = CaseTable()

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        frame = decode_policy(message.value, message.headers)
        if frame is None or isinstance(frame, Problem):
            return frame
        worker, value = self.worker, message.value or b""
        try:
            policy = make_policy(frame.content, "", known_only=False)
        except PolicyError as error:
            return Problem("schema", f"/{error}", None, value)
        table = worker.policy_table
        while True:
            await worker.refresh()
            try:
                worker.policies.with_policy(policy)
            except PolicyConflict:
                return Problem(CONFLICT, "/id: expected the content known under this id, or another id", None, value)
            if policy.id not in table.rows:
                reason = f"taken in from `policies`: in force from {policy.in_force_from}"
                await on_record(worker, "policy", policy.id, reason, by="truyvet worker")
            # Where another one was put under this id meanwhile, compare with what is there now.
            if policy.id in table.rows or await table.put(worker.store, policy.id, b"", encode(frame)):
                break
        await self._announce("policy", table, policy.id)
        await worker.refresh()
        await self._cases.refresh(worker.store)
        for case_id, case in self._cases.rows.items():
            if worker.policies.of_time(case.reported_at).id == policy.id:
                triggers.everybody(case_id)
        return None
