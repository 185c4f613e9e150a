"""Everything on this machine, as `truyvet up` runs it: Kafka, Redis, topics, workers, page; its start and its end."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from console.daily import Daily
from console.deskpage.users import first_users
from console.heldfile import HeldFile, read_held
from console.joining import members
from console.mending import Mender
from console.ownkey import key_file
from console.page import listening, url_of
from console.publishing import partitions_of
from console.signals import ENDING, second_signal_kills, stoppable
from console.state import UP
from console.stores import open_store
from console.supervising import Crew, keep_short
from console.trouble import Trouble, WrongUse, kafka_at
from streams.runtime.embedded import EmbeddedKafka, EmbeddedRedis
from streams.runtime.exits import end_tasks
from streams.runtime.process import CannotStart, make_folder
from streams.runtime.settings import RUN_FILE, Settings
from streams.runtime.topics import ensure_topics
from streams.steps.worker import ready_generation

PARTITIONS = 4
WORKER = (sys.executable, "-m", "console.main", "worker")
DESK = (sys.executable, "-m", "console.main", "desk", "serve")
FOLDER = "desk"
"""Of the desk page's files in the data folder."""
_LOOK = 0.2
_JOIN = 60.0
_BELIEVE = 10.0
_LAST_BATCH = 20.0
_LAST_PAGE = 5.0
_PAGE_LATEST = 4.0
_LAST_MOMENTS = 5.0
"""seconds that a Kafka without a disk takes to end, after it answers nobody any more"""


