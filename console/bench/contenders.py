"""What runs against each other: a worker of ours and the peers, as child processes whose progress can be seen."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

from console.bench.system import KEY
from console.trouble import Trouble
from streams.ports import Call
from streams.runtime.process import die_with_parent
from streams.runtime.redis import RedisStore
from streams.runtime.settings import Settings
from streams.state.generation import read_offsets
from streams.state.layout import RECORD

PATIENCE = 3_600.0  # a peer takes its time with millions of scans
LOOK = 0.005  # seconds between two looks at a contender's progress


class Contender(Protocol):
    """One run of a contender on fresh topics."""

    @property
    def pid(self) -> int: ...
    async def reach(self, mark: int) -> None:
        """Return when mark `mark` (0: what it warms up with, 1: everything) is worked off. Raises Trouble."""
        ...

    async def kept(self) -> int | None:
        """How many scans are in its Redis; None where it keeps none."""
        ...

    def stop(self) -> None: ...


def of_ours(module: str, *arguments: str) -> list[str]:
    """The command of a Python program of ours."""
    return [sys.executable, "-m", module, *arguments]


class Child:
    """A program with its log in a file."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
                preexec_fn=die_with_parent,
            )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._heard = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def lines(self) -> int:
        """How many lines it has printed so far. Raises Trouble when it has ended."""
        assert self._process.stdout is not None
        self._heard += self._process.stdout.read() or b""
        if self._process.poll() is not None:
            words = self._log.read_text("utf-8", "replace").strip().splitlines()[-3:]
            raise Trouble(f"a contender ended with {self._process.returncode}: {' / '.join(words)}")
        return self._heard.count(b"\n")

    def heard(self) -> list[bytes]:
        """The whole lines that were there at the last look."""
        return self._heard.split(b"\n")[:-1]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Peer:
    """A program of `console.bench.peers`; `marks` = scans after the warm-up, scans in all."""

    def __init__(self, name: str, settings: Settings, marks: Sequence[int], log: Path, counter: str | None) -> None:
        self._settings, self._counter, self._marks = settings, counter, marks
        environment = {
            "PEER_KAFKA": settings.kafka,
            "PEER_REDIS": settings.redis,
            "PEER_TOPIC": settings.topic_prefix + "scans",
            "PEER_MARKS": ",".join(map(str, marks)),
        }
        arguments = ["worker", "--without-web"] if name == "stock_faust" else []
        self._child = Child(of_ours(f"console.bench.peers.{name}", *arguments), environment, log)

    @property
    def pid(self) -> int:
        return self._child.pid

    async def reach(self, mark: int) -> None:
        await said(self._child, b"%d" % self._marks[mark])

    async def kept(self) -> int | None:
        if self._counter is None:
            return None
        async with Redis.from_url(self._settings.redis) as redis:
            return int(await redis.get(self._counter) or 0)

    def stop(self) -> None:
        self._child.stop()


class Ours:
    """`truyvet worker`; `marks` in records. How far it is stands in Redis, written after all effects of a batch."""

    def __init__(self, settings: Settings, marks: Sequence[int], log: Path) -> None:
        self._marks = marks
        self._child = Child(of_ours("console.main", "worker"), environment_of(settings), log)
        self._settings = settings

    @property
    def pid(self) -> int:
        return self._child.pid

    async def reach(self, mark: int) -> None:
        async with opened(self._settings) as store:

            async def done() -> bool:
                self._child.lines()
                offsets = await read_offsets(store)
                return sum(n for (topic, _), n in offsets.items() if topic == "scans") >= self._marks[mark]

            await reached(done)

    async def kept(self) -> int | None:
        async with opened(self._settings) as store:
            keys = [key async for key in store.client.scan_iter("tv:v:*", 1000)]
            return sum(await store.run([Call("STRLEN", (key,)) for key in keys])) // RECORD

    def stop(self) -> None:
        self._child.stop()


def environment_of(settings: Settings) -> dict[str, str]:
    """What a child of ours needs to know."""
    return {
        "TRUYVET_KAFKA": settings.kafka,
        "TRUYVET_REDIS": settings.redis,
        "TRUYVET_TOPIC_PREFIX": settings.topic_prefix,
        "TRUYVET_KEY": KEY.decode(),
    }


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[RedisStore]:
    """A system's Redis, closed again."""
    store = await RedisStore.open(settings.redis)
    try:
        yield store
    finally:
        await store.close()


async def said(child: Child, line: bytes) -> None:
    """Return when it has said a line. Not how many lines it has said: Faust greets, and the end of its warm-up was
    taken for the end. Raises Trouble."""

    async def done() -> bool:
        child.lines()
        return line in child.heard()

    await reached(done)


async def reached(done: Callable[[], Awaitable[bool]]) -> None:
    """Return when it is. Raises Trouble after an hour."""
    deadline = time.monotonic() + PATIENCE
    while not await done():
        if time.monotonic() > deadline:
            raise Trouble(f"a contender was not done within {PATIENCE:.0f} s")
        await asyncio.sleep(LOOK)
