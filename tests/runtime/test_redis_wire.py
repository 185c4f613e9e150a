"""redis-py's connections with hiredis on both ways: the same replies and errors, and no reply of another command."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection
from redis.exceptions import ResponseError, TimeoutError

from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.redis_wire import with_hiredis


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.kill()


def client(url: str) -> Redis:
    return with_hiredis(Redis.from_url(url, protocol=2, socket_timeout=0.2))


async def test_what_is_sent_and_said(url: str) -> None:
    async with client(url) as redis:
        assert await redis.config_get("appendonly")  # a command of two words
        pipe = redis.pipeline(transaction=False)
        pipe.set("a b", b"\x00\r\n$-1")
        pipe.get("a b")
        pipe.hset("h", mapping={"n": 7, "f": 0.5, "vi": "Đà Nẵng"})
        pipe.incr("h")
        pipe.hgetall("h")
        pipe.echo(b"x" * 300_000)
        replies = await pipe.execute(raise_on_error=False)
        assert replies[1] == b"\x00\r\n$-1"
        assert isinstance(replies[3], ResponseError)
        assert replies[4] == {b"n": b"7", b"f": b"0.5", b"vi": "Đà Nẵng".encode()}
        assert len(replies[5]) == 300_000
        with pytest.raises(ResponseError):
            await redis.incr("h")


async def test_a_late_reply_is_nobody_elses(url: str) -> None:
    """Given up after its time: what comes later must not be taken for the next command's."""
    async with client(url) as redis:
        with pytest.raises(TimeoutError):
            await redis.blpop("nothing", timeout=1)
        await asyncio.sleep(1)
        assert await redis.echo("next") == b"next"


def test_every_kind_of_connection_is_ours() -> None:
    for url in ("redis://h", "rediss://h", "unix:///s"):
        pool = with_hiredis(Redis.from_url(url)).connection_pool
        assert pool.connection_class.__module__ == "streams.runtime.redis_wire"
    assert issubclass(with_hiredis(Redis.from_url("rediss://h")).connection_pool.connection_class, SSLConnection)
