"""An asyncio event loop without sockets, threads or real time, so that a history depends on nothing but its seed.

Tasks, futures, locks and `gather` of the code under test work as ever. When no callback is ready the loop asks `idle`,
which lets one waiting effect happen; only when none waits does virtual time move on to the next timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any


class Stuck(Exception):
    """No callback is ready, no effect waits, no timer runs: the main coroutine would wait for ever."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """`idle(timers)` lets one effect happen and tells whether there was one; `timers`: some timer still runs."""

    def __init__(self, idle: Callable[[bool], bool]) -> None:
        super().__init__()
        self._idle = idle
        self._virtual = 0.0
        self._selector = self  # BaseEventLoop asks `self._selector.select(timeout)` for what happened outside
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._virtual

    def select(self, timeout: float | None) -> Sequence[Any]:
        if timeout == 0 or self._idle(timeout is not None):
            return ()
        if timeout is None:
            raise Stuck("nothing is left that could happen")
        self._virtual += timeout
        return ()

    def _process_events(self, event_list: Sequence[Any]) -> None:
        """Nothing ever happens outside of `idle`."""

    def _write_to_self(self) -> None:
        """Would wake a sleeping selector from another thread; there is neither."""
