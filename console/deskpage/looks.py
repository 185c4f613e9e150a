"""What the desk asks of Kafka and of the rules, each look at a person on record before it is answered (rule 10)."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from console.deskpage.proposals import NotAllowed
from streams.ports import StoreChanged, StoreDown
from streams.runtime.exits import LogDown
from streams.steps.audit import Auditor, NotAudited

if TYPE_CHECKING:
    from console.deskpage.desk import LateStore
    from streams.runtime.kafka import KafkaLog
    from streams.runtime.settings import Settings
    from streams.steps.f2 import Chain
    from streams.steps.worker import Worker

logger = logging.getLogger("truyvet.desk")
_PATIENCE = 10.0
_AT_ONCE = 2
"""Explanations and graphs that are worked out at the same time: they take a core each."""


class Away(Exception):
    """Kafka or Redis does not answer, or the state is being rebuilt. `why` is a key of words.py."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Looks:
    """One audit chain of this process; connections that are opened when they are first needed, and stay."""

    def __init__(self, settings: Settings, store: LateStore) -> None:
        self._settings, self._store = settings, store
        self._log: KafkaLog | None = None
        self._auditor: Auditor | None = None
        self._opening = asyncio.Lock()
        self._working = asyncio.Semaphore(_AT_ONCE)

    async def _kafka(self) -> KafkaLog:
        from streams.runtime.kafka import KafkaLog

        async with self._opening:
            if self._log is None:
                try:
                    async with asyncio.timeout(_PATIENCE):
                        self._log = await KafkaLog.open(self._settings)
                except Exception as error:  # whatever Kafka's client raises: it is away
                    logger.warning("Kafka: %s", type(error).__name__)
                    raise Away("no_kafka") from None
            return self._log

    async def close(self) -> None:
        if self._log is not None:
            with suppress(Exception):
                await self._log.close()

    # -- looks

    async def on_record(self, by: str, subject: str, reason: str, case_id: str | None = None) -> None:
        """Returns when the audit has the line; raises Away when it may not have it: then nothing is to be shown."""
        log = await self._kafka()
        if self._auditor is None:
            self._auditor = Auditor(log, log.clock)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._auditor.write("look", by=by, subject=subject, reason=reason, case_id=case_id)
        except (NotAudited, TimeoutError):
            raise Away("not_audited") from None

    async def explanation(self, by: str, exposure_id: str, case_id: str) -> dict[str, Any]:
        """As `truyvet explain --json`. Raises Away; streams.steps.explain.NoExposure."""
        from streams.steps.explain import explain

        await self.on_record(by, exposure_id, "desk: explanation", case_id)
        async with self._working:
            worker = await self._worker()
            try:
                return await explain(worker, exposure_id)
            except (StoreDown, StoreChanged):
                raise Away("no_redis") from None

    async def chain(self, by: str, case_id: str) -> Chain | None:
        """As `truyvet f2`; None when nobody reported such a case. Raises Away."""
        from streams.steps.f2 import f2_of

        await self.on_record(by, case_id, "desk: contact graph", case_id)
        async with self._working:
            worker = await self._worker()
            try:
                return await f2_of(worker, case_id)
            except (StoreDown, StoreChanged):
                raise Away("no_redis") from None

    async def _worker(self) -> Worker:
        from streams.runtime.serving import make_worker
        from streams.steps.worker import ready_generation

        log = await self._kafka()
        try:
            store = await self._store.opened()
            generation = await ready_generation(store)
        except (StoreDown, StoreChanged):
            raise Away("no_redis") from None
        if generation is None:
            raise Away("rebuilding")
        # Made anew for each question: its copies of the tables are then those of now.
        return make_worker(self._settings, store, log, generation.id)

    # -- decisions

    async def decide(self, by: str, field: str, about: str, decision: str, note: str) -> None:
        """Publish a decision about a case (`field` case_id) or an exposure. Returns when Kafka has it.

        Raises Away; NotAllowed where the note looks as if it held a personal code.
        """
        from console.times import now_ms, rfc3339
        from schemas.decision import decode_decision
        from schemas.problem import Problem
        from streams.ports import Out
        from streams.rules.auditchain import holds_code

        if holds_code(note):
            raise NotAllowed("code_in_note")
        message = {field: about, "decision": decision, "at": rfc3339(now_ms()), "by": by}
        if note:
            message["note"] = note
        value = json.dumps(message, ensure_ascii=False).encode()
        if isinstance(decode_decision(value), Problem):
            raise NotAllowed("bad_note")
        log = await self._kafka()
        try:
            async with asyncio.timeout(_PATIENCE):
                await log.send([Out("decisions", about.encode(), value)])
        except (LogDown, TimeoutError):
            raise Away("no_kafka") from None
