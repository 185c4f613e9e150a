"""Effects that wait, and the seeded choice of the one that happens next.

Whatever a simulated process does to the world outside (a call to Redis, a record to Kafka, a fetch) is an `Effect`: it
waits here until it is chosen, happens synchronously, and only then its caller goes on. Between two effects of one
process anything may happen to the others. A pipeline is one effect of several stages: its order is kept, but others
come in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Protocol

# Which line of work of a process an effect belongs to (a partition's pump, …); subtasks inherit it.
lane: ContextVar[str] = ContextVar("lane", default="main")


@dataclass(eq=False)
class Actor:
    """A process of the simulation, or the world itself. A paused one's effects wait; a dead one has none."""

    name: str
    paused: bool = False
    dead: bool = False


class Stage(NamedTuple):
    """One thing that happens at once. `label` is for the trace; it is made into text only when one is printed."""

    label: object
    act: Callable[[], Any]


@dataclass(eq=False, slots=True)
class Effect:
    """`future` None: nobody waits for it any more, but what was sent may still happen.

    `down`: what its caller sees when the other side does not answer; None: this effect cannot fail.
    `ready`: whether it can happen now (a fetch needs a record). `forever`: happens again and again.
    """

    actor: Actor
    lane: str
    stages: list[Stage]
    future: asyncio.Future[list[Any]] | None
    down: Callable[[str], Exception] | None = None
    ready: Callable[[], bool] | None = None
    at: int = 0
    replies: list[Any] = field(default_factory=list)
    forever: bool = False
    due: int | None = None  # the step from which on `Delays` lets the next stage happen

    @property
    def stage(self) -> Stage:
        return self.stages[self.at]

    def can_happen(self) -> bool:
        return not self.actor.paused and (self.ready is None or self.ready())


class Line(NamedTuple):
    """One line of the trace."""

    step: int
    actor: str
    lane: str
    label: object
    note: str

    def text(self) -> str:
        return f"{self.step:5} {self.actor:>8} {self.lane:<12} {str(self.label)[:400]} {self.note}".rstrip()


class Strategy(Protocol):
    def choose(self, waiting: list[Effect], step: int) -> Effect: ...


