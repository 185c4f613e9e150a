"""A rebuild throws away what was there when it began, and nothing of a later one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from streams.ports import Call, Fenced
from streams.state.cases import CaseTable
from streams.state.generation import begin_generation
from streams.state.standing import Standing
from streams.steps import rebuild
from streams.steps.clearing import clear
from streams.steps.rebuild import _as_owner
from tests.simulation.checks import DirectStore, now
from tests.simulation.redis import RedisServer, private_server


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        running.begin()
        yield running


class Slow(DirectStore):
    """What is to be deleted stays on the wire."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(server)
        self.waiting: list[Call] = []

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        late = [call for call in calls if call.name == "clear"]
        self.waiting += late
        return [b"DONE" if call in late else (await DirectStore.run(self, [call]))[0] for call in calls]


def keys(server: RedisServer, pattern: str) -> set[bytes]:
    return set(server.call(Call("KEYS", (pattern,))))


def put_case(store: DirectStore) -> None:
    assert now(CaseTable().put(store, "c1", b"", b"row"))


def begin(store: DirectStore) -> tuple[str, int]:
    """A rebuild's generation and epoch, in its order."""
    generation, ledger = now(begin_generation(store, "loading")), Standing(store, 0)
    now(ledger.own())
    return generation.id, ledger.epoch


def test_what_was_there_goes_and_what_must_stay_stays(server: RedisServer) -> None:
    store = DirectStore(server)
    kept = {"tv:gen", "tv:fence:{e00}", "tv:vault:{01}", "tv:pub:meta", "tv:refused:cases"}
    put_case(store)
    for name in ("tv:days", "tv:seen:4a31", *(f"tv:p:{{{bucket:02x}}}:{n}" for bucket in range(3) for n in range(700))):
        server.call(Call("SET", (name,), (1,)))
    for name in kept - {"tv:gen", "tv:fence:{e00}"}:
        server.call(Call("SET", (name,), (1,)))
    now(clear(store, *begin(store)))
    left = {name.decode() for name in keys(server, "tv:*")}
    guards = {name for name in left if name.startswith("tv:clear:")}
    assert left - guards == kept
    assert {"tv:clear:{cases}", "tv:clear:{02}", "tv:clear:{tv:days}"} <= guards
    assert all(0 < server.call(Call("TTL", (name,))) <= 86400 for name in guards)


def test_a_deletion_that_comes_when_a_later_rebuild_is_done(server: RedisServer) -> None:
    """Its process was killed, and what it had sent was under way (simulation seed 2366)."""
    late, store = Slow(server), DirectStore(server)
    put_case(store)
    now(clear(late, *begin(late)))
    now(clear(store, *begin(store)))
    assert not keys(server, "tv:{cases}:*")
    put_case(store)
    there = keys(server, "tv:{cases}:*")
    assert [server.call(call) for call in late.waiting] == [b"FENCED"]
    assert there and keys(server, "tv:{cases}:*") == there


def test_a_slow_rebuild_ends_when_a_later_one_began(server: RedisServer) -> None:
    """Also where the later one found nothing to delete, and so guards nothing."""
    store = DirectStore(server)
    slow = begin(store)
    now(clear(store, *begin(store)))
    put_case(store)
    with pytest.raises(Fenced):
        now(clear(store, *slow))
    assert keys(server, "tv:{cases}:*")


def test_a_slow_rebuild_does_not_take_the_ledgers_back(server: RedisServer) -> None:
    store, ledger = DirectStore(server), Standing(DirectStore(server), 0)
    mine, _ = begin(store)
    begin(store)
    with pytest.raises(Fenced, match="another rebuild"):
        now(_as_owner(mine, ledger, partial(ledger.reserve, "c1", {}, [b"note"])))
    assert ledger.epoch == 0, "it did not try again"


async def test_a_ledger_that_is_always_taken_back(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a worker of the former generation that does not end: said as it is, and not as another rebuild."""
    store, waits = DirectStore(server), []

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(rebuild.asyncio, "sleep", no_wait)
    mine, _ = begin(store)
    ledger, other = Standing(store, 0), Standing(store, 0)

    async def late() -> None:
        await other.own()
        await ledger.reserve("c1", {}, [b"note"])

    with pytest.raises(Fenced, match="former generation"):
        await _as_owner(mine, ledger, late)
    assert len(waits) == rebuild.TRIES - 1
