"""What can go wrong in a history: the hands of faults.py."""

from __future__ import annotations

from random import Random
from typing import Any

from streams.ports import Call, StoreDown
from tests.simulation.group import Group
from tests.simulation.kafka import Kafka
from tests.simulation.process import Process, Program
from tests.simulation.redis import RedisServer
from tests.simulation.scheduler import Effect, Scheduler

EXPOSURES = "exposures"


class Mishaps:
    """Part of History, which has these."""

    scheduler: Scheduler
    server: RedisServer
    kafka: Kafka
    group: Group
    rebuilding: bool
    _processes: list[Any]

    def ask_for_rebuild(self) -> None:
        raise NotImplementedError

    def rebuild_beside(self) -> bool:
        raise NotImplementedError

    def _program_of(self, effect: Effect) -> Program | None:
        return next((p for p in self._processes if p.actor is effect.actor), None)

    def crash(self, effect: Effect, *, done: bool) -> None:
        program = self._program_of(effect)
        if done:
            self.scheduler.advance(effect)
        if program is not None:
            program.die("killed")

    def lose_reply(self, effect: Effect, how: str) -> None:
        assert effect.down is not None
        if how == "lost_done":
            self.scheduler.lose_reply(effect, effect.down("the connection broke"))
        elif how == "lost_later":
            self.scheduler.note(effect.actor.name, effect.stage.label, "times out, but will still happen")
            self.scheduler.part(effect, effect.down("no reply in time"))
        else:
            self.scheduler.note(effect.actor.name, effect.stage.label, "is lost")
            self.scheduler.fail(effect, effect.down("the connection broke"))

    def repeat(self, effect: Effect) -> None:
        self.scheduler.twice(effect)

    def pause_publishing(self, effect: Effect) -> bool:
        """Only if it is about to publish an exposure, and somebody else is there to take its partitions."""
        label = effect.stage.label
        others = [p for p in self._processes if isinstance(p, Process) and not p.paused and p.actor is not effect.actor]
        if not others or not isinstance(label, tuple) or label[:2] not in (("publish", EXPOSURES), ("send", EXPOSURES)):
            return False
        effect.actor.paused = True
        self.scheduler.note(effect.actor.name, "is paused before it publishes")
        return True

    def lose_numbers(self, effect: Effect) -> bool:
        """Only if it is about to confirm what it published: Redis comes back without the numbers reserved for it."""
        call, writes = effect.stage.label, self.server.writes
        reserve = self.server.sha_of("standing_reserve")
        if not isinstance(call, Call) or call.name != "standing_confirm":
            return False
        at = max((i for i, args in enumerate(writes) if args[1] == reserve), default=None)
        if at is None:
            return False
        self._restart_redis(len(writes) - at)
        return True

    def _restart_redis(self, lost: int) -> None:
        self.scheduler.note("redis", f"restarts without its last {lost} of {len(self.server.writes)} writes")
        self.server.lose(lost)
        self.scheduler.drop(lambda e: e.future is None and e.down is StoreDown)

    def upset(self, kind: str, rng: Random) -> bool:
        """A fault of the world; False when it cannot be now."""
        note = self.scheduler.note
        workers = [p for p in self._processes if isinstance(p, Process)]
        awake = [p for p in workers if not p.paused]
        if kind == "pause" and len(awake) > 1:
            process = rng.choice(awake)
            process.actor.paused = True
            note(process.name, "is paused")
        elif kind == "wake" and len(awake) < len(workers):
            process = rng.choice([p for p in workers if p.paused])
            process.actor.paused = False
            note(process.name, "goes on")
        elif kind in ("move", "evict") and awake:
            note("kafka", f"rebalance, {kind}")
            self.group.rebalance(shuffle=True, evict=lambda: kind == "evict" and rng.random() < 0.7)
        elif kind in ("lose", "empty") and self.server.writes:
            count = len(self.server.writes)
            lost = count if kind == "empty" else min(count, rng.randint(1, rng.choice((2, 10, 60, 400))))
            self._restart_redis(lost)
        elif kind == "flush" and self.server.writes:
            note("redis", "FLUSHALL")
            self.server.empty()
            self.ask_for_rebuild()
        elif kind == "rebuild" and not self.rebuilding:
            note("operator", "truyvet rebuild")
            self.ask_for_rebuild()
        elif kind == "rebuild" and self.rebuild_beside():
            note("another operator", "truyvet rebuild")
        elif kind == "time_out" and (left := [p for p in self.kafka.producers() if self.kafka.has_open(p)]):
            note("kafka", f"gives up the transaction of {left[0]}")
            self.kafka.time_out(rng.choice(left))
        else:
            return False
        return True
