"""What goes wrong in a history, and when. Each history allows a few kinds only: rare combinations come up more often
when not everything goes wrong everywhere (swarm testing, Groce et al., ISSTA 2012)."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol

from streams.ports import StoreDown
from tests.simulation.scheduler import Effect

# of an effect: its process dies before or after it · its reply is lost, with it done, not done or still to be done ·
# it happens twice, since its client asked again · its process is paused just before it publishes · Redis forgets the
# numbers of what was just published
ON_EFFECTS = (
    "crash_before",
    "crash_after",
    "lost_not_done",
    "lost_done",
    "lost_later",
    "twice",
    "pause_publishing",
    "lose_numbers",
)
# of the world: a process is paused or goes on · partitions move · Redis loses its last writes · is emptied, with and
# without a restart · somebody runs `truyvet rebuild` · the coordinator gives up an open transaction
ON_WORLD = ("pause", "wake", "move", "evict", "lose", "empty", "flush", "rebuild", "time_out")
KINDS = ON_EFFECTS + ON_WORLD
RARE = {"flush", "empty", "rebuild"}  # each costs a rebuild, the longest thing a history can do


class World(Protocol):
    """What faults.py can do to a history (history.py)."""

    def crash(self, effect: Effect, *, done: bool) -> None: ...
    def lose_reply(self, effect: Effect, how: str) -> None: ...
    def repeat(self, effect: Effect) -> None: ...
    def pause_publishing(self, effect: Effect) -> bool: ...
    def lose_numbers(self, effect: Effect) -> bool: ...
    def upset(self, kind: str, rng: Random) -> bool: ...


@dataclass(frozen=True)
class Plan:
    """`kinds` that may happen, about every `gap` steps one, at most `count` in all."""

    kinds: tuple[str, ...]
    gap: int
    count: int

    @classmethod
    def of(cls, rng: Random) -> Plan:
        if rng.random() < 0.1:
            return cls((), 1, 0)  # order, batches and duplicates alone must be survived too
        kinds = tuple(k for k in KINDS if rng.random() < (0.12 if k in RARE else 0.45))
        return cls(kinds, rng.choice((15, 40, 120)), rng.choice((1, 2, 4, 8, 12)))


class Faults:
    """The plan at work: asked at each step whether the chosen effect goes as it should."""

    def __init__(self, plan: Plan, world: World, rng: Random) -> None:
        self._plan, self._world, self._rng = plan, world, rng
        self._left = plan.count if plan.kinds else 0
        self._wait = self._pause()

    def _pause(self) -> int:
        return int(self._rng.expovariate(1 / self._plan.gap)) + 1

    def strike(self, effect: Effect) -> bool:
        """True: what becomes of the effect in this step was decided here."""
        if not self._left:
            return False
        self._wait -= 1
        if self._wait > 0:
            return False
        kind = self._rng.choice(self._plan.kinds)
        if kind in ON_WORLD:
            struck = self._world.upset(kind, self._rng)
        else:
            struck = self._on_effect(kind, effect)
        if struck:
            self._left -= 1
            self._wait = self._pause()
        return struck

    def _on_effect(self, kind: str, effect: Effect) -> bool:
        if effect.future is None:
            return False  # nobody is there to crash or to miss the reply
        if kind.startswith("crash"):
            self._world.crash(effect, done=kind == "crash_after")
            return True
        if effect.down is None:
            return False
        if kind == "pause_publishing":
            return self._world.pause_publishing(effect)
        if kind == "lose_numbers":
            return self._world.lose_numbers(effect)
        if kind == "twice":
            if effect.down is not StoreDown:
                return False  # Kafka's producers are idempotent: asking again appends nothing
            self._world.repeat(effect)
        else:
            self._world.lose_reply(effect, kind)
        return True