class Uniform:
    """Everything that can happen is equally likely."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def choose(self, waiting: list[Effect], step: int) -> Effect:
        return waiting[self._rng.randrange(len(waiting))]


class Sticky:
    """Whoever is at work mostly goes on: long runs of one, then a switch at an unlucky place."""

    def __init__(self, rng: Random, stay: float) -> None:
        self._rng, self._stay = rng, stay
        self._last = ("", "")

    def choose(self, waiting: list[Effect], step: int) -> Effect:
        if self._rng.random() < self._stay:
            for effect in waiting:
                if (effect.actor.name, effect.lane) == self._last:
                    return effect
        chosen = waiting[self._rng.randrange(len(waiting))]
        self._last = (chosen.actor.name, chosen.lane)
        return chosen


class Priorities:
    """Strict priorities among the lines of work, and a few places where the one at work falls to the end.

    Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs" (ASPLOS 2010): a bug that
    needs d orderings is found with probability >= 1/(n k^(d-1)), however rare it is under a fair scheduler.
    """

    def __init__(self, rng: Random, changes: int, length: int) -> None:
        self._rng = rng
        self._priority: dict[tuple[str, str], float] = {}
        self._changes = {rng.randrange(length) for _ in range(changes)}

    def choose(self, waiting: list[Effect], step: int) -> Effect:
        best, best_priority = waiting[0], -1e18
        for effect in waiting:
            who = (effect.actor.name, effect.lane)
            priority = self._priority.get(who)
            if priority is None:
                priority = self._priority[who] = self._rng.random()
            if priority > best_priority:
                best, best_priority = effect, priority
        if step in self._changes:
            self._priority[best.actor.name, best.lane] = -float(step)
        return best


class Delays:
    """Some stages take very long, whatever they are: everybody else gets far meanwhile.

    What breaks when one line of work stands still between two of its effects shows with the probability that just that
    stage is a long one; a fair choice would have to pass it over dozens of times.
    """

    def __init__(self, rng: Random, share: float, longest: int) -> None:
        self._rng, self._share, self._longest = rng, share, longest

    def choose(self, waiting: list[Effect], step: int) -> Effect:
        for effect in waiting:
            if effect.due is None:
                late = self._rng.random() < self._share
                effect.due = step + (self._rng.randrange(self._longest) if late else 0)
        ready = [effect for effect in waiting if effect.due is not None and effect.due <= step]
        return self._rng.choice(ready) if ready else min(waiting, key=lambda effect: effect.due or 0)


def some_strategy(rng: Random, length: int) -> Strategy:
    """One of the above, `length` = about how many steps the history will have."""
    kind = rng.random()
    if kind < 0.25:
        return Uniform(rng)
    if kind < 0.5:
        return Sticky(rng, rng.choice((0.5, 0.8, 0.95)))
    if kind < 0.75:
        return Delays(rng, rng.choice((0.05, 0.15, 0.4)), rng.choice((30, 100, length)))
    return Priorities(rng, rng.randrange(1, 12), length)


class TooLong(Exception):
    """The history did not come to rest within its steps: something goes round in circles."""


class Scheduler:
    """`strike` is asked at each step whether the chosen effect goes wrong (faults.py): True, it dealt with it.

    `calm` is asked when nothing can happen: it may start something (wake a paused process) and return True.
    """

    def __init__(self, strategy: Strategy, max_steps: int) -> None:
        self.waiting: list[Effect] = []
        self.step = 0
        self.trace: list[Line] = []
        self.strike: Callable[[Effect], bool] = lambda _effect: False
        self.calm: Callable[[], bool] = lambda: False
        self._strategy = strategy
        self._max_steps = max_steps
        self._quiet: asyncio.Future[None] | None = None
        self._failed: Exception | None = None

    async def happen(
        self,
        actor: Actor,
        stages: list[Stage],
        *,
        down: Callable[[str], Exception] | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> list[Any]:
        """Wait until all stages have happened; their replies."""
        if actor.dead:
            raise asyncio.CancelledError  # a killed process does nothing in its `finally` either
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self.waiting.append(Effect(actor, lane.get(), stages, future, down, ready))
        return await future

    def always(self, actor: Actor, name: str, act: Callable[[], Any], ready: Callable[[], bool]) -> None:
        """Something that the world does by itself, whenever `ready` says so."""
        self.waiting.append(Effect(actor, name, [Stage(name, act)], None, None, ready, forever=True))

    async def quiet(self) -> None:
        """Wait until nothing can happen any more. Raises what `abort` was given."""
        if self._failed is not None:
            raise self._failed
        self._quiet = asyncio.get_running_loop().create_future()
        await self._quiet

    def abort(self, error: Exception) -> None:
        """The history ends here with this."""
        self._failed = self._failed or error
        if self._quiet is not None and not self._quiet.done():
            self._quiet.set_exception(error)

    def note(self, actor: str, text: object, note: str = "") -> None:
        self.trace.append(Line(self.step, actor, "", text, note))

    def idle(self, timers: bool) -> bool:
        """Let one effect happen (the loop calls this when nothing else is ready)."""
        can = [effect for effect in self.waiting if effect.can_happen()]
        if not can:
            if self.calm():
                return True
            if not timers and self._quiet is not None and not self._quiet.done():
                self._quiet.set_result(None)
                return True
            return False
        self.step += 1
        if self.step > self._max_steps:
            raise TooLong(f"not at rest after {self._max_steps} effects")
        effect = self._strategy.choose(can, self.step)
        if not self.strike(effect):
            self.advance(effect)
        return True

    def advance(self, effect: Effect, note: str = "") -> None:
        """The next stage happens; after the last one the caller goes on."""
        stage = effect.stage
        self.trace.append(Line(self.step, effect.actor.name, effect.lane, stage.label, note))
        try:
            effect.replies.append(stage.act())
        except Exception as error:
            self.trace[-1] = self.trace[-1]._replace(note=f"{note} raised {error!r}".strip())
            self.fail(effect, error)
            return
        effect.due = None
        if effect.forever:
            effect.replies.clear()
            return
        effect.at += 1
        if effect.at == len(effect.stages):
            self.waiting.remove(effect)
            if effect.future is not None and not effect.future.done():
                effect.future.set_result(effect.replies)

    def lose_reply(self, effect: Effect, error: Exception) -> None:
        """The next stage happens, but the caller sees `error`; later stages of a pipeline do not happen."""
        self.trace.append(Line(self.step, effect.actor.name, effect.lane, effect.stage.label, "its reply is lost"))
        try:
            effect.stage.act()
        except Exception as own:
            error = own
        self.fail(effect, error)

    def fail(self, effect: Effect, error: Exception) -> None:
        """The caller sees an error, and nothing more of this effect happens."""
        self.waiting.remove(effect)
        self._tell(effect, error)

    def part(self, effect: Effect, error: Exception) -> None:
        """The caller sees an error now; what was sent may still happen, at any later time."""
        self._tell(effect, error)
        effect.future = None

    @staticmethod
    def _tell(effect: Effect, error: Exception) -> None:
        if effect.future is not None and not effect.future.done():
            effect.future.set_exception(error)

    def twice(self, effect: Effect) -> None:
        """It happens, its reply is lost, and it will happen once more: the client asks again."""
        self.trace.append(
            Line(self.step, effect.actor.name, effect.lane, effect.stage.label, "reply lost, will ask again")
        )
        try:
            effect.stage.act()
        except Exception as error:
            self.fail(effect, error)

    def drop(self, unwanted: Callable[[Effect], bool]) -> None:
        """What was on the wire to a server that died never arrives."""
        self.waiting = [effect for effect in self.waiting if not unwanted(effect)]

    def forget(self, actor: Actor, keep: Callable[[Effect], bool]) -> None:
        """A process died: its effects go, but those that `keep` chooses were on the wire and still happen."""
        for effect in [e for e in self.waiting if e.actor is actor]:
            effect.future = None
            if effect.down is None or not keep(effect):
                self.waiting.remove(effect)
            else:
                effect.actor = Actor(f"{actor.name}†")
