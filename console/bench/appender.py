"""One record at a time, acknowledged, by a producer that is warm: what a measured latency begins with."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from console.publishing import start_producer
from streams.runtime.settings import Settings


class Appender:
    """`async with Appender(settings) as append: await append("cases", "C-1", b"…")`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> Appender:
        self._producer: Any = await start_producer(self._settings, linger_ms=0)
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        await self._producer.stop()

    async def __call__(self, topic: str, key: str, value: bytes) -> None:
        await self._producer.send_and_wait(self._settings.topic_prefix + topic, value, key=key.encode())
