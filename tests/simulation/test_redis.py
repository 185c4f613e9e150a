"""The lost second: what is left of Redis is a prefix of its writes, and who was connected is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.ports import Call
from tests.simulation.redis import RedisServer, ScriptError, private_server


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as server:
        yield server


def test_lost_writes_are_the_last_ones(server: RedisServer) -> None:
    server.begin()
    for i in range(5):
        server.call(Call("HSET", ("h",), (f"f{i}", i)))
        server.call(Call("HGETALL", ("h",)))
    server.lose(2)
    assert server.call(Call("HGETALL", ("h",))) == [b"f0", b"0", b"f1", b"1", b"f2", b"2"]
    assert server.run_id == 1
    server.call(Call("HSET", ("h",), ("g", 1)))
    server.lose(2)
    assert server.call(Call("HGETALL", ("h",))) == [b"f0", b"0", b"f1", b"1"]


def test_flushall_leaves_nothing_to_come_back(server: RedisServer) -> None:
    server.begin()
    server.call(Call("HSET", ("h",), ("f", 1)))
    server.empty()
    server.call(Call("HSET", ("h",), ("g", 2)))
    server.lose(0)
    assert server.call(Call("HGETALL", ("h",))) == [b"g", b"2"]


def test_scripts_are_the_real_ones(server: RedisServer) -> None:
    server.begin()
    keys = ("tv:{t}:rows", "tv:{t}:log", "tv:{t}:version")
    assert server.call(Call("table_put", keys, ("f", b"", b"row"))) == 1
    assert server.call(Call("table_since", keys, (0,))) == [1, b"f", b"row"]
    with pytest.raises(ScriptError):
        server.call(Call("HSET", ("tv:{t}:log",), ("f", 1)))
