"""What happens to a country's system in a bad week, one mishap a method: to workers, to Redis, to the broker."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

from streams.runtime.embedded import EmbeddedKafka
from streams.runtime.exits import AGAIN, DONE
from tests.pipeline.crew import Crew
from tests.pipeline.system import Program, System


class Mishaps:
    """On a system with a Kafka of its own. Each ends with all parts up again, though not yet at rest."""

    def __init__(self, system: System, kafka: EmbeddedKafka, crew: Crew, rng: random.Random) -> None:
        self.system, self.kafka, self.crew, self._rng = system, kafka, crew, rng

    def worker_killed(self) -> None:
        self.crew.kill(self._rng.choice(self.crew.living))

    def worker_leaves(self) -> None:
        """As an operator ends one: what it has in hand is done. Another comes."""
        self.crew.look()
        leaving = self._rng.choice(self.crew.living)
        self.crew.living.remove(leaving)
        self.crew.join()
        self._end(leaving)

    def worker_joins(self) -> None:
        """One more, and so a rebalance under load; the oldest goes when there are four."""
        self.crew.join()
        if len(self.crew.living) > 3:
            self._end(self.crew.living.pop(0))

    @staticmethod
    def _end(worker: Program) -> None:
        code = worker.terminate(60)
        # One that has hardly begun to start has nothing to finish, and ends by the signal.
        assert code in (DONE, AGAIN, -signal.SIGTERM), f"{code}: {worker.words()[-15000:]}"

    def worker_paused(self) -> None:
        """Beyond its session: it wakes up as a zombie, with its partitions in other hands."""
        victim = self._rng.choice(self.crew.living)
        victim.pause()
        self.wait(4 + 2 * self._rng.random())
        victim.go_on()

    def broker_paused(self, seconds: float = 10.0) -> None:
        os.kill(self.kafka.pid, signal.SIGSTOP)
        self.wait(seconds)
        os.kill(self.kafka.pid, signal.SIGCONT)

    def broker_killed(self) -> None:
        self.kafka.kill()
        self.wait(2 * self._rng.random())
        self.kafka.start()

    def redis_without_its_last_second(self) -> None:
        """Power is lost: what was not on disk is gone, in the middle of a command as often as not."""
        redis = self.system.redis
        (file,) = redis.data.rglob("*.incr.aof")
        before = file.stat().st_size
        self.wait(self._rng.random())
        redis.kill()
        written = file.stat().st_size
        with file.open("r+b") as log:
            log.truncate(self._rng.randint(min(before, written), written))
        redis.start()
        self.wait(1.0)

    def redis_emptied(self) -> None:
        """And made anew from Kafka, by hand as it must be."""
        self.system.redis_command("FLUSHALL")
        self.wait(1.0)
        done = self.system.run("rebuild", "--yes", patience=300)
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        self.wait(1.0)

    def wait(self, seconds: float) -> None:
        self.crew.wait(seconds)

    def all(self) -> list[Callable[[], None]]:
        return [
            self.worker_killed,
            self.worker_leaves,
            self.worker_joins,
            self.worker_paused,
            self.broker_paused,
            self.broker_killed,
            self.redis_without_its_last_second,
            self.redis_emptied,
        ]


def own_kafka(folder: Path) -> EmbeddedKafka:
    """One that may be stopped and killed: the session's would take every other test with it."""
    kafka = EmbeddedKafka(folder / "kafka", heap="384m")
    kafka.start()
    return kafka
