"""Python's garbage collector in a worker: it would look through thousands of live records a batch and find nothing."""

from __future__ import annotations

import gc

YOUNG = 100_000


def calm() -> None:
    """To be called once, when everything that lives as long as the process is there.

    By default the collector runs every 700 new objects, and a fetch is 5,000 records, all alive until their batch is
    done: a sixth of a worker's time went there. What is really in a circle (a failed task and its traceback) can wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
