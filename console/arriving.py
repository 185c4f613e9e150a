"""Lines that come in their own time, as from a pipe that somebody writes to now and then."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

_MOST = 10_000


class Arriving:
    """Reads lines in a thread, so that waiting for the next one keeps nothing back that is already here."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._here: list[bytes] = []
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._ended = False

    async def chunks(self) -> AsyncIterator[list[bytes]]:
        """Lines that came since the last chunk, at least one, until the source ends. Raises what reading raised."""
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        # A daemon: it may hang in a read that never returns, and must not keep a stopped program alive.
        threading.Thread(target=self._read, args=(loop, news), daemon=True).start()
        while True:
            await news.wait()
            with self._changed:
                news.clear()
                lines, self._here = self._here, []
                ended = self._ended
                self._changed.notify()
            if lines:
                yield lines
            if ended:
                break
        if self._failure is not None:
            raise self._failure

    def _read(self, loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
        try:
            for line in self._lines:
                with self._changed:
                    # Kafka slower than the pipe: leave the rest in the pipe, not in memory.
                    while len(self._here) >= _MOST:
                        self._changed.wait()
                    self._here.append(line)
                    first = len(self._here) == 1
                if first:
                    loop.call_soon_threadsafe(news.set)
        except BaseException as failure:
            self._failure = failure
        finally:
            with self._changed:
                self._ended = True
            # The program may have ended first: then the loop is closed and nobody waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(news.set)
