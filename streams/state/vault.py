"""The vault: what code a pseudonym stands for, sealed, so that only the holder of a private key can read it (rule 2).

    tv:vault:{1f}:a3    hash   person token → entry     bucket and sub as in the name table (layout.py)

An entry is one byte, a second (4 bytes, big-endian), and what belongs to them:

    D   destroyed; the last second that the erasure reaches
    S   the second of the last sighting that was told, then the code sealed to the desk's key
    E   the same, then the code sealed to the desk's key and again to the escrow's: two halves of equal length

What is sealed is the whole pseudonym (16 bytes) and the canonical code behind it. A box that somebody moved to another
person's field would otherwise answer a tracer with the wrong person, and nobody would notice.

Workers seal with public keys alone, and cannot read what they wrote. A seal is an X25519 exchange (63 µs a key), so it
is made only for a person whom the vault does not hold yet. 145 bytes a person, with the desk's key alone.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from streams.ports import Arg, Call, Store
from streams.state import layout

DESTROYED: Final = b"D"
_DESK, _BOTH = b"S", b"E"
_SECOND: Final = struct.Struct(">I")
_HEAD: Final = 5
DIGEST: Final = 16
_SWEPT: Final = 16  # hashes a call
_PORTION: Final = 64  # groups of a few persons, some 10 ms of sealing

Seal = Callable[[bytes], bytes]
"""Plain bytes to a box that only the holder of the private key opens. Its length depends on that of the plain alone."""


class Seals(NamedTuple):
    """Who may read the vault: the tracing desk, and (None: nobody) whoever keeps the key that is locked away."""

    desk: Seal
    escrow: Seal | None = None

    def entry(self, digest: bytes, code: str, second: int) -> bytes:
        plain = digest + code.encode("utf-8", "surrogatepass")  # an error of the other kind would quote the code
        head = (_DESK if self.escrow is None else _BOTH) + _SECOND.pack(second)
        return head + self.desk(plain) + (b"" if self.escrow is None else self.escrow(plain))


class Sighting(NamedTuple):
    """Where a code was met: the canonical code, and the second of the scan or report (an erasure goes by it)."""

    code: str
    second: int


class Entry(NamedTuple):
    """What the vault has of one person. `desk` and `escrow` are boxes, None = not sealed to that key, or destroyed."""

    destroyed: bool
    second: int
    desk: bytes | None = None
    escrow: bytes | None = None


class WrongKey(Exception):
    """A box is sealed to another key than the one at hand (an older one, or the pair was exchanged)."""


class WrongBox(Exception):
    """A box opened, and is another person's: the entry was moved or swapped. Nothing of it may be answered."""


async def keep(store: Store, seals: Seals, seen: Mapping[bytes, Sighting]) -> int:
    """Put in the codes of those persons (16-byte digest → sighting) that are not there; how many were.

    Again changes nothing. A code that is there takes on the later second. A destroyed entry stays destroyed, but for a
    sighting after what the erasure reaches.
    """
    if not seen:
        return 0
    groups = _groups((digest, sighting.second) for digest, sighting in seen.items())
    replies = await store.run([Call("vault_look", (key,), (_blob(group),)) for key, group in groups.items()])
    puts = []
    for number, ((key, group), reply) in enumerate(zip(groups.items(), replies, strict=True)):
        if number % _PORTION == _PORTION - 1:
            await asyncio.sleep(0)  # thousands of new persons in a batch: whoever waits for an answer gets it first
        missing = [entry for entry, flag in zip(group, reply, strict=True) if flag == ord("1")]
        if missing:
            values: list[Arg] = [seals.entry(digest, seen[digest].code, second) for digest, second in missing]
            puts.append(Call("vault_put", (key,), (_blob(missing), *values)))
    return sum(await store.run(puts)) if puts else 0


async def forget(store: Store, erased: Mapping[bytes, int]) -> int:
    """Destroy the codes of persons (16-byte digest → last second that the erasure reaches); how many were there.

    A marker stays, so that what is delivered late does not put a code back. Again changes nothing; order does not
    matter. A worker that remembers such a person (`known_persons`) must forget it too, or a later scan keeps no code.
    """
    if not erased:
        return 0
    groups = _groups(erased.items())
    return sum(await store.run([Call("vault_forget", (key,), (_blob(group),)) for key, group in groups.items()]))


async def sweep(store: Store, before: int) -> int:
    """Let go of all who were last met before this second, and of markers that reach no further; how many went.

    Workers tell sightings of a person once a week (`Ingest`): somebody may have been met up to a week after the second
    that is kept here.
    """
    gone = 0
    for bucket in range(layout.BUCKETS):
        keys = [f"tv:vault:{layout.tag(bucket)}:{sub:02x}" for sub in range(256)]
        # A few at a time: one call over all of a bucket would keep Redis from everybody else.
        calls = [Call("vault_sweep", tuple(keys[at : at + _SWEPT]), (before,)) for at in range(0, 256, _SWEPT)]
        gone += sum(await store.run(calls))
    return gone


async def read(store: Store, digests: Sequence[bytes]) -> dict[bytes, Entry]:
    """16-byte digest → entry, of those that the vault has or had."""
    keys = [f"{_prefix(d)}{d[1]:02x}" for d in digests]
    replies = await store.run([Call("HGET", (key,), (d[:8],)) for key, d in zip(keys, digests, strict=True)])
    return {d: _decode(reply) for d, reply in zip(digests, replies, strict=True) if reply}


def opened(box: bytes, open_: Callable[[bytes], bytes], digest: bytes) -> str:
    """The code in a box of this person. Raises WrongBox, and what `open_` raises: WrongKey."""
    plain = open_(box)
    if plain[:DIGEST] != digest:
        raise WrongBox("the entry of this pseudonym holds another person's code")
    return plain[DIGEST:].decode("utf-8", "surrogatepass")


def _decode(value: bytes) -> Entry:
    kind, second, boxes = value[:1], _SECOND.unpack_from(value, 1)[0], value[_HEAD:]
    if kind == DESTROYED:
        return Entry(True, second)
    if kind == _DESK:
        return Entry(False, second, boxes)
    half = len(boxes) // 2
    return Entry(False, second, boxes[:half], boxes[half:])


def _prefix(digest: bytes) -> str:
    return f"tv:vault:{layout.tag(digest[0] >> 3)}:"


def _groups(entries: Iterable[tuple[bytes, int]]) -> dict[str, list[tuple[bytes, int]]]:
    """By bucket: one call each, however many subs."""
    groups: dict[str, list[tuple[bytes, int]]] = {}
    for digest, second in entries:
        groups.setdefault(_prefix(digest), []).append((digest, second))
    return groups


def _blob(group: Sequence[tuple[bytes, int]]) -> bytes:
    return b"".join(b"%02x" % digest[1] + digest[:8] + _SECOND.pack(second) for digest, second in group)
