"""How many messages were refused, by day and reason: each place once, however often it was refused.

tv:refused:{b18c}:schema   set   topic/partition/offset/index, of records whose timestamp lies on that local day
tv:refused:days            set   day · reason that there are
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.ports import Call, Store

_DAYS = "tv:refused:days"
KEPT = 25 * 86_400


class Refused(NamedTuple):
    """`day` = local day of the record's timestamp; `place` = the key of the reject."""

    day: int
    reason: str
    place: bytes


async def add(store: Store, refused: Iterable[Refused]) -> None:
    """Again changes nothing."""
    groups: dict[tuple[int, str], list[bytes]] = {}
    for day, reason, place in refused:
        groups.setdefault((day, reason), []).append(place)
    calls = []
    for (day, reason), places in sorted(groups.items()):
        key = f"tv:refused:{{{day:04x}}}:{reason}"
        calls += [Call("SADD", (key,), tuple(places)), Call("EXPIRE", (key,), (KEPT,))]
        calls.append(Call("SADD", (_DAYS,), (f"{day:04x}:{reason}",)))
    await store.run(calls)


async def counts(store: Store) -> dict[int, dict[str, int | str]]:
    """Local day → reason → how many."""
    (names,) = await store.run([Call("SMEMBERS", (_DAYS,))])
    kinds = sorted(name.decode().split(":") for name in names)
    replies = await store.run([Call("SCARD", (f"tv:refused:{{{day}}}:{reason}",)) for day, reason in kinds])
    found: dict[int, dict[str, int | str]] = {}
    for (day, reason), count in zip(kinds, replies, strict=True):
        if count:
            found.setdefault(int(day, 16), {})[reason] = int(count)
    return found
