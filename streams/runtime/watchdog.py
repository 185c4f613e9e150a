"""Ends the process when a batch is in hand for too long, whatever the event loops do.

A thread of its own: a body that blocks the main loop is seen as well as one that waits for ever, and neither loop has
to be alive. Kafka's `max.poll.interval` cannot do this: it is kept per consumer, so one stuck batch goes unseen while
other partitions fetch; and when it does strike, aiokafka leaves the group for good and the process lives on, idle.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Collection

from streams.runtime.batch import Batch
from streams.runtime.exits import STUCK

logger = logging.getLogger("truyvet.worker")


class Watchdog:
    """`in_hand()` is called from the watchdog's thread and must give a collection that nobody else changes."""

    def __init__(self, in_hand: Callable[[], Collection[Batch]], timeout: float) -> None:
        self._in_hand, self._timeout = in_hand, timeout
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._stopped = threading.Event()

    def start(self) -> None:
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(min(1.0, self._timeout / 4)):
            now = time.monotonic()
            for batch in self._in_hand():
                if batch.started is not None and now - batch.started > self._timeout:
                    self._end(batch, now - batch.started)

    def _end(self, batch: Batch, age: float) -> None:
        try:
            logger.critical(
                "%r is in hand for %.0f s without a step forward, longer than %.0f s: the worker ends",
                batch,
                age,
                self._timeout,
            )
            # Not sys.stderr: mode may have put a logger in its place, which has no file descriptor to dump to.
            if sys.__stderr__ is not None:
                faulthandler.dump_traceback(file=sys.__stderr__, all_threads=True)
        finally:
            os._exit(STUCK)
