"""The audit log for one command: a chain of its own, and the whole log read back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from console.times import now_ms
from console.trouble import Trouble
from streams.steps.audit import TOPIC, Auditor, read_log

if TYPE_CHECKING:
    from streams.rules.auditchain import Kept
    from streams.runtime.kafka import KafkaLog
    from streams.runtime.settings import Settings


class _Wall:
    def now_ms(self) -> int:
        return now_ms()


@asynccontextmanager
async def open_log(settings: Settings) -> AsyncIterator[KafkaLog]:
    """Kafka for as long as the block runs. Raises Trouble when it does not answer."""
    from streams.runtime.exits import LogDown
    from streams.runtime.kafka import KafkaLog

    log = await KafkaLog.open(settings)
    try:
        yield log
    except LogDown as down:
        raise Trouble(str(down)) from None
    finally:
        await log.close()


def auditor(log: KafkaLog) -> Auditor:
    """A new chain: each run of a command that audits is a process of its own."""
    return Auditor(log, _Wall())


async def lines_now(log: KafkaLog) -> tuple[list[Kept], dict[int, int]]:
    """As `streams.steps.audit.read_log`."""
    return await read_log(log, log.partitions(TOPIC))
