"""Which exposures stand, per case, and the numbers that were used for them.

    tv:fence:{e07}        counter: the owner of case partition 7 has this epoch; a former owner's writes are refused
    tv:head:{e07}:CASE    hash  person (16 bytes) → head: last number used, number that stands, status, content digest
    tv:body:{e07}:CASE    hash  person (16 bytes) → the record that was published last (JSON), withdrawals too
    tv:pend:{e07}         set   cases that have a number reserved which nobody confirmed yet
    tv:out:{e07}          hash  topic → offset up to which heads and bodies hold what that topic's partition holds

Reserve → publish → confirm (architecture.md, section 3): a number is written down as used before a record with it is
sent, so that no revision of an exposure ever has two contents, whatever dies in between.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from streams.ports import Call, Fenced, Store

_HEAD = struct.Struct(">IIc16s")
STATUS_CODE = {"raised": b"r", "updated": b"u", "withdrawn": b"w"}
NOTHING = b"\0" * 16


class Head(NamedTuple):
    """`last` = highest number ever used, `revision` = the one that stands, `digest` = its content without numbers."""

    last: int
    revision: int
    status: bytes
    digest: bytes

    @property
    def stands(self) -> bool:
        return self.status in b"ru"

    @property
    def unconfirmed(self) -> bool:
        return self.last > self.revision

    def encode(self) -> bytes:
        return _HEAD.pack(*self)


NO_HEAD = Head(0, 0, b"-", NOTHING)


def _slot(partition: int) -> str:
    return f"{{e{partition:02d}}}"


class Standing:
    """What stands of the cases of one case partition."""

    def __init__(self, store: Store, partition: int) -> None:
        self._store = store
        self.partition = partition
        slot = _slot(partition)
        self._fence, self._pend, self._out = f"tv:fence:{slot}", f"tv:pend:{slot}", f"tv:out:{slot}"
        self._head, self._body = f"tv:head:{slot}:", f"tv:body:{slot}:"
        self.epoch = 0

    async def own(self) -> None:
        """Become the owner: whoever owned the partition before is refused from here on."""
        (epoch,) = await self._store.run([Call("INCR", (self._fence,))])
        self.epoch = int(epoch)

    async def heads(self, case_id: str, persons: Sequence[bytes] | None = None) -> dict[bytes, Head]:
        """Heads of some persons, or of all that were ever published for the case."""
        if persons is None:
            (flat,) = await self._store.run([Call("HGETALL", (self._head + case_id,))])
            pairs = list(flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True))
        elif not persons:
            return {}
        else:
            (found,) = await self._store.run([Call("HMGET", (self._head + case_id,), tuple(persons))])
            pairs = [(p, h) for p, h in zip(persons, found, strict=True) if h]
        return {person: Head(*_HEAD.unpack(head)) for person, head in pairs}

    async def bodies(self, case_id: str, persons: Sequence[bytes]) -> dict[bytes, bytes]:
        """The records published last of these persons."""
        if not persons:
            return {}
        (found,) = await self._store.run([Call("HMGET", (self._body + case_id,), tuple(persons))])
        return {p: b for p, b in zip(persons, found, strict=True) if b}

    async def reserve(self, case_id: str, heads: dict[bytes, Head]) -> None:
        """Write down the numbers about to be used (`last` of each head). Raises Fenced."""
        args: list[bytes | str | int] = [self.epoch, case_id]
        for person, head in heads.items():
            args += (person, head.encode())
        keys = (self._fence, self._head + case_id, self._pend)
        await self._owned(Call("standing_reserve", keys, tuple(args)))

    async def confirm(self, case_id: str, published: dict[bytes, tuple[Head, bytes]]) -> None:
        """What was published now stands; the case has nothing unconfirmed any more. Raises Fenced."""
        args: list[bytes | str | int] = [self.epoch, case_id]
        for person, (head, body) in published.items():
            args += (person, head.encode(), body)
        keys = (self._fence, self._head + case_id, self._body + case_id, self._pend)
        await self._owned(Call("standing_confirm", keys, tuple(args)))

    async def _owned(self, call: Call) -> None:
        (reply,) = await self._store.run([call])
        if reply == b"FENCED":
            raise Fenced(f"partition {self.partition} of the cases has a later owner")

    async def unconfirmed(self) -> list[str]:
        (cases,) = await self._store.run([Call("SMEMBERS", (self._pend,))])
        return sorted(case.decode() for case in cases)

    async def read_up_to(self, topic: str) -> int:
        """Offset up to which what stands holds what was published; 0 when nothing is known."""
        (offset,) = await self._store.run([Call("HGET", (self._out,), (topic,))])
        return int(offset or 0)

    async def set_read_up_to(self, topic: str, offset: int) -> None:
        """Raises Fenced."""
        await self._owned(Call("standing_read", (self._fence, self._out), (self.epoch, topic, offset)))


async def read_standing(store: Store, partitions: int, case_id: str | None = None) -> AsyncIterator[bytes]:
    """The records (JSON) of every exposure published last, withdrawn ones too, of one case or of all."""
    for partition in range(partitions):
        prefix = f"tv:body:{_slot(partition)}:"
        if case_id is not None:
            names: list[bytes | str] = [prefix + case_id]
        else:
            names = [key async for key in scan_keys(store, prefix + "*")]
        for name in names:
            (flat,) = await store.run([Call("HVALS", (name,))])
            for body in flat:
                yield body


async def scan_keys(store: Store, pattern: str) -> AsyncIterator[bytes]:
    """Names of keys by pattern (SCAN: nobody is kept waiting). As bytes: venue tokens in them are no text."""
    cursor = 0
    while True:
        (reply,) = await store.run([Call("SCAN", (), (cursor, "MATCH", pattern, "COUNT", 1000))])
        cursor = int(reply[0])
        for key in reply[1]:
            yield key
        if cursor == 0:
            return
