"""What was published of each case and stands, and the numbers that were used for it: the ledger of a partition.

    tv:fence:{e07}        counter: the owner of partition 7 has this epoch; a former owner's writes are refused
    tv:head:{e07}:CASE    hash  entry → head: last number used, number that stands, status, band, content digest
    tv:body:{e07}:CASE    hash  entry → the record that was published last (JSON), withdrawals too
    tv:count:{e07}:CASE   hash  f1, held, high, medium, low: how many exposures of the case stand, or are held; whole:
                                when (ms) all of it was evaluated last
    tv:pend:{e07}         set   cases that have a number reserved which nobody confirmed yet
    tv:todo:{e07}         set   what hangs on a publication (a follow-up, a cluster) and was not passed on yet
    tv:due:{e07}          zset  cases to be looked at again at a time (ms)
    tv:age:{e07}          zset  cases that close, or of which something ends, at a second (clock of rule 10)
    tv:out:{e07}          hash  topic → offset up to which heads and bodies hold what that topic's partition holds

An entry is a byte for its kind (below) and an id. The ledger of the step `combine` has the same shape; its slots are
named c07, and its entries lie under the person or venue they are of.

Reserve → publish → confirm (architecture.md, section 3): a number is written down as used before a record with it is
sent, so that no revision of anything ever has two contents, whatever dies in between.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from streams.ports import Call, Fenced, Store
from streams.state.replies import pairs_of, scored

# kinds of entry
EXPOSURE, ALERT, STATUS, PRESENCE = b"x", b"a", b"s", b"p"
FOLLOWUP, CLUSTER = b"f", b"c"

_HEAD = struct.Struct(">IIcc16s")
# "held": an exposure behind the gate (rule 8), which has no number yet; "gone": withdrawn and ended by a tombstone.
STATUS_CODE = {"raised": b"r", "updated": b"u", "withdrawn": b"w", "held": b"h", "gone": b"g"}
BAND_CODE = {"high": b"h", "medium": b"m", "low": b"l"}
NO_BAND = b"-"
KEEP = b"="  # as a body: leave what is there
NOTHING = b"\0" * 16


class Head(NamedTuple):
    """`last` = highest number ever used, `revision` = the one that stands, `digest` = its content without numbers."""

    last: int
    revision: int
    status: bytes
    digest: bytes
    band: bytes = NO_BAND

    @property
    def stands(self) -> bool:
        return self.status in b"ru"

    @property
    def held(self) -> bool:
        return self.status == b"h"

    @property
    def unconfirmed(self) -> bool:
        return self.last > self.revision

    def encode(self) -> bytes:
        """b"" where nothing is to be remembered: no number was used, nothing is held."""
        if not self.last and not self.held:
            return b""
        return _HEAD.pack(self.last, self.revision, self.status, self.band, self.digest)


def decode_head(packed: bytes) -> Head:
    last, revision, status, band, digest = _HEAD.unpack(packed)
    return Head(last, revision, status, digest, band)


NO_HEAD = Head(0, 0, b"-", NOTHING)


class Counts(NamedTuple):
    """Exposures of one case that stand (F1), that are held, and bands of those that stand."""

    f1: int = 0
    held: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0


NUMBERS = (*Counts._fields, "whole")


def decode_numbers(reply: Sequence[bytes | None]) -> tuple[Counts, int]:
    """What was asked by NUMBERS: counts, and when (ms) all of the case was looked at last, 0 = never."""
    *counts, whole = (int(number or 0) for number in reply)
    return Counts(*counts), whole


class Outline(NamedTuple):
    """What is known of a case without its records; `whole`: when (ms) all of it was looked at last, 0 = never."""

    heads: dict[bytes, Head]
    counts: Counts
    whole: int


class Whole(NamedTuple):
    """All of a case was looked at: when (ms), and the second at which age alone changes something next, if any."""

    at_ms: int
    ages_at: int | None


def slot_of(partition: int, line: str) -> str:
    return f"{{{line}{partition:02d}}}"


class Standing:
    """The ledger of one partition: of the cases (`line` "e") or of what is combined from several ("c")."""

    def __init__(self, store: Store, partition: int, line: str = "e") -> None:
        self.store = store
        self.partition = partition
        self.line = line
        slot = slot_of(partition, line)
        self._fence, self._pend, self._out = f"tv:fence:{slot}", f"tv:pend:{slot}", f"tv:out:{slot}"
        self._todo, self._due, self._age = f"tv:todo:{slot}", f"tv:due:{slot}", f"tv:age:{slot}"
        self._head, self._body, self._count = f"tv:head:{slot}:", f"tv:body:{slot}:", f"tv:count:{slot}:"
        self.epoch = 0
        self.ends_noted_ms = 0
        """When this owner noted last how far the topics are held (takeover.py)."""
        self._turn = 0

    def turn(self) -> int:
        """A number that grows with each call of this owner."""
        self._turn += 1
        return self._turn

    async def own(self) -> None:
        """Become the owner: whoever owned the partition before is refused from here on."""
        (epoch,) = await self.store.run([Call("own", (self._fence,))])
        self.epoch = int(epoch)

    def heads_key(self, of: str) -> str:
        return self._head + of

    def bodies_key(self, of: str) -> str:
        return self._body + of

    def of_key(self, key: bytes) -> str:
        """The way back from the name of a hash of heads."""
        return key.decode().removeprefix(self._head)

    async def heads(self, of: str, entries: Sequence[bytes] | None = None) -> dict[bytes, Head]:
        """Heads of some entries, or of all that there ever were under `of` (a case, or what combine works on)."""
        if entries is None:
            return (await self.heads_of([of]))[of]
        if not entries:
            return {}
        (found,) = await self.store.run([Call("HMGET", (self._head + of,), tuple(entries))])
        return {entry: decode_head(head) for entry, head in zip(entries, found, strict=True) if head}

    async def heads_of(self, several: Sequence[str]) -> dict[str, dict[bytes, Head]]:
        """All heads that there ever were under each of these."""
        heads = {}
        for of, flat in zip(
            several, await self.store.run([Call("HGETALL", (self._head + of,)) for of in several]), strict=True
        ):
            heads[of] = {entry: decode_head(head) for entry, head in pairs_of(flat) if head}
        return heads

    async def bodies(self, of: str, entries: Sequence[bytes]) -> dict[bytes, bytes]:
        """What was published last of these entries."""
        return (await self.bodies_of({of: entries}))[of]

    async def bodies_of(self, several: Mapping[str, Sequence[bytes]]) -> dict[str, dict[bytes, bytes]]:
        """The same of entries under several."""
        bodies: dict[str, dict[bytes, bytes]] = {of: {} for of in several}
        asked = {of: entries for of, entries in several.items() if entries}
        replies = await self.store.run([Call("HMGET", (self._body + of,), tuple(e)) for of, e in asked.items()])
        for (of, entries), found in zip(asked.items(), replies, strict=True):
            bodies[of] = {e: b for e, b in zip(entries, found, strict=True) if b}
        return bodies

    async def outline(self, case_id: str, entries: Sequence[bytes] | None = None) -> Outline:
        """Heads of some entries of a case, or of all there ever were, its counts, and when all of it was looked at."""
        of = (self._head + case_id,)
        asked = Call("HGETALL", of) if entries is None else Call("HMGET", of, tuple(entries))
        found, numbers = await self.store.run([asked, Call("HMGET", (self._count + case_id,), NUMBERS)])
        pairs = pairs_of(found) if entries is None else zip(entries, found, strict=True)
        return Outline({entry: decode_head(head) for entry, head in pairs if head}, *decode_numbers(numbers))

    async def reserve(self, of: str, heads: dict[bytes, Head], todo: Iterable[bytes] = ()) -> None:
        """Write down the numbers about to be used (`last` of each head), and what will hang on them. Raises Fenced."""
        await self.reserve_all([(of, heads, todo)])

    async def reserve_all(self, several: Iterable[tuple[str, dict[bytes, Head], Iterable[bytes]]]) -> None:
        """The same under several, in one go. Raises Fenced."""
        calls = []
        for of, heads, todo in several:
            things = list(todo)
            args: list[bytes | str | int] = [self.epoch, of, len(things), *things]
            for entry, head in heads.items():
                args += (entry, head.encode())
            calls.append(Call("standing_reserve", (self._fence, self._head + of, self._pend, self._todo), tuple(args)))
        await self._owned(*calls)

    async def confirm(self, of: str, published: dict[bytes, tuple[Head, bytes]]) -> None:
        """What was published now stands (an empty body: nothing is kept of it); nothing of `of` is unconfirmed any
        more. Raises Fenced."""
        await self.confirm_all([(of, published)])

    async def confirm_all(self, several: Iterable[tuple[str, dict[bytes, tuple[Head, bytes]]]]) -> None:
        """The same under several, in one go. Raises Fenced."""
        calls = []
        for of, published in several:
            args: list[bytes | str | int] = [self.epoch, of]
            for entry, (head, body) in published.items():
                args += (entry, head.encode(), body)
            keys = (self._fence, self._head + of, self._body + of, self._pend, self._count + of)
            calls.append(Call("standing_confirm", keys, tuple(args)))
        await self._owned(*calls)

    async def _owned(self, *calls: Call) -> None:
        if b"FENCED" in await self.store.run(calls):
            raise Fenced(f"partition {self.partition} of line {self.line} has a later owner")

    async def settled(self, several: Iterable[str]) -> None:
        """These were looked at as a whole since they were found unconfirmed, and what had to follow was published. A
        number that nothing asks for any more (a follow-up whose exposure ended before it was sent) stays used and
        without a record: without this its mark would stay for ever, and `truyvet wait` with it. Raises Fenced."""
        await self.confirm_all([(of, {}) for of in several])

    async def unconfirmed(self) -> list[str]:
        (found,) = await self.store.run([Call("SMEMBERS", (self._pend,))])
        return sorted(of.decode() for of in found)

    # -- what hangs on a publication, and what has to be looked at again

    async def todo(self) -> list[bytes]:
        (found,) = await self.store.run([Call("SMEMBERS", (self._todo,))])
        return sorted(found)

    async def todo_done(self, things: Sequence[bytes]) -> None:
        """Passed on. Raises Fenced: a former owner must not take away what the present one noted."""
        for at in range(0, len(things), 1000):
            await self._owned(Call("todo_done", (self._fence, self._todo), (self.epoch, *things[at : at + 1000])))

    async def note_look(self, case_id: str, again_at: int | None, whole: Whole | None = None) -> None:
        """After a look at a case. `again_at` (ms): when to look at it again, not later than asked for before, since the
        last state is always sent (rule 8); None: nothing asks for it. Raises Fenced."""
        calls = []
        if again_at is not None:
            calls.append(Call("ZADD", (self._due,), ("LT", again_at, case_id)))
        if whole is not None:
            calls.append(self._ages(case_id, whole.ages_at))
            calls.append(Call("HSET", (self._count + case_id,), ("whole", whole.at_ms)))
        await self._owned(*calls)

    def due_call(self, now_ms: int, most: int = -1) -> Call:
        """Asks for the cases whose time has come and for that time (`scored`), the longest overdue first; -1 = all."""
        return Call("ZRANGEBYSCORE", (self._due,), ("-inf", now_ms, "WITHSCORES", "LIMIT", 0, most))

    async def due(self, now_ms: int) -> list[str]:
        """All cases whose time has come."""
        (found,) = await self.store.run([self.due_call(now_ms)])
        return [case_id for case_id, _ in scored(found)]

    async def looked(self, case_id: str, before_ms: int) -> None:
        """The case was put on `evaluate`; a later time that was asked for meanwhile stays."""
        await self.store.run([Call("due_done", (self._due,), (case_id, before_ms))])

    async def ages_at(self, of: str, second: int | None) -> None:
        """When age alone changes something of a case or venue next; None = never. Raises Fenced: a former owner knows
        less of it. The clock is the one of forgetting, which may not be the wall's (rule 10)."""
        await self._owned(self._ages(of, second))

    def _ages(self, of: str, second: int | None) -> Call:
        return Call("age_put", (self._fence, self._age), (self.epoch, of, "" if second is None else second))

    async def aged(self, now: int, most: int = 500) -> list[tuple[str, int]]:
        """Those whose second has come, the longest overdue first, and their second."""
        args = ("-inf", now, "WITHSCORES", "LIMIT", 0, most)
        (flat,) = await self.store.run([Call("ZRANGEBYSCORE", (self._age,), args)])
        return scored(flat)

    async def age_asked(self, of: str, had: int, again: int) -> None:
        """Somebody was asked to look. They are asked again at `again`, unless they answer (`ages_at`) before."""
        await self.store.run([Call("age_asked", (self._age,), (of, had, again))])

    # -- how far the topics' own content is known here

    async def read_up_to(self, topic: str) -> int:
        """Offset up to which what stands holds what was published; 0 when nothing is known."""
        (offset,) = await self.store.run([Call("HGET", (self._out,), (topic,))])
        return int(offset or 0)

    async def set_read_up_to(self, offsets: Mapping[str, int]) -> None:
        """Topic → offset. Raises Fenced."""
        keys = (self._fence, self._out)
        await self._owned(*(Call("standing_read", keys, (self.epoch, topic, at)) for topic, at in offsets.items()))
