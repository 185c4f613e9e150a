"""A real Redis Cluster: three primaries, a replica each, that take over from one another."""

from __future__ import annotations

import time
from pathlib import Path

import redis

from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.process import free_port

SLOTS = 16384
TIMEOUT_MS = 1500  # until the others hold a node for dead


class Node(EmbeddedRedis):
    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.bus = free_port()

    def command(self) -> list[str]:
        options = {
            "cluster-enabled": "yes",
            "cluster-port": self.bus,
            "cluster-config-file": self.data / "nodes.conf",
            "cluster-node-timeout": TIMEOUT_MS,
            "repl-diskless-sync-delay": 0,
        }
        return [*super().command(), *(str(word) for name, value in options.items() for word in (f"--{name}", value))]

    def ask(self, *words: str | int) -> bytes | list[bytes | int]:
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            client.response_callbacks.clear()  # replies as they come
            return client.execute_command(*words)  # type: ignore[no-any-return, no-untyped-call]

    def role(self) -> str:
        """`master`, `slave`, or "" when it does not answer."""
        try:
            return bytes(self.ask("ROLE")[0]).decode()  # type: ignore[index, call-overload]
        except (redis.RedisError, OSError):
            return ""

    def replica_port_of(self) -> int:
        """Of a replica: the port of its primary."""
        return int(self.ask("ROLE")[2])  # type: ignore[index]


class EmbeddedCluster:
    """In place of an EmbeddedRedis, as far as a System wants one."""

    def __init__(self, folder: Path, primaries: int = 3) -> None:
        self.nodes = [Node(folder / f"node-{number}") for number in range(2 * primaries)]
        self._primaries = primaries

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def ready(self) -> bool:
        """Every slot has a primary that answers."""
        try:
            states = [bytes(node.ask("CLUSTER", "INFO")) for node in self.nodes if node.running()]  # type: ignore[arg-type]
        except (redis.RedisError, OSError):
            return False
        return all(b"cluster_state:ok" in state for state in states)

    def start(self) -> None:
        for node in self.nodes:
            node.launch()
        for number, node in enumerate(self.nodes):
            node.wait_until_ready()
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        first = self.nodes[0]
        each = SLOTS // self._primaries
        for number, node in enumerate(self.nodes[: self._primaries]):
            last = SLOTS - 1 if number == self._primaries - 1 else (number + 1) * each - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", number * each, last)
        for node in self.nodes[1:]:
            node.ask("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus)
        self._until(lambda: all(self._knows_all(node) for node in self.nodes))
        for primary, replica in zip(self.nodes, self.nodes[self._primaries :], strict=False):
            replica.ask("CLUSTER", "REPLICATE", str(bytes(primary.ask("CLUSTER", "MYID")), "ascii"))  # type: ignore[arg-type]
        self.settle()

    def _knows_all(self, node: Node) -> bool:
        lines = bytes(node.ask("CLUSTER", "NODES")).splitlines()  # type: ignore[arg-type]
        return len(lines) == len(self.nodes) and not any(b"handshake" in line for line in lines)

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def primaries(self) -> list[Node]:
        return [node for node in self.nodes if node.running() and node.role() == "master"]

    def replica_of(self, primary: Node) -> Node:
        return next(
            node
            for node in self.nodes
            if node.running() and node.role() == "slave" and node.replica_port_of() == primary.port
        )

    def whole(self) -> bool:
        """Every primary has its replica, which has caught up."""
        primaries = self.primaries()
        return len(primaries) == self._primaries and all(
            b"state=online" in bytes(node.ask("INFO", "replication"))  # type: ignore[arg-type]
            for node in primaries
        )

    def cut_off(self, primary: Node) -> Node:
        """Its replica gets nothing from here on: it cannot log in. (One that is only stopped by a signal finds what it
        missed in its socket, and is not behind when it goes on.)"""
        replica = self.replica_of(primary)
        replica.ask("CONFIG", "SET", "masterauth", "wrong")
        replica.ask("CLIENT", "KILL", "TYPE", "master")
        return replica

    def fail_over(self, primary: Node, replica: Node | None = None) -> None:
        """kill -9; its replica, perhaps one that was cut off, takes over; it comes back as the replica of that one."""
        replica = replica or self.replica_of(primary)
        primary.kill()
        self.taken_over(replica)
        replica.ask("CONFIG", "SET", "masterauth", "")
        primary.start()

    def taken_over(self, replica: Node) -> None:
        """Until it has."""
        self._until(lambda: replica.role() == "master" and self.ready())

    def settle(self) -> None:
        """Until the next fail-over may come."""
        self._until(lambda: self.ready() and self.whole())

    @staticmethod
    def _until(condition, patience: float = 40.0) -> None:  # type: ignore[no-untyped-def]
        until = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < until, "the cluster did not come together"
            time.sleep(0.05)
