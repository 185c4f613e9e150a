"""The `Store` port on a Redis Cluster.

A replica that takes over has not received what the primary wrote last. On one server offsets and facts are lost
together; here an offset lies on one node and the facts that it vouches for on all of them, and would outlive them. So
what vouches for others (an offset, "this generation is ready") is written only when

- a replica of every primary has all that was written there (WAIT), where the cluster has one, dead or alive, and
- the primaries are those that this process began with. Else a part of the batch may lie on a node that is gone:
  StoreChanged, and the batch is done again from its beginning by a worker that began after the fail-over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.crc import key_slot
from redis.exceptions import MovedError, RedisClusterException, RedisError

from streams.ports import Call, StoreChanged, StoreDown
from streams.runtime.redis import RedisStore, client_options

_VOUCHING = frozenset({"offset_done", "generation_state"})
_WAIT_MS = 1000  # for the replicas, each try
_GONE = "a node of the Redis cluster was replaced"


@dataclass
class Primary:
    """`key` lies on it. `alone`: the cluster had no replica of it, dead or alive, whenever it was asked. It is asked
    again each time: one that took over is alone until the one before comes back, and a worker that began meanwhile and
    took that for good vouched for what the replica of later did not have. What had a replica once is never alone again:
    the node learns of its replica, and forgets it, a second later than it serves it.
    """

    name: str
    store: RedisStore
    key: str
    alone: bool


def _at(url: SplitResult, host: str) -> str:
    """The same URL for another host, login and all."""
    login, at, _ = url.netloc.rpartition("@")
    return urlunsplit((url.scheme, login + at + host, url.path, url.query, ""))


def _each(url: str) -> list[str]:
    parts = urlsplit(url)
    return [_at(parts, host) for host in parts.netloc.rpartition("@")[2].split(",")]


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """A node that is away, whatever redis-py makes of it, is a ConnectionError."""
    try:
        yield
    except RedisClusterException as error:
        # One word for everything about a cluster, wrong calls too.
        if "cannot be connected" not in str(error):
            raise
        raise ConnectionError("no node of the cluster answers") from error
    except AttributeError as error:
        # When one call finds a node dead, redis-py closes its connections under other calls: "'NoneType' object has no
        # attribute 'writelines'". Only in its own code: ours may not hide behind that.
        if not _where(error).startswith("redis."):
            raise
        raise ConnectionError("a connection was closed meanwhile") from error


def _where(error: Exception) -> str:
    """The module that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""


async def _is_alone(primary: RedisStore) -> bool:
    """Whether this node serves no replica and knows of none: nothing can take over from it."""
    role, nodes = await primary.run([Call("ROLE", (), ()), Call("CLUSTER NODES", (), ())])
    mine = next(node["node_id"] for node in nodes.values() if "myself" in node["flags"])
    return not (role[0] == b"master" and role[2]) and all(node["master_id"] != mine for node in nodes.values())


class ClusterStore(RedisStore):
    """As RedisStore. Calls of one `run` go to their nodes at the same time; on one node they keep their order."""

    _primaries: Sequence[Primary] = ()

    @staticmethod
    async def open_cluster(url: str, *, pinned: bool, patience: float) -> ClusterStore:
        """`url`: as for one server, with one node or several, a comma between: those that may be asked for the rest."""
        first, *others = _each(url.replace("+cluster", "", 1))
        nodes = [ClusterNode(at.hostname or "", at.port or 6379) for at in map(urlsplit, others)]
        store = ClusterStore(None, pinned=pinned, patience=patience)
        store._client = RedisCluster.from_url(first, startup_nodes=nodes, **client_options(patience))
        try:
            await store._load()
            store._primaries = await store._look(first)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        for primary in self._primaries:
            await primary.store.close()
        await super().close()

    @property
    def servers(self) -> Sequence[RedisStore]:
        return [primary.store for primary in self._primaries]

    async def _once(self, calls: Sequence[Call]) -> list[Any]:
        with _in_plain_words():
            if any(call.name in _VOUCHING for call in calls):
                await asyncio.gather(*(self._kept(primary) for primary in self._primaries))
            if calls[0].name == "SCAN":
                return [await self._scan(call) for call in calls]
            return await super()._once(calls)

    async def _load_script(self, text: str) -> str:
        with _in_plain_words():
            return await super()._load_script(text)

    async def _scan(self, call: Call) -> Any:
        """One SCAN over all nodes: the cursor says which node, and where in it."""
        nodes = sorted(self._client.get_primaries(), key=lambda node: str(node.name))
        inner, number = divmod(int(call.args[0]), len(nodes))
        reply = await nodes[number].execute_command("SCAN", inner, *call.args[1:])
        inner = int(reply[0])
        if inner:
            return inner * len(nodes) + number, reply[1]
        return (number + 1) % len(nodes), reply[1]

    async def _look(self, plain: str) -> list[Primary]:
        """The primaries as they are now."""
        found = []
        for node in self._client.get_primaries():
            at = _at(urlsplit(plain), f"{node.host}:{node.port}")
            single = await RedisStore.open(at, pinned=True, patience=min(3.0, self._patience))
            found.append(Primary(node.name, single, self._key_on(node.name), alone=await _is_alone(single)))
        return found

    def _key_on(self, name: str) -> str:
        keys = (f"tv:kept:{{{number}}}" for number in range(100_000))
        of = self._client.nodes_manager
        return next(key for key in keys if of.get_node_from_slot(key_slot(key.encode())).name == name)

    async def _kept(self, primary: Primary) -> None:
        """All that was written to it is in a replica, and it still is a primary."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            self._same_primaries()
            try:
                primary.alone = primary.alone and await _is_alone(primary.store)
                # Both on one connection: WAIT asks for what its own connection wrote last, and all that was before it.
                calls = [Call("SET", (primary.key,), (1,)), Call("WAIT", (), (0 if primary.alone else 1, _WAIT_MS))]
                if (await primary.store.run(calls))[1] or primary.alone:
                    return
                why = f"no replica of {primary.name} has what was written there"
            except MovedError as error:
                raise StoreChanged(_GONE) from error
            except StoreDown as error:
                why = f"{primary.name}: {error}"
                # Whether another has taken over: nobody else may have asked.
                with suppress(RedisError, OSError):
                    await self._client.nodes_manager.initialize()
            if loop.time() > deadline:
                raise StoreDown(why)

    def _same_primaries(self) -> None:
        if {node.name for node in self._client.get_primaries()} != {primary.name for primary in self._primaries}:
            raise StoreChanged(_GONE)
