"""How a worker ends (streams/runtime/exits.py)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from streams.ports import StoreChanged
from streams.runtime.exits import AGAIN, DONE, FAILED
from streams.runtime.lifetime import live


class App:
    """As far as `live` knows one: `fails` is called while it runs."""

    batching = SimpleNamespace(timeout=0.0)

    def __init__(self, failure: BaseException | None, crash_reason: BaseException | None) -> None:
        self.failure, self.crash_reason = failure, crash_reason

    async def start(self) -> None: ...

    async def wait_until_stopped(self) -> None:
        await asyncio.sleep(0 if self.failure or self.crash_reason else 60)

    async def stop(self) -> None: ...


@pytest.mark.parametrize(
    ("failure", "crash_reason", "code"),
    [
        (StoreChanged("another Redis"), SystemExit(1), AGAIN),  # four agents failed at once: the supervisor gave up
        (ValueError("a fault of the code"), SystemExit(1), FAILED),
        (None, StoreChanged("noticed by the tick"), AGAIN),
        (None, SystemExit(1), FAILED),
    ],
)
async def test_the_code_says_why_the_first_batch_failed(
    failure: Any, crash_reason: Any, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.runtime.lifetime.deadline", lambda *_: None)
    assert await live(App(failure, crash_reason), asyncio.Event()) == code  # type: ignore[arg-type]


async def test_asked_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.runtime.lifetime.deadline", lambda *_: None)
    stop = asyncio.Event()
    stop.set()
    assert await live(App(None, None), stop) == DONE  # type: ignore[arg-type]


async def test_a_cancellation_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio.wait_for of Python 3.11 gives the result instead where both come at once: a tick that lost its
    cancellation so went on, and its worker, asked to end, was killed after 45 seconds."""
    monkeypatch.setattr("streams.runtime.lifetime.deadline", lambda *_: None)
    stop, lost = asyncio.Event(), 0

    async def tick() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    asyncio.get_running_loop().call_later(0.05, stop.set)
    async with asyncio.timeout(10):
        assert await live(App(None, None), stop, [tick()]) == DONE  # type: ignore[arg-type]
    assert lost == 1


@pytest.mark.parametrize(
    "how",
    [
        "deadline(60, 75)",  # the timer's thread cannot be started
        "asyncio.run(lost())",  # a task that nobody waits for
    ],
)
def test_without_memory_it_ends_at_once(how: str) -> None:
    """Agents that could not start the thread of a deadline left a worker that kept its partitions and did nothing."""
    program = f"""
import asyncio, gc, threading, time
from streams.runtime.exits import deadline, heed_memory

def refuse(thread):
    raise RuntimeError("can't start new thread")

async def hungry():
    raise MemoryError

async def lost():
    heed_memory(asyncio.get_running_loop())
    task = asyncio.ensure_future(hungry())
    await asyncio.sleep(0)
    del task
    gc.collect()
    await asyncio.sleep(60)

threading.Thread.start = refuse
{how}
time.sleep(60)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False)
    assert done.returncode in (AGAIN, FAILED), done.stderr
    assert b"no memory: the worker ends" in done.stderr
