"""`truyvet wait`: in which order it looks, and what does not hold it up. A real Redis, and topics that are numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from agents.registry import load_agents
from console import waiting
from console.lag import LINES, Place
from console.times import now_ms
from streams.ports import Call
from streams.runtime.topics import INPUTS, INTERNAL
from streams.state import dirty, public
from streams.state.generation import begin_generation, offset_done
from streams.state.standing import Head, Standing
from tests.simulation.redis import RedisServer, private_server

PERSON = b"p" + b"\1" * 16 + b"C1"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Workers:
    """Store and topics, one partition each; `ends` = where the topics end."""

    def __init__(self, server: RedisServer) -> None:
        self.server, self.ends = server, dict.fromkeys([(t, 0) for t in (*INPUTS, *INTERNAL)], 0)
        self.generation = ""

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        return [self.server.call(call) for call in calls]

    async def begin(self) -> None:
        self.server.begin()
        self.generation = (await begin_generation(self, "ready")).id

    async def done(self, topic: str, offset: int) -> None:
        await offset_done(self, self.generation, topic, 0, offset)


class Topics:
    """As console.lag.Topics; `asked` for which ends, in order."""

    asked: ClassVar[list[tuple[str, ...]]] = []

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.asked.clear()

    async def __aenter__(self) -> Topics:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def partitions(self, topic: str) -> int:
        return 1

    async def ends(self, *topics: str) -> dict[Place, int]:
        self.asked.append(topics)
        return {(topic, 0): self._workers.ends[topic, 0] for topic in topics}

    async def nothing_between(self, *_: object) -> bool:
        return False


def wait(
    workers: Workers,
    *,
    pause_s: int = 0,
    timeout: float = 5.0,
    meanwhile: Any = None,
    clock: str = "wall",
    counting: bool = True,
) -> dict[str, int]:
    """What lags after `wait`, with `meanwhile()` (a coroutine function) at work beside it, and somebody who counts."""

    async def rounds() -> None:
        while counting:
            await dirty.end_round(workers, await dirty.begin_round(workers))
            await asyncio.sleep(0.02)

    async def both() -> dict[str, int]:
        settings = SimpleNamespace(alert_seconds=pause_s, retention_clock=clock)
        work = [asyncio.create_task(rounds())]
        if meanwhile is not None:
            work.append(asyncio.create_task(meanwhile()))
        try:
            return await waiting.wait_for_effects(settings, workers, timeout)  # type: ignore[arg-type]
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    return asyncio.run(both())


@pytest.fixture
def workers(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Workers:
    made = Workers(server)
    asyncio.run(made.begin())
    monkeypatch.setattr(waiting, "Topics", lambda _: Topics(made))
    return made


def test_every_topic_that_an_agent_takes_in_is_waited_for() -> None:
    assert set(load_agents()) == {*INPUTS, *INTERNAL}
    assert set(LINES) == set(INTERNAL)


def test_nothing_to_do_is_done(workers: Workers) -> None:
    assert wait(workers) == {}
    assert Topics.asked[0] == INPUTS and Topics.asked[-1] == ("combine",)


@pytest.mark.parametrize("topic", [*INPUTS, *INTERNAL])
def test_a_record_not_taken_in_lags_under_its_topic(workers: Workers, topic: str) -> None:
    workers.ends[topic, 0] = 3
    asyncio.run(workers.done(topic, 1))
    assert wait(workers, timeout=0.1) == {topic: 2}


def test_a_request_that_an_evaluation_makes_is_waited_for(workers: Workers) -> None:
    """The gate opens: the evaluation of record 0 puts record 1 on `evaluate`, and only then says that 0 is done."""
    workers.ends["evaluate", 0] = 1

    async def work() -> None:
        await asyncio.sleep(0.15)
        workers.ends["evaluate", 0] = 2
        await workers.done("evaluate", 1)

    assert wait(workers, timeout=0.6, meanwhile=work) == {"evaluate": 1}


def test_a_case_that_is_due_is_waited_for_and_so_is_what_comes_of_it(workers: Workers) -> None:
    ledger = Standing(workers, 0)
    asyncio.run(ledger.note_look("C1", now_ms() + 400))
    assert wait(workers, pause_s=1, timeout=0.1) == {"looks": 1}

    async def work() -> None:
        await asyncio.sleep(0.2)
        workers.ends["evaluate", 0] = 1  # first the request, then the case leaves the list
        await ledger.looked("C1", now_ms() + 400)

    assert wait(workers, pause_s=1, timeout=0.6, meanwhile=work) == {"evaluate": 1}


def test_a_look_that_was_too_early_is_waited_for_again(workers: Workers) -> None:
    ledger = Standing(workers, 0)
    asyncio.run(ledger.note_look("C1", now_ms()))

    async def work() -> None:
        await asyncio.sleep(0.1)
        workers.ends["evaluate", 0] = 1
        await ledger.looked("C1", now_ms())
        await asyncio.sleep(0.1)
        await ledger.note_look("C1", now_ms() + 300)
        await workers.done("evaluate", 1)

    assert wait(workers, pause_s=1, timeout=0.8, meanwhile=work) == {"looks": 1}


def test_what_later_messages_make_due_is_not_waited_for(workers: Workers) -> None:
    """At most `pause_s` after now lies what a message of before can have asked for."""
    asyncio.run(Standing(workers, 0).note_look("C1", now_ms() + 60_000))
    assert wait(workers, pause_s=30) == {}


@pytest.mark.parametrize(("topic", "line"), LINES.items())
def test_what_a_newer_record_lets_end_by_age_is_waited_for(workers: Workers, topic: str, line: str) -> None:
    """Only where the newest record is the clock; the wall's time is nobody's message."""
    ledger = Standing(workers, 0, line)

    async def age() -> None:
        await ledger.own()
        await offset_done(workers, workers.generation, "scans", 0, 0, newest_ms=1_000_000)
        await ledger.ages_at("C1", 1_000)
        await ledger.ages_at("C2", 1_001)

    asyncio.run(age())
    assert wait(workers) == {}
    assert wait(workers, timeout=0.1, clock="stream") == {"looks": 1}

    async def work() -> None:
        await asyncio.sleep(0.1)
        workers.ends[topic, 0] = 1
        await ledger.age_asked("C1", 1_000, 1_060)

    assert wait(workers, timeout=0.6, clock="stream", meanwhile=work) == {topic: 1}


@pytest.mark.parametrize("line", LINES.values())
def test_a_revision_that_nobody_confirmed_is_waited_for(workers: Workers, line: str) -> None:
    async def reserve() -> Standing:
        ledger = Standing(workers, 0, line)
        await ledger.own()
        await ledger.reserve("C1", {b"x": Head(1, 0, b"r", b"\0" * 16)})
        return ledger

    ledger = asyncio.run(reserve())
    assert wait(workers, timeout=0.1) == {"publications": 1}

    async def work() -> None:
        await asyncio.sleep(0.1)
        await ledger.confirm("C1", {})

    assert wait(workers, meanwhile=work) == {}


def test_a_note_that_is_passed_on_late_leads_to_combine(workers: Workers) -> None:
    async def note() -> Standing:
        ledger = Standing(workers, 0)
        await ledger.own()
        await ledger.reserve("C1", {}, [PERSON])
        await ledger.confirm("C1", {})
        return ledger

    ledger = asyncio.run(note())

    async def work() -> None:
        await asyncio.sleep(0.1)
        workers.ends["combine", 0] = 1
        await ledger.todo_done([PERSON])

    assert wait(workers, timeout=0.6, meanwhile=work) == {"combine": 1}


def test_an_endless_stream_of_later_messages_does_not_hold_it_up(workers: Workers) -> None:
    """Somebody always has something begun, and the inputs' ends move on; what was there at the call gets done."""
    ledger = Standing(workers, 0)
    asyncio.run(ledger.own())

    async def work() -> None:
        number, last = 0, b""
        while True:
            number += 1
            note = PERSON + str(number).encode()
            await ledger.reserve("C1", {}, [note])
            for topic in ("scans", "evaluate", "combine"):
                workers.ends[topic, 0] = number + 1
                await workers.done(topic, number)
            await asyncio.sleep(0.03)
            await ledger.confirm("C1", {})
            await ledger.todo_done([last])
            last = note
            await asyncio.sleep(0.01)

    assert wait(workers, meanwhile=work) == {}


