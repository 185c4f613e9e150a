"""The loop and the scheduler: the seed alone decides, and what can go wrong does so as it should."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from streams.ports import StoreDown
from tests.simulation.loop import SimulatedLoop
from tests.simulation.scheduler import (
    Actor,
    Effect,
    Priorities,
    Scheduler,
    Stage,
    Sticky,
    Strategy,
    TooLong,
    Uniform,
)


def run_with(strategy: Strategy, actors: int = 3, effects: int = 5) -> list[str]:
    """Some actors that each do some effects; the order in which they happened."""
    scheduler = Scheduler(strategy, 1000)
    happened: list[str] = []

    async def work(actor: Actor) -> None:
        for i in range(effects):
            await scheduler.happen(actor, [Stage("", lambda i=i: happened.append(f"{actor.name}{i}"))])

    async def main() -> None:
        tasks = [asyncio.ensure_future(work(Actor("abc"[i]))) for i in range(actors)]
        await scheduler.quiet()
        assert all(task.done() for task in tasks)

    loop = SimulatedLoop(scheduler.idle)
    loop.run_until_complete(main())
    loop.close()
    return happened


@pytest.mark.parametrize("make", [Uniform, lambda rng: Sticky(rng, 0.8), lambda rng: Priorities(rng, 3, 15)])
def test_seed_decides_the_order_and_every_actor_keeps_its_own(make: object) -> None:
    orders = [run_with(make(Random(seed))) for seed in (1, 1, 2, 3, 4)]  # type: ignore[operator]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) > 2
    for order in orders:
        for name in "abc":
            assert [x for x in order if x[0] == name] == [f"{name}{i}" for i in range(5)]


def simulate(strike: object, stages: list[Stage]) -> tuple[object, Scheduler]:
    """One caller with these stages; what it saw, at the end of all effects."""
    scheduler = Scheduler(Uniform(Random(1)), 100)
    seen: list[object] = []

    async def work() -> None:
        try:
            seen.append(await scheduler.happen(Actor("a"), stages, down=StoreDown))
        except StoreDown as error:
            seen.append(error)

    async def main() -> None:
        task = asyncio.ensure_future(work())
        await scheduler.quiet()
        await task

    scheduler.strike = lambda effect: strike(scheduler, effect)  # type: ignore[operator]
    loop = SimulatedLoop(scheduler.idle)
    loop.run_until_complete(main())
    loop.close()
    return seen[0], scheduler


def once(action: object) -> object:
    left = [True]

    def strike(scheduler: Scheduler, effect: Effect) -> bool:
        if not left:
            return False
        left.clear()
        action(scheduler, effect)  # type: ignore[operator]
        return True

    return strike


def test_lost_reply_leaves_the_effect_done_and_the_rest_of_the_pipeline_undone() -> None:
    done: list[int] = []
    stages = [Stage("", lambda: done.append(1)), Stage("", lambda: done.append(2))]
    seen, _ = simulate(once(lambda s, e: s.lose_reply(e, StoreDown("x"))), stages)
    assert isinstance(seen, StoreDown)
    assert done == [1]


def test_effect_that_timed_out_still_happens() -> None:
    done: list[int] = []
    seen, _ = simulate(once(lambda s, e: s.part(e, StoreDown("x"))), [Stage("", lambda: done.append(1))])
    assert isinstance(seen, StoreDown)
    assert done == [1]


def test_effect_may_happen_twice() -> None:
    done: list[int] = []
    seen, _ = simulate(once(lambda s, e: s.twice(e)), [Stage("", lambda: done.append(1) or len(done))])
    assert seen == [2]


def test_paused_actor_waits_and_dead_one_does_nothing() -> None:
    scheduler = Scheduler(Uniform(Random(1)), 100)
    asleep, dead = Actor("a", paused=True), Actor("b", dead=True)
    done: list[str] = []

    async def main() -> None:
        tasks = [
            asyncio.ensure_future(scheduler.happen(actor, [Stage("", lambda name=actor.name: done.append(name))]))
            for actor in (asleep, dead)
        ]
        await scheduler.quiet()
        assert done == []
        asleep.paused = False
        await scheduler.quiet()
        assert done == ["a"]
        assert tasks[1].cancelled()

    loop = SimulatedLoop(scheduler.idle)
    loop.run_until_complete(main())
    loop.close()


def test_circle_is_found() -> None:
    scheduler = Scheduler(Uniform(Random(1)), 50)

    async def main() -> None:
        while True:
            await scheduler.happen(Actor("a"), [Stage("", lambda: None)])

    loop = SimulatedLoop(scheduler.idle)
    with pytest.raises(TooLong):
        loop.run_until_complete(main())
    loop.close()


def test_time_moves_only_when_nothing_else_can_happen() -> None:
    scheduler = Scheduler(Uniform(Random(1)), 50)
    order: list[str] = []

    async def sleeper() -> None:
        await asyncio.sleep(3600)
        order.append("slept")

    async def main() -> None:
        task = asyncio.ensure_future(sleeper())
        for _ in range(3):
            await scheduler.happen(Actor("a"), [Stage("", lambda: order.append("effect"))])
        await scheduler.quiet()
        await task

    loop = SimulatedLoop(scheduler.idle)
    loop.run_until_complete(main())
    assert order == ["effect"] * 3 + ["slept"]
    assert loop.time() == 3600
    loop.close()
