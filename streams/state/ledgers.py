"""Reading ledgers (standing.py) without owning one: dashboards, listings, rebuilding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from streams.ports import Call, Store
from streams.state.replies import pairs_of
from streams.state.standing import EXPOSURE, NUMBERS, STATUS, Counts, Head, decode_head, decode_numbers, slot_of


async def read_outlines(store: Store, cases: Sequence[tuple[int, str]]) -> list[tuple[Head | None, Counts, int]]:
    """Of cases (partition, case_id): the head of the status, counts, and when (ms) all of it was evaluated last."""
    calls = []
    for partition, case_id in cases:
        slot = slot_of(partition, "e")
        calls.append(Call("HGET", (f"tv:head:{slot}:{case_id}",), (STATUS,)))
        calls.append(Call("HMGET", (f"tv:count:{slot}:{case_id}",), NUMBERS))
    replies = await store.run(calls)
    found = []
    for head, numbers in zip(replies[::2], replies[1::2], strict=True):
        found.append((decode_head(head) if head else None, *decode_numbers(numbers)))
    return found


async def read_standing(
    store: Store, partitions: int, case_id: str | None = None, kind: bytes = EXPOSURE, line: str = "e"
) -> AsyncIterator[bytes]:
    """The records (JSON) of everything of a kind that was published last, withdrawn ones too, of one case or of all."""
    for partition in range(partitions):
        prefix = f"tv:body:{slot_of(partition, line)}:"
        if case_id is not None:
            names: list[bytes | str] = [prefix + case_id]
        else:
            names = [key async for key in scan_keys(store, prefix + "*")]
        for name in names:
            (flat,) = await store.run([Call("HGETALL", (name,))])
            for entry, body in pairs_of(flat):
                if entry[:1] == kind:
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