class System:
    """`System(…).run()` from the main thread: returns after SIGTERM or Ctrl-C; raises CannotStart or Trouble."""

    def __init__(
        self, data: Path, workers: int, partitions: int | None, ports: tuple[int | None, int | None, int]
    ) -> None:
        make_folder(data)
        self.data = data.resolve()
        # Not from the run file: that tells of another `up`, whose key and servers are none of ours.
        self._given = Settings.load(run_file=None)
        self._held = self._claim()
        self._run_file: HeldFile | None = None
        self._wanted = partitions
        self._page_port = ports[2]
        self.kafka = EmbeddedKafka(self.data / "kafka", ports[0])
        self.redis = EmbeddedRedis(self.data / "redis", ports[1])
        self.page = ""
        self._listening: socket.socket | None = None
        self._desk: Crew | None = None
        self._key = key_file(self.data, self._given.key)
        self.settings = replace(self._given, kafka=self.kafka.address, redis=self.redis.url, kafka_security={})
        self._own = self._our_settings()
        self._logs = self.data / "logs"
        self._workers = Crew("worker", workers, WORKER, self._logs)

    def _claim(self) -> HeldFile:
        path = self.data / "up.json"
        held = HeldFile.claim(path)
        if held is None:
            pid = (read_held(path) or {}).get("pid", "?")
            raise Trouble(f"`truyvet up` (pid {pid}) uses {self.data} already: end it, or choose another with --data")
        return held

    def _our_settings(self) -> dict[str, str]:
        """The settings under which a worker, or any other command, works on this system."""
        own = {
            "TRUYVET_KAFKA": self.kafka.address,
            # Our broker speaks plaintext, whatever .env says of the one in production.
            "TRUYVET_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "TRUYVET_REDIS": self.redis.url,
        }
        if self._key is not None:
            own["TRUYVET_KEY_FILE"] = str(self._key)
        return own

    # --- from start to end -------------------------------------------------------------------------------------------

    def run(self) -> None:
        with stoppable():
            try:
                make_folder(self._logs)
                for server in (self.redis, self.kafka):
                    keep_short(server.log)
                    server.start()
                with kafka_at(self.settings), self._blamed():
                    asyncio.run(self._until_stopped())
            except KeyboardInterrupt:
                pass
            finally:
                second_signal_kills()
                self._end()

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """Our own Kafka or Redis that ended (a full disk, say) is the reason for what went wrong after it: "no Kafka
        answers" would send people looking for one."""
        try:
            yield
        except Exception as error:
            until = time.monotonic() + (0.0 if isinstance(error, CannotStart | WrongUse) else _LAST_MOMENTS)
            while True:
                for server in (self.redis, self.kafka):
                    if not server.running():
                        why = f"{server.name} ended: {server.last_words()} (all of it in {server.log})"
                        raise CannotStart(why) from None
                if time.monotonic() >= until:
                    raise
                time.sleep(_LOOK)

    def _end(self) -> None:
        """Workers first: what they have in hand is finished and committed while Kafka and Redis are there."""
        if self._run_file is not None:
            self._run_file.release()
        if self._desk is not None:
            self._desk.stop(_LAST_PAGE)
        if self._listening is not None:
            self._listening.close()
        self._workers.stop(_LAST_BATCH)
        self.kafka.stop()
        self.redis.stop()
        self._held.release()

    async def _until_stopped(self) -> None:
        stop = asyncio.Event()
        for number in ENDING:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await self._topics()
        _, self._gone = await members(self.settings)
        self._workers.start({**os.environ, **self._own})
        self._listening = listening(self._page_port)
        self.page = url_of(self._listening)
        keeper = asyncio.create_task(self._keep_running())
        stopped = asyncio.create_task(stop.wait())
        ready = asyncio.create_task(self._announce())
        page = asyncio.create_task(self._serve_page(ready))
        try:
            await asyncio.wait([ready, stopped, keeper], return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
                await asyncio.wait([stopped, keeper], return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                keeper.result()
        finally:
            await end_tasks([ready, page, keeper, stopped])

    async def _serve_page(self, ready: asyncio.Task[None]) -> None:
        """Its process begins when the workers are there: its toolkit would cost their start a second of a core."""
        await asyncio.wait([ready], timeout=_PAGE_LATEST)
        passwords = await asyncio.to_thread(first_users, self.data / FOLDER)
        assert self._listening is not None
        number = self._listening.fileno()
        command = (*DESK, "--data", str(self.data), "--fd", str(number), "--up", str(self._held.path))
        desk = Crew("desk", 1, command, self._logs, pass_fds=(number,))
        desk.start({**os.environ, **self._own})
        self._desk = desk
        if passwords is not None:
            _say(f"the desk's first users and their passwords are in {passwords}: sign in at {self.page}")

    async def _topics(self) -> None:
        """Make what is missing. A folder keeps the number of partitions that it was begun with."""
        count = self._wanted or (self._given.partitions if "TRUYVET_PARTITIONS" in os.environ else PARTITIONS)
        there = None
        with suppress(Trouble):  # a new folder has none
            there = (await partitions_of(self.settings, "evaluate"))["evaluate"]
        if there is not None and self._wanted not in (None, there):
            raise WrongUse(f"--partitions: {self.data} was begun with {there}, and that cannot be changed")
        count = there or count
        await ensure_topics(self.settings, count)
        self.settings = replace(self.settings, partitions=count)
        self._own["TRUYVET_PARTITIONS"] = str(count)

    # --- ready -------------------------------------------------------------------------------------------------------

    def pids(self) -> dict[str, Any]:
        """Of now: `workers` has only those that run at this moment."""
        return {
            "kafka": self.kafka.pid if self.kafka.running() else None,
            "redis": self.redis.pid if self.redis.running() else None,
            "workers": self._workers.pids,
        }

    async def _announce(self) -> None:
        """Print the line when the workers have their partitions. Raises CannotStart when one ends before."""
        await self._workers_joined()
        self._tell_others()
        ready = {
            "ready": True,
            "kafka": self.kafka.address,
            "redis": self.redis.url,
            "page": self.page,
            "pids": self.pids(),
        }
        click.echo(json.dumps(ready))
        sys.stdout.flush()

    async def _workers_joined(self) -> None:
        """Wait for it. Raises CannotStart when a worker ends before; says so when they themselves wait."""
        wanted, began = len(self._workers.children), time.monotonic()
        while True:
            stable, there = await members(self.settings)
            if stable and len(there - self._gone) >= wanted:
                return
            for child in self._workers.children:
                if child.ends:
                    raise CannotStart(f"{child.name} does not start: {child.last_words()} (all of it in {child.log})")
            waited = time.monotonic() - began
            if waited > _BELIEVE and not there and await self._nothing_to_believe():
                _say("Redis has lost its state, and the workers wait: run `truyvet rebuild`")
                return
            if waited > _JOIN:
                _say(f"not all workers have their partitions after {_JOIN:.0f} s; see {self._logs}")
                return
            await asyncio.sleep(_LOOK)

    async def _nothing_to_believe(self) -> bool:
        async with open_store(self.settings) as store:
            return await ready_generation(store) is None

    def _tell_others(self) -> None:
        """The run file: every other command started in this folder talks to this system."""
        self._keep_said()
        self._run_file = HeldFile.claim(RUN_FILE)
        if self._run_file is None:
            _say("another `truyvet up` runs in this folder: other commands go on talking to that one")
            return
        lines = {**self._own, UP: str(self._held.path)}
        self._run_file.write("".join(f"{name}={value}\n" for name, value in lines.items()))
        seen = Settings.load()
        for name, ours, theirs in (
            ("TRUYVET_KAFKA", self.kafka.address, seen.kafka),
            ("TRUYVET_REDIS", self.redis.url, seen.redis),
        ):
            if ours != theirs:
                _say(f"{name} is set in the environment or .env: other commands talk to that, not to this system")

    def _keep_said(self) -> None:
        said = {"pid": os.getpid(), "kafka": self.kafka.address, "redis": self.redis.url, "page": self.page}
        self._held.write(json.dumps({**said, "pids": self.pids()}))

    # --- while it runs -----------------------------------------------------------------------------------------------

    async def _keep_running(self) -> None:
        daily = Daily(self.data / "daily", self._logs / "daily.log", {**os.environ, **self._own}, _say)
        try:
            await self._keep_all(daily)
        finally:
            daily.stop()

    async def _keep_all(self, daily: Daily) -> None:
        menders = [Mender(server, _say) for server in (self.kafka, self.redis)]
        said = self.pids()
        while True:
            for crew in (self._workers, self._desk):
                for words in crew.look() if crew is not None else ():
                    _say(words)
            for mender in menders:
                await mender.look()
            daily.look()
            if said != self.pids():
                said = self.pids()
                self._keep_said()
            await asyncio.sleep(_LOOK)


def _say(words: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} truyvet up: {words}", err=True)
