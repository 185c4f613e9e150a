"""A real Kafka and Redis for a whole test run, and worker processes to be started, killed and paused.

def test_something(servers, tmp_path):
    with System(servers, tmp_path) as system:        # topics and Redis of its own
        worker = system.worker()
        system.publish("scans", [b"..."])
        system.settle()
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from streams.runtime.embedded import EmbeddedKafka, EmbeddedRedis
from streams.runtime.process import die_with_parent
from streams.runtime.redis import RedisStore
from streams.runtime.settings import Settings
from streams.runtime.topics import ensure_topics
from tests.pipeline.broker import PARTITIONS, Kafka

__all__ = ["KEY", "PARTITIONS", "Kafka", "Program", "Servers", "System", "wait_until"]

ROOT = Path(__file__).resolve().parents[2]
KEY = "a key for tests only, made of 32 characters and more"

_numbers = count(1)


def wait_until(condition: Callable[[], Any], patience: float = 30.0, pause: float = 0.05, what: str = "") -> Any:
    """The first true result of `condition`; fails the test when there is none in time."""
    until = time.monotonic() + patience
    while not (result := condition()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {patience:.0f} s: {what or condition}")
        time.sleep(pause)
    return result


@dataclass
class Servers:
    """One Kafka, started once for all tests; data folder for whoever wants a Redis of its own."""

    kafka: EmbeddedKafka
    folder: Path

    def name(self) -> str:
        """A name that no other test uses: for a topic prefix, a group, a folder."""
        return f"t{os.getpid()}-{next(_numbers)}-"


class Program:
    """A child process with its log in a file; gone when the test ends, however it ends."""

    def __init__(self, words: Sequence[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as out:
            self._child = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def words(self) -> str:
        return self.log.read_text(errors="replace")

    def wait(self, patience: float = 30.0) -> int:
        """Its exit code (negative: the signal that killed it)."""
        try:
            return self._child.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still alive after {patience:.0f} s:\n{self.words()[-3000:]}") from None

    def wait_ready(self, patience: float = 30.0) -> None:
        wait_until(lambda: " ready" in self.words() or not self.alive, patience, what="worker ready")
        assert self.alive, self.words()[-3000:]

    def send(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def terminate(self, patience: float = 30.0) -> int:
        """SIGTERM; its exit code."""
        self.send(signal.SIGTERM)
        return self.wait(patience)

    def kill(self) -> None:
        """kill -9."""
        self._child.kill()
        self._child.wait()

    def pause(self) -> None:
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        self.send(signal.SIGCONT)


class System:
    """The whole system: topics under a prefix of its own, a Redis of its own, workers. Ends them all when left."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        *,
        partitions: int = PARTITIONS,
        env: dict[str, str] | None = None,
        redis: Any = None,
    ) -> None:
        """`redis`: what is taken instead of a server of its own, not started yet (a cluster)."""
        self.servers, self.folder, self.partitions = servers, folder, partitions
        self.prefix = servers.name()
        self.redis = redis or EmbeddedRedis(folder / "redis")
        self.kafka = Kafka(servers.kafka.address)
        self._env = env or {}
        self.workers: list[Program] = []

    def __enter__(self) -> System:
        self.redis.start()
        try:
            asyncio.run(ensure_topics(self.settings(), self.partitions))
        except BaseException:
            self.redis.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.kill()
        self.redis.stop()

    def environment(self) -> dict[str, str]:
        return {
            "TRUYVET_KAFKA": self.servers.kafka.address,
            "TRUYVET_REDIS": self.redis.url,
            "TRUYVET_KEY": KEY,
            "TRUYVET_TOPIC_PREFIX": self.prefix,
            "TRUYVET_SESSION_SECONDS": "6",
            "TRUYVET_ALERT_SECONDS": "1",
            **self._env,
        }

    def settings(self) -> Settings:
        return Settings.load(self.environment())

    def worker(self, *, ready: bool = True, **env: str) -> Program:
        """Start one; `ready=False` does not wait until it takes part."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        worker = Program(["-m", "console.main", "worker"], log, {**self.environment(), **env})
        self.workers.append(worker)
        if ready:
            worker.wait_ready()
        return worker

    def run(self, *words: str, patience: float = 60.0) -> subprocess.CompletedProcess[bytes]:
        """A `truyvet` command on this system."""
        return subprocess.run(
            [sys.executable, "-m", "console.main", *words],
            cwd=ROOT,
            env={**os.environ, **self.environment()},
            capture_output=True,
            timeout=patience,
            check=False,
        )

    # -- records

    def publish(self, topic: str, records: Sequence[Any], *, key: str | None = None, at_ms: int | None = None) -> None:
        """Records as objects (JSON is made of them) or bytes; `key` = the field that is the key."""
        made = [
            (str(r[key]).encode() if key is not None else None, r if isinstance(r, bytes) else orjson.dumps(r))
            for r in records
        ]
        self.kafka.send(self.prefix + topic, made, at_ms)

    def settle(self, patience: float = 60.0) -> None:
        """Until everything published has had all its effects (`truyvet wait`)."""
        from console.waiting import wait_for_effects

        async def run() -> dict[str, int]:
            store = await self.store()
            try:
                return await wait_for_effects(self.settings(), store, patience)
            finally:
                await store.close()

        left = asyncio.run(run())
        logs = "\n".join(worker.words()[-2000:] for worker in self.workers)
        assert not left, f"not done after {patience:.0f} s: {left}\n{logs}"

    def records(self, topic: str, *, committed: bool = True) -> list[Any]:
        """All values of one of our topics, decoded."""
        return [
            orjson.loads(r.value)
            for r in self.kafka.read(self.prefix + topic, committed=committed, partitions=self.partitions)
            if r.value
        ]

    def exposures(self) -> dict[str, Any]:
        """What stands and what was withdrawn: exposure_id → the record with the highest revision."""
        found: dict[str, Any] = {}
        for record in self.records("exposures"):
            had = found.get(record["exposure_id"])
            if had is None or had["revision"] < record["revision"]:
                found[record["exposure_id"]] = record
        return found

    async def store(self) -> RedisStore:
        return await RedisStore.open(self.redis.url, patience=5.0)

    def redis_command(self, *words: str | int | bytes) -> Any:
        """One plain Redis command, from outside of the system."""

        async def run() -> Any:
            store = await self.store()
            try:
                return await store.client.execute_command(*words)
            finally:
                await store.close()

        return asyncio.run(run())
