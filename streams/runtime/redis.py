"""The `Store` port on a real Redis, alone or as a cluster.

Retries: a pipeline whose answer was lost may run twice. Every script of ours and every plain command that the state
uses gives the same result the second time, so that is harmless; what cannot be mended is raised as StoreDown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import resources
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    ClusterError,
    ConnectionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from streams.ports import Call, StoreChanged, StoreDown
from streams.runtime.redis_wire import with_hiredis

_FAULTS = (
    ConnectionError,
    TimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    OutOfMemoryError,
    TryAgainError,
    ClusterDownError,
    ClusterError,
    OSError,
)
PATIENCE = 30.0  # seconds of trying again; a worker's are `Settings.patience`
WANTED = {"hash-max-listpack-entries": "256", "hash-max-listpack-value": "256"}
"""What a Redis must be set to: a hash of so many and so long stays packed (streams/state/layout.py)."""


def read_scripts() -> dict[str, bytes]:
    folder = resources.files("streams.state").joinpath("scripts")
    return {f.name.removesuffix(".lua"): f.read_bytes() for f in folder.iterdir() if f.name.endswith(".lua")}


class RedisStore:
    """Use `await RedisStore.open(url)`, then `run`, then `close`.

    `pinned` (workers): a new connection to a Redis with another run_id raises StoreChanged. That Redis may have lost
    its last second, and what this process remembers to have written may not be there any more.
    """

    def __init__(self, client: Any, *, pinned: bool, patience: float = PATIENCE) -> None:
        self._client = client
        self._patience = patience
        self._scripts = read_scripts()
        self._shas: dict[str, str] = {}
        self._run_id: str | None = None
        self._pinned = pinned
        self._changed = False

    @staticmethod
    async def open(url: str, *, pinned: bool = False, patience: float = PATIENCE) -> RedisStore:
        """Raises StoreDown, StoreChanged."""
        if "+cluster://" in url:
            from streams.runtime.redis_cluster import ClusterStore  # one kind of what is made here

            return await ClusterStore.open_cluster(url, pinned=pinned, patience=patience)
        store = RedisStore(None, pinned=pinned, patience=patience)
        options = {**client_options(patience), "redis_connect_func": store._on_connect}
        store._client = with_hiredis(Redis.from_url(url, **options))
        await store._load()
        return store

    async def close(self) -> None:
        await self._client.aclose()

    @property
    def client(self) -> Any:
        """The redis-py client, for what is no part of the state (checks at start, tests)."""
        return self._client

    @property
    def servers(self) -> Sequence[RedisStore]:
        """Each server that takes writes, by itself."""
        return [self]

    async def _on_connect(self, connection: AbstractConnection) -> None:
        """Before any command goes out on a new connection: is it the Redis that this process started with?"""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        reply = await connection.read_response()
        text = reply.decode() if isinstance(reply, bytes) else str(reply)
        run_id = next((line[7:] for line in text.splitlines() if line.startswith("run_id:")), "")
        if self._run_id is None:
            self._run_id = run_id
        elif run_id != self._run_id and self._pinned:
            self._changed = True
            raise ConnectionError("another Redis answers")
        self._run_id = run_id

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        if not calls:
            return []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        pause = 0.05
        failure: Exception
        while True:
            if self._changed:
                raise StoreChanged("Redis was restarted or replaced")
            try:
                return await self._once(calls)
            except NoScriptError:
                await self._load()
                continue
            except _FAULTS as error:
                failure = error
            except ResponseError as error:
                # MISCONF: the disk is full, or the append-only file cannot be written.
                if not str(error).startswith(("MISCONF", "LOADING", "CLUSTERDOWN", "NOREPLICAS", "OOM")):
                    raise
                failure = error
            if self._changed:
                raise StoreChanged("Redis was restarted or replaced")
            if loop.time() > deadline:
                raise StoreDown(_of(failure)) from failure
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _once(self, calls: Sequence[Call]) -> list[Any]:
        if not self._shas:
            await self._load()
        if len(calls) == 1:
            return [await self._client.execute_command(*self._words(calls[0]))]
        pipe = self._client.pipeline(transaction=False)
        for call in calls:
            pipe.execute_command(*self._words(call))
        return await pipe.execute()

    def _words(self, call: Call) -> tuple[Any, ...]:
        sha = self._shas.get(call.name)
        if sha is None:
            return (call.name, *call.keys, *call.args)
        return ("EVALSHA", sha, len(call.keys), *call.keys, *call.args)

    async def _load_script(self, text: str) -> str:
        return str(await self._client.script_load(text))

    async def _load(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            try:
                for name, text in self._scripts.items():
                    self._shas[name] = await self._load_script(text.decode())
                return
            except _FAULTS as error:
                if self._changed:
                    raise StoreChanged("Redis was restarted or replaced") from error
                if loop.time() > deadline:
                    raise StoreDown(f"Redis does not answer: {type(error).__name__}") from error
                await asyncio.sleep(0.2)


def client_options(patience: float) -> dict[str, Any]:
    return {
        "decode_responses": False,
        "protocol": 2,
        "socket_timeout": min(20.0, patience / 2),
        "socket_connect_timeout": 5,
    }


def _of(failure: Exception) -> str:
    """In words, without what Redis quotes of the command."""
    if not isinstance(failure, ResponseError):
        return f"Redis does not answer: {type(failure).__name__}"
    # redis-py takes the word OOM from the text, and says it by the class.
    word = "OOM" if isinstance(failure, OutOfMemoryError) else str(failure).split(" ", 1)[0]
    why = {"MISCONF": "it cannot write its file: is the disk full?", "OOM": "its memory (maxmemory) is full"}
    return f"Redis refuses to write ({word}): {why.get(word, 'it is not ready')}"


async def check_server(store: RedisStore) -> list[str]:
    """What is wrong with this Redis for our state, in words; sets what it may. [] = nothing."""
    return list(dict.fromkeys([wrong for server in store.servers for wrong in await _check(server.client)]))


async def _check(client: Any) -> list[str]:
    wrong = []
    info = await client.info("server")
    if int(str(info.get("redis_version", "0")).split(".")[0]) < 7:
        wrong.append("redis-server 7 or later is needed")
    try:
        config = await client.config_get("*")
    except ResponseError:
        return [*wrong, "CONFIG GET is not allowed: make sure of maxmemory-policy noeviction and appendonly yes"]
    text = {_text(k): _text(v) for k, v in config.items()}
    if text.get("maxmemory-policy", "noeviction") != "noeviction":
        wrong.append("maxmemory-policy must be noeviction: a Redis that drops keys drops facts")
    for name, value in WANTED.items():
        if text.get(name) != value:
            try:
                await client.config_set(name, value)
            except ResponseError:
                wrong.append(f"{name} should be {value} (memory and speed)")
    return wrong


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
