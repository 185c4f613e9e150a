"""The Redis user for dashboards (deploy/redis/users.acl) reads public figures, and nothing else, on a real Redis."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from streams.runtime.embedded import EmbeddedRedis

USERS = Path(__file__).resolve().parents[2] / "deploy" / "redis" / "users.acl"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    data = tmp_path_factory.mktemp("redis")
    shutil.copy(USERS, data / "users.acl")
    running = EmbeddedRedis(data)
    running.start()
    with redis.Redis.from_url(running.url) as worker:
        worker.hset("tv:pub:meta", mapping={"state": "ready"})
        worker.zadd("tv:pub:silent", {"v1": 7})
        worker.hset("tv:gen", mapping={"id": "1"})
        worker.set("tv:v:{00}:4a2f", b"scans")
    yield running
    running.stop()


def as_dashboard(server: EmbeddedRedis) -> redis.Redis:
    return redis.Redis(port=server.port, username="dashboard", password="a long password", decode_responses=True)


def test_it_is_off_as_it_is_shipped(server: EmbeddedRedis) -> None:
    with (
        redis.Redis(port=server.port, username="dashboard", password="") as user,
        pytest.raises(redis.AuthenticationError),
    ):
        user.ping()


@pytest.fixture
def user(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as worker:
        worker.execute_command("ACL", "SETUSER", "dashboard", "on", ">a long password")
    with as_dashboard(server) as dashboard:
        yield dashboard


def test_it_reads_public_keys(user: redis.Redis) -> None:
    assert user.hgetall("tv:pub:meta") == {"state": "ready"}
    assert user.zrange("tv:pub:silent", 0, -1, withscores=True) == [("v1", 7.0)]
    assert user.type("tv:pub:meta") == "hash" and user.ttl("tv:pub:meta") == -1


def test_it_reads_nothing_else(user: redis.Redis) -> None:
    for words in (
        ("HGETALL", "tv:gen"),
        ("GET", "tv:v:{00}:4a2f"),
        ("EXISTS", "tv:gen"),
        ("TYPE", "tv:gen"),
        ("HGET", "tv:publ", "x"),
    ):
        with pytest.raises(redis.exceptions.NoPermissionError):
            user.execute_command(*words)


ALL_KEYS = ("KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "MONITOR", "INFO", "CONFIG GET *", "CLIENT LIST", "ACL LIST")
WRITES = (
    "HSET tv:pub:meta state x",
    "DEL tv:pub:meta",
    "EXPIRE tv:pub:meta 1",
    "ZADD tv:pub:silent 1 v",
    "COPY tv:pub:meta tv:pub:x",
    "SORT tv:pub:silent STORE tv:pub:x",
    "EVAL return(1) 0",
    "FLUSHALL",
    "SUBSCRIBE x",
    "PUBLISH x y",
)


@pytest.mark.parametrize("words", [*ALL_KEYS, *WRITES])
def test_it_neither_lists_keys_nor_writes(user: redis.Redis, words: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        user.execute_command(*words.split())


@pytest.mark.parametrize("category", ["write", "admin", "dangerous", "pubsub", "scripting", "transaction", "blocking"])
def test_of_all_commands_that_do_more_than_read_it_may_use_none(
    server: EmbeddedRedis, user: redis.Redis, category: str
) -> None:
    with redis.Redis.from_url(server.url, decode_responses=True) as worker:
        names = worker.execute_command("ACL", "CAT", category)
        assert names
        for name in names:
            assert "no permissions" in dry_run(worker, name), name


def dry_run(worker: redis.Redis, name: str) -> str:
    """What Redis would say to the user of a command, with as many arguments as it wants."""
    for count in range(8):
        try:
            said = worker.execute_command("ACL", "DRYRUN", "dashboard", *name.split("|"), *["tv:pub:x"] * count)
        except redis.ResponseError as error:
            assert "wrong number of arguments" in str(error), error
        else:
            return str(said)
    raise AssertionError(f"{name} takes no number of arguments")