# --- the counters


def test_without_anybody_who_counts_it_does_not_end(workers: Workers) -> None:
    assert wait(workers, timeout=0.1, counting=False) == {"counters": 1}


def test_a_round_that_began_before_does_not_count(workers: Workers) -> None:
    """It may have read a registry before the last message was in it."""

    async def work() -> None:
        await asyncio.sleep(0.1)
        await dirty.end_round(workers, 1)

    asyncio.run(dirty.begin_round(workers))
    assert wait(workers, timeout=0.6, counting=False, meanwhile=work) == {"counters": 1}

    async def another() -> None:
        await asyncio.sleep(0.1)
        await dirty.end_round(workers, await dirty.begin_round(workers))

    assert wait(workers, counting=False, meanwhile=another) == {}


def test_the_word_that_nothing_is_behind_is_waited_for_but_not_for_ever(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    lag = Call("HSET", (public.META,), ("lag_records", 1))
    workers.server.call(lag)
    monkeypatch.setattr(waiting, "_WORD", 60.0)

    async def work() -> None:
        await asyncio.sleep(0.2)
        workers.server.call(lag._replace(args=("lag_records", 0)))

    assert wait(workers, meanwhile=work) == {}
    assert workers.server.call(Call("HGET", (public.META,), ("lag_records",))) == b"0"
    workers.server.call(lag)
    monkeypatch.setattr(waiting, "_WORD", 0.1)
    assert wait(workers) == {}
