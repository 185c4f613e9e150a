"""Workers that are started again when they end, as their supervisor would, and a wait for effects meanwhile."""

from __future__ import annotations

import re
import time

from streams.runtime.exits import AGAIN
from tests.pipeline.answers import check_answer, check_revisions
from tests.pipeline.system import Program, System


class Crew:
    """`living` are those that ought to run. One that ends by itself must say so with the code for "start me again"
    (Redis was changed, another worker owns the partition): whatever else is a fault."""

    def __init__(self, system: System, count: int) -> None:
        self.system = system
        self.again = 0
        self.may_end_with: tuple[int, ...] = (AGAIN,)
        self.living: list[Program] = []
        for _ in range(count):
            self.join(ready=True)

    def join(self, *, ready: bool = False) -> Program:
        self.living.append(self.system.worker(ready=ready))
        return self.living[-1]

    def kill(self, victim: Program) -> None:
        """kill -9, and another in its place."""
        self.living.remove(victim)
        victim.kill()
        self.join()

    def look(self) -> None:
        """Start again who ended. From the main thread: children die with the thread that made them."""
        for worker in [worker for worker in self.living if not worker.alive]:
            code = worker.wait()
            # Or it came up while a part was down, and said so.
            early = code == 1 and re.search("no (Kafka|Redis) answers", worker.words())
            assert code in self.may_end_with or early, f"a worker ended with {code}:\n{worker.words()[-9000:]}"
            self.again += 1
            self.living.remove(worker)
            self.join()

    def wait(self, seconds: float) -> None:
        """With whoever ended started again, as its supervisor would."""
        until = time.monotonic() + seconds
        while True:
            self.look()
            if time.monotonic() >= until:
                return
            time.sleep(0.05)

    def settle(self, patience: float = 120.0) -> None:
        """`truyvet wait`, with the crew looked after."""
        log = self.system.folder / "wait.log"
        waiting = Program(
            ["-m", "console.main", "wait", "--timeout", f"{patience:.0f}"], log, self.system.environment()
        )
        while waiting.alive:
            self.look()
            time.sleep(0.05)
        if waiting.wait() != 0:
            begun = [self.system.redis_command("KEYS", f"tv:{what}:*") for what in ("pend", "todo")]
            words = "".join(worker.words()[-3000:] for worker in self.living)
            raise AssertionError(f"{log.read_text()[-2000:]}begun and not done: {begun}\n{words}")

    def ends_well(self, patience: float, *, least: int) -> int:
        """When all has had its effects it is the brute force's answer, of more than `least` exposures; how many."""
        self.settle(patience)
        wanted = check_answer(self.system)
        check_revisions(self.system)
        assert len(wanted.exposures) > least, "nobody met anybody: the answer says nothing"
        return len(wanted.exposures)
