"""Whether what Redis holds may be believed: the generation marker, and how far each input has been taken in.

    tv:gen   hash  id, state (`loading` | `ready`), form, and `topic/partition` → next offset to take in, written
             after all effects of a batch. One key, so that id and offsets never are of two generations.

An empty Redis is not an empty world: without a `ready` marker nothing is evaluated, published or withdrawn. Offsets
live beside the facts, in one append-only file with them: a Redis that came back without its last second also came back
without the offsets of that second, and the workers read those records again.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from streams.ports import Call, Store, StoreChanged
from streams.state.replies import pairs_of

_GEN = "tv:gen"
FORM = b"2"
"""The form of the state, to be counted up with every change of names or packings (layout.py, …). What another version
of this program wrote would be read wrong without a word: scans would be looked for where they are not."""


class Generation(NamedTuple):
    id: str
    state: str


async def read_generation(store: Store) -> Generation | None:
    """The marker, None when Redis has none (it is new, it was emptied, or what it holds has another form)."""
    (found,) = await store.run([Call("HMGET", (_GEN,), ("id", "state", "form"))])
    if found[0] is None or found[1] is None or found[2] != FORM:
        return None
    return Generation(found[0].decode(), found[1].decode())


async def is_current(store: Store, generation: str) -> bool:
    """Whether it is the one that was begun last."""
    found = await read_generation(store)
    return found is not None and found.id == generation


async def begin_generation(store: Store, state: str, *, only_first: bool = False) -> Generation:
    """A new generation with no offsets taken in: all inputs will be read from their beginning.

    `only_first`: the one that stands already, where there is one (several workers may start at once).
    """
    args = (uuid4().hex, state, int(only_first), FORM)
    (found,) = await store.run([Call("generation_begin", (_GEN,), args)])
    return Generation(found[0].decode(), found[1].decode())


async def set_state(store: Store, generation: str, state: str) -> None:
    """Raises StoreChanged when the generation is another one now."""
    _only_ours(await store.run([Call("generation_state", (_GEN,), (generation, state))]))


async def read_offsets(store: Store, generation: str = "") -> dict[tuple[str, int], int]:
    """(topic, partition) → next offset to take in. `generation`: raises StoreChanged when there is another one now.

    Whoever begins to read by them says its own. A worker that was given a partition while a rebuild began took the new
    generation's offsets, which are none, for its own, read all over again into emptied tables, and told `registry` so.
    """
    (flat,) = await store.run([Call("HGETALL", (_GEN,))])
    found = dict(pairs_of(flat))
    if generation and found.get(b"id") != generation.encode():
        raise _thrown_away()
    offsets = {}
    for name, value in found.items():
        topic, _, partition = name.decode().rpartition("/")
        if topic:
            offsets[topic, int(partition)] = int(value)
    return offsets


async def offset_done(
    store: Store, generation: str, topic: str, partition: int, offset: int, newest_ms: int = 0
) -> None:
    """Everything before `offset` has had all its effects. Raises StoreChanged when there is another generation now.

    `newest_ms` = the highest record timestamp of the batch; what is kept is the highest of all (`read_newest`).
    """
    args = (generation, f"{topic}/{partition}", offset, newest_ms)
    _only_ours(await store.run([Call("offset_done", (_GEN,), args)]))


NEWEST = Call("HGET", (_GEN,), ("newest",))
"""What `newest_of` reads, for whoever asks for more in the same go."""


def newest_of(reply: bytes | None) -> int:
    """The highest timestamp (seconds UTC) of all records of `scans` that were taken in; 0 when there was none."""
    return int(reply or 0) // 1000


async def read_newest(store: Store) -> int:
    """The same, asked for by itself."""
    (reply,) = await store.run([NEWEST])
    return newest_of(reply)


def _only_ours(replies: list[bytes]) -> None:
    if replies[0] == b"GENERATION":
        raise _thrown_away()


def _thrown_away() -> StoreChanged:
    return StoreChanged("the generation that this began with was thrown away (rebuild)")
