"""What a rebuild throws away, and how it is kept from throwing away what a later one made.

tv:clear:{13}   counter: the epoch of the last rebuild that deleted keys of this hash tag; for a day
"""

from __future__ import annotations

from streams.ports import Call, Fenced, Store
from streams.state.generation import is_current
from streams.state.ledgers import scan_keys

_KEPT = (b"tv:gen", b"tv:fence:", b"tv:clear:", b"tv:vault:", b"tv:pub:", b"tv:refused:")
_AT_ONCE = 500
_OVERTAKEN = "another rebuild began after this one"


async def clear(store: Store, generation: str, epoch: int) -> None:
    """Delete every key of ours but the generation marker (it holds the offsets), fences and guards, the vault, and what
    dashboards read. Raises Fenced when another rebuild began after the one of this generation; `epoch`: greater than
    that of every rebuild before.

    Without the fences, numbering of owners would begin again, and an owner of the former generation could pass for the
    new one. Keys of one hash tag go in one command: a worker of the former generation may be at work still, and if it
    wrote a row of a table between the deletion of its rows and that of its log, nobody would ever be told of the row.

    No topic holds a code for as long as an exposure stands (scans 21 days, exposures 60): an emptied vault would leave
    people whom nobody can call back. And what was erased in it must stay so.

    Public figures stay as they are until they are counted anew (messages.md). So does what was refused: those messages
    are known by their places, and of registries nobody reads them again.
    """
    doomed: dict[bytes, list[bytes]] = {}
    async for key in scan_keys(store, "tv:*"):
        if not key.startswith(_KEPT):
            tag = key.partition(b"{")[2].partition(b"}")[0]  # keys of one call lie on one node of a cluster
            doomed.setdefault(tag or key, []).append(key)
    # After the scan: what a later rebuild wrote may be among its keys, and in no tag that the later one guards.
    await not_overtaken(store, generation)
    for tag, keys in doomed.items():
        guard = b"tv:clear:{%b}" % tag
        calls = [Call("clear", (guard, *keys[at : at + _AT_ONCE]), (epoch,)) for at in range(0, len(keys), _AT_ONCE)]
        if b"FENCED" in await store.run(calls):
            raise Fenced(_OVERTAKEN)


async def not_overtaken(store: Store, generation: str) -> None:
    """Raises Fenced when the generation of a rebuild is not the last one that was begun."""
    if not await is_current(store, generation):
        raise Fenced(_OVERTAKEN)
