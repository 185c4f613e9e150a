"""Kafka and Redis as `truyvet up` keeps them: started again when they end, on the same port, with the same data."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from console.supervising import Backoff
from streams.runtime.process import CannotStart, Server


class Mender:
    """Of one server. Workers wait for it meanwhile, or start again; `say` is told what happens, in words."""

    def __init__(self, server: Server, say: Callable[[str], None]) -> None:
        self._server, self._say, self._backoff = server, say, Backoff()
        self._began, self._due = time.monotonic(), 0.0

    async def look(self) -> None:
        """To be called a few times a second, from the main thread (see die_with_parent)."""
        now = time.monotonic()
        if self._server.running():
            return
        if not self._due:
            self._due = now + self._backoff.after(now - self._began)
            self._say(f"{self._server.name} ended: {self._server.last_words()}; starting it again")
        if now < self._due:
            return
        self._due, self._began = 0.0, now
        try:
            self._server.launch()
            await asyncio.to_thread(self._server.wait_until_ready)
        except CannotStart as error:
            self._say(str(error))
