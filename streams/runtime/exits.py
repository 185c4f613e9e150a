"""How a worker process ends, so that a supervisor can tell "it did as asked" from "start it again".

| code | means | a supervisor |
|---|---|---|
| 0 | SIGTERM or SIGINT: the work in hand is done and committed | leaves it |
| 70 | a fault of the code, or of Kafka, that trying again in this process would not mend | starts it again |
| 71 | the watchdog: a batch was in hand longer than it may be | starts it again |
| 75 | start again: Redis changed or is away, Kafka is away, another worker owns the partition | starts it again |

Nothing that was in hand is committed in any case but the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import threading
from collections.abc import Iterable
from typing import Any, NoReturn

from aiokafka.errors import KafkaError

from streams.ports import Fenced, StoreChanged, StoreDown

DONE, FAILED, STUCK, AGAIN = 0, 70, 71, 75

logger = logging.getLogger("truyvet.worker")


class LogDown(Exception):
    """Kafka did not answer, or refused what it may take later: the record may be there or not. The worker ends."""


_START_AGAIN = (StoreDown, StoreChanged, Fenced, LogDown)


def code_of(error: BaseException | None) -> int:
    """The exit code for what ended the worker; causes count, since Faust may wrap what a step raised."""
    while error is not None:
        # A broker that goes down while a worker starts: aiokafka's own words for it.
        if isinstance(error, _START_AGAIN) or (isinstance(error, KafkaError) and error.retriable):
            return AGAIN
        error = error.__cause__
    return FAILED


async def end_tasks(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel these, and wait until they are done, however they end.

    Again each second: a cancellation can be lost. asyncio.wait_for of Python 3.11, which libraries use, gives the
    result instead where both come at once; a worker's tick then went on for ever while everything else had ended.
    """
    all_ = waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=1.0)
    await asyncio.gather(*all_, return_exceptions=True)  # seen: nobody has to say that nobody looked


def deadline(seconds: float, code: int) -> threading.Timer:
    """End the process with `code` in any case. A crash can hang for ever: threads wait for each other's answers.

    It says what hung: lines of code, no values.
    """

    def end() -> None:
        logger.critical("not ended within %.0f s: killed", seconds)
        for task in _tasks():
            with contextlib.suppress(Exception):  # tasks come and go while they are looked at
                logger.critical("unfinished: %s", _where(task))
        logging.shutdown()
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # "can't start new thread": there is no memory
        end_now(code)
    return timer


def _tasks() -> list[asyncio.Task[Any]]:
    """Of all event loops: Faust's consumer has one in a thread of its own, and what hangs may hang there."""
    gc.unfreeze()  # collector.py: what was there at the start is not shown
    return [one for one in gc.get_objects() if isinstance(one, asyncio.Task) and not one.done()]


def _where(task: asyncio.Task[Any]) -> str:
    """What it does and at which lines it waits, the innermost first."""
    lines: list[str] = []
    at: Any = task.get_coro()
    while at is not None:
        frame = getattr(at, "cr_frame", None) or getattr(at, "gi_frame", None) or getattr(at, "ag_frame", None)
        if frame is not None:
            lines.append(f"{frame.f_code.co_filename[-40:]}:{frame.f_lineno}")
        at = getattr(at, "cr_await", None) or getattr(at, "gi_yieldfrom", None) or getattr(at, "ag_await", None)
    return f"{getattr(task.get_coro(), '__qualname__', '?')} at {' < '.join(reversed(lines))}"


def end_now(code: int) -> NoReturn:
    """Without memory no ending in order can be relied on: agents that could not start a thread left a worker that kept
    its partitions and did nothing."""
    os.write(2, b"no memory: the worker ends\n")
    os._exit(code)


def without_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def heed_memory(loop: asyncio.AbstractEventLoop) -> None:
    """A task of somebody else's (aiokafka, Faust) that died for want of memory ends the process: nobody would miss it,
    and nothing would be fetched any more."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if without_memory(context.get("exception")):
            end_now(FAILED)
        loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
