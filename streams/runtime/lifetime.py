"""Run a Faust app until it is asked to end or something fails, and end it in order.

Faust's own worker class would do for a program that is only Faust; it has no say in the exit code, and replaces
standard error by a logger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from streams.runtime.app import BatchApp
from streams.runtime.collector import calm
from streams.runtime.exits import DONE, FAILED, code_of, deadline, end_tasks, heed_memory

logger = logging.getLogger("truyvet.worker")

STOP_PATIENCE = 15.0  # seconds, beside the batch in hand


async def live(app: BatchApp, stop: asyncio.Event, beside: Sequence[Coroutine[Any, Any, None]] = ()) -> int:
    """The exit code. `beside` runs as long as the app; what it raises ends the app as a crash does.

    At `stop` the batch in hand is finished and committed, which the watchdog limits.
    """
    heed_memory(asyncio.get_running_loop())
    running: list[asyncio.Future[Any]] = [asyncio.ensure_future(work) for work in (stop.wait(), _run(app), *beside)]
    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    # What a batch failed with comes first. The supervisor of its agent starts it again, and where four fail at once it
    # gives up with a SystemExit that says nothing of why.
    error = app.failure or next((task.exception() for task in done if task.exception() is not None), app.crash_reason)
    code = code_of(error) if error is not None else DONE if stop.is_set() else FAILED
    deadline(app.batching.timeout + STOP_PATIENCE, code or FAILED)
    if error is not None:
        logger.error("the worker ends with %d: %s: %s", code, type(error).__name__, error)
    await _stop(app)
    await end_tasks(running)
    # A batch that was in hand at `stop` may have failed: then the end is no clean one.
    late = app.failure or app.crash_reason
    return code or (code_of(late) if late is not None else DONE)


async def _run(app: BatchApp) -> None:
    """Until the app has crashed. Raises what kept it from starting."""
    await app.start()
    calm()
    logger.info("ready")
    await app.wait_until_stopped()


async def _stop(app: BatchApp) -> None:
    try:
        await app.stop()
    except Exception as error:
        logger.warning("while ending: %s", type(error).__name__)
