"""Where the page of a running system is, and how the system is, as the page tells at `/healthz` (console/deskpage)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from console.lag import Topics
from console.state import State, look
from console.stores import open_store
from console.trouble import Trouble, kafka_at, redis_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

_FRESH = 0.5
"""seconds that an answer is good for: many windows on the page are one question to Kafka"""
_PATIENCE = 5.0
Pids = Callable[[], dict[str, Any]]


class Health:
    """Asks Kafka and Redis, over connections that stay open; opens them anew after a failure."""

    def __init__(self, settings: Settings, pids: Pids) -> None:
        self._settings, self._pids = settings, pids
        self._open: AsyncExitStack | None = None
        self._asking = asyncio.Lock()
        self._last: tuple[float, dict[str, Any]] = (float("-inf"), {})

    async def now(self) -> dict[str, Any]:
        """The state as `truyvet status --json` has it; `{"state": "down", "trouble", "pids"}` when it cannot be had."""
        async with self._asking:
            if time.monotonic() - self._last[0] > _FRESH:
                self._last = (time.monotonic(), await self._ask())
            return self._last[1]

    async def _ask(self) -> dict[str, Any]:
        try:
            with kafka_at(self._settings), redis_at(self._settings):
                async with asyncio.timeout(_PATIENCE):
                    return dict(await self._look())
        except Trouble as trouble:
            words = trouble.format_message()
        except TimeoutError:
            words = f"no answer within {_PATIENCE:g} s"
        except Exception as error:  # the page is where people look when something is wrong: it stays up
            words = type(error).__name__
        await self.close()
        return {"state": "down", "trouble": words, "pids": self._pids()}

    async def _look(self) -> State:
        if self._open is None:
            async with AsyncExitStack() as stack:
                self._topics = await stack.enter_async_context(Topics(self._settings))
                self._store = await stack.enter_async_context(open_store(self._settings))
                self._open = stack.pop_all()
        return await look(self._topics, self._store, self._pids())

    async def close(self) -> None:
        stack, self._open = self._open, None
        if stack is not None:
            await stack.aclose()


def listening(port: int = 0) -> socket.socket:
    """A socket of the loopback that takes connections from now on (`port` 0 = a free one); OSError when it is taken.

    `truyvet up` keeps it open: who comes while the page's process starts, or is started again, waits and is answered.
    """
    return socket.create_server(("127.0.0.1", port), backlog=512)


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"
