"""The keys that dashboards read (messages.md, "Redis, for dashboards"): written whole, decimal text, kept 25 days.

Nothing of a person is in them but counts. A Redis user for dashboards needs `~tv:pub:*` and reading commands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import islice

from streams.ports import Call, Store

PREFIX = "tv:pub:"
KEPT = 25 * 86_400  # seconds
SCHEMA = 1
MANY = 400  # calls, some 10 ms of work


def day_key(date: str) -> str:
    return f"tv:pub:day:{date}"


def area_key(code: str, date: str) -> str:
    return f"tv:pub:area:{code}:{date}"


def rank_key(level: str, date: str) -> str:
    return f"tv:pub:rank:{level}:{date}"


def venue_key(venue_id: str, date: str) -> str:
    return f"tv:pub:venue:{venue_id}:{date}"


def organisation_key(organisation: str, date: str) -> str:
    return f"tv:pub:org:{organisation}:{date}"


def rejects_key(date: str) -> str:
    return f"tv:pub:rejects:{date}"


def gateway_key(gateway_id: str) -> str:
    return f"tv:pub:gateway:{gateway_id}"


def parts_of(key: str) -> tuple[str, str, date | None]:
    """Kind, id ("" where it has none), day (None where it has none). An id may hold colons, a date has none."""
    kind, _, rest = key.removeprefix(PREFIX).partition(":")
    what, _, last = rest.rpartition(":")
    if kind not in _BY_DAY:
        return kind, rest, None
    return kind, what, date.fromisoformat(last)


_BY_DAY = ("day", "area", "rank", "venue", "org", "rejects")
META, SILENT, TRACING = "tv:pub:meta", "tv:pub:silent", "tv:pub:tracing"


def hash_calls(key: str, figures: Mapping[str, int | str], *, kept: int | None = KEPT) -> list[Call]:
    """Overwrite a hash. What is 0 is written as 0: a dashboard need not know that absent means the same.

    `kept` None: it stays as long as it was to stay before.
    """
    calls = [Call("HSET", (key,), tuple(word for pair in figures.items() for word in pair))]
    if kept is not None:
        calls.append(Call("EXPIRE", (key,), (kept,)))
    return calls


def set_call(key: str, scores: Mapping[str, int], *, kept: int = KEPT) -> Call:
    """Replace a sorted set as a whole: nobody sees half of it."""
    words = [word for member, score in scores.items() for word in (score, member)]
    return Call("pub_set", (key,), (kept, *words))


async def write(store: Store, calls: Iterable[Call]) -> None:
    """In portions, each of them made when the one before is written: nobody waits for a province's venues."""
    left = iter(calls)
    while some := list(islice(left, MANY)):
        await store.run(some)


async def read_lag(store: Store) -> int:
    """How many records the figures are behind, as they say."""
    (found,) = await store.run([Call("HGET", (META,), ("lag_records",))])
    return int(found or 0)
