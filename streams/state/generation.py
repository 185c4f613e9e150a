"""Whether what Redis holds may be believed: the generation marker, and how far each input has been taken in.

    tv:gen   hash  id, state (`loading` | `ready`), since
    tv:off   hash  generation, and `topic/partition` → next offset to take in, written after all effects of a batch

An empty Redis is not an empty world: without a `ready` marker nothing is evaluated, published or withdrawn. Offsets
live beside the facts, in one append-only file with them: a Redis that came back without its last second also came back
without the offsets of that second, and the workers read those records again.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from streams.ports import Call, Store, StoreChanged

_GEN, _OFF = "tv:gen", "tv:off"


class Generation(NamedTuple):
    id: str
    state: str


async def read_generation(store: Store) -> Generation | None:
    """The marker, None when Redis has none (it is new, or it was emptied)."""
    (found,) = await store.run([Call("HMGET", (_GEN,), ("id", "state"))])
    if found[0] is None or found[1] is None:
        return None
    return Generation(found[0].decode(), found[1].decode())


async def begin_generation(store: Store, state: str) -> Generation:
    """A new generation with no offsets taken in: all inputs will be read from their beginning."""
    name = uuid4().hex
    await store.run([Call("DEL", (_OFF,)), Call("HSET", (_OFF,), ("generation", name))])
    await store.run([Call("HSET", (_GEN,), ("id", name, "state", state))])
    return Generation(name, state)


async def set_state(store: Store, state: str) -> None:
    await store.run([Call("HSET", (_GEN,), ("state", state))])


async def read_offsets(store: Store) -> dict[tuple[str, int], int]:
    """(topic, partition) → next offset to take in."""
    (flat,) = await store.run([Call("HGETALL", (_OFF,))])
    pairs = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
    offsets = {}
    for name, value in pairs:
        topic, _, partition = name.decode().rpartition("/")
        if topic:
            offsets[topic, int(partition)] = int(value)
    return offsets


async def offset_done(store: Store, generation: str, topic: str, partition: int, offset: int) -> None:
    """Everything before `offset` has had all its effects. Raises StoreChanged when the generation is another one now."""
    (reply,) = await store.run([Call("offset_done", (_OFF,), (generation, f"{topic}/{partition}", offset))])
    if reply == b"GENERATION":
        raise StoreChanged("this worker's generation was thrown away (rebuild); it starts again with the new one")
