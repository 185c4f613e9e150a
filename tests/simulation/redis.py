"""A real redis-server, spoken to synchronously over its unix socket, and what can be lost of it.

A redis-server that dies and starts again has lost the end of what was written (append-only file, fsync each second):
what is left is a prefix of the writes. So all writes of a history are kept in a list, and `lose` empties the server and
runs a prefix of them again.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import hiredis

from streams import state
from streams.ports import Call

SCRIPTS = Path(state.__file__).parent / "scripts"
DUE = "tv:due:"
READS = frozenset(
    [
        "GET",
        "HKEYS",
        "SCARD",
        "HGET",
        "HMGET",
        "HGETALL",
        "HVALS",
        "SMEMBERS",
        "SCAN",
        "ZCARD",
        "ZRANGEBYSCORE",
        "read_names",
        "read_persons",
        "table_since",
    ]
)


class ScriptError(Exception):
    """Redis answered with an error: a fault of the code under test."""


class RedisServer:
    """`call` sends one Call and waits for its reply. `run_id` grows when the server is no longer the one it was."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._reader = hiredis.Reader()
        self._sha = {
            file.stem: self._send("SCRIPT", "LOAD", file.read_text()) for file in sorted(SCRIPTS.glob("*.lua"))
        }
        self.run_id = 0
        self.changes = 0  # grows with whatever a worker that asks each second could notice
        self._owners = 0
        self.writes: list[tuple[Any, ...]] = []
        self.due: set[str] = set()  # partitions of cases that are to be looked at again: what time alone brings

    def sha_of(self, script: str) -> Any:
        """What stands for a script in `writes`."""
        return self._sha[script]

    def call(self, call: Call) -> Any:
        sha = self._sha.get(call.name)
        if sha is None:
            args: tuple[Any, ...] = (call.name, *call.keys, *call.args)
        else:
            args = ("EVALSHA", sha, len(call.keys), *call.keys, *call.args)
        if call.name == "generation_begin":
            self.changes += 1
        if call.name == "own":
            # The time is not the machine's, or no seed could be repeated; and it goes on whatever Redis forgets.
            self._owners += 1
            args = (*args, 1_700_000_000 + self._owners)
        if call.name not in READS:
            self.writes.append(args)
        reply = self._send(*args)
        if call.keys and str(call.keys[0]).startswith(DUE):
            self._look_at_due()
        if call.name == "SCAN":  # its order hangs on a random number of the server, which no seed could repeat
            reply[1].sort()
            Random(len(self.writes)).shuffle(reply[1])
        return reply

    def _send(self, *args: Any) -> Any:
        self._socket.sendall(hiredis.pack_command(args))
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(1 << 16))
        if isinstance(reply, Exception):
            raise ScriptError(f"{args[0]}: {reply}")
        return reply

    def _look_at_due(self) -> None:
        self.due = {key.decode() for key in self._send("KEYS", f"{DUE}*")}

    def begin(self) -> None:
        """A new history: nothing is there."""
        self._send("FLUSHALL")
        self._look_at_due()
        self.writes = []
        self.run_id = 0
        self._owners = 0

    def empty(self) -> None:
        """Somebody said FLUSHALL. The server goes on: nobody is told."""
        self._send("FLUSHALL")
        self._look_at_due()
        self.writes = []
        self.changes += 1

    def lose(self, count: int) -> None:
        """The server died and came back without the last `count` writes."""
        kept = self.writes[: len(self.writes) - count]
        self._send("FLUSHALL")
        for args in kept:
            self._send(*args)
        self._look_at_due()
        self.writes = kept
        self.run_id += 1
        self.changes += 1

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def private_server() -> Any:
    """A redis-server of our own for as long as the block runs; gives a RedisServer."""
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server is not installed: apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="sim-redis-") as folder:
        path = f"{folder}/s"
        command = [program, "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            server = _connected(path)
            yield server
            server.close()
        finally:
            process.terminate()
            process.wait()


def _connected(path: str) -> RedisServer:
    """The socket's file is there a moment before somebody listens at it."""
    for _ in range(1000):
        try:
            return RedisServer(path)
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.01)
    raise TimeoutError("redis-server did not start within 10 s")
