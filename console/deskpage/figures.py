"""The counters of `tv:pub:*` as the page shows them: read for everybody at once, at most once in two seconds."""

from __future__ import annotations

import asyncio
import datetime
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from console.times import LOCAL
from streams.ports import Call
from streams.rules import small
from streams.state import public
from streams.state.places import CoverageTable, OrganisationTable

if TYPE_CHECKING:
    from streams.ports import Store

FRESH = 1.0
DAYS, WEEK = 21, 7
AREAS = 400
SILENT = 50
"""Days to choose from; days of rejects; areas and silent venues listed; numbers of persons below it are not shown."""
LEVELS = ("commune", "district", "province")
Hash = dict[str, str]


@dataclass
class Figures:
    """`day`: what the day's figures are of (local); `days`: those that have any, the newest first. `rejects`: reason →
    how many today, and within WEEK days."""

    day: str
    days: list[str]
    tracing: Hash
    meta: Hash
    of_day: Hash
    rejects: dict[str, tuple[int, int]]
    areas: list[dict[str, Any]] = field(default_factory=list)
    level: str = LEVELS[0]
    silent: list[tuple[str, int]] = field(default_factory=list)
    never: int = 0
    organisation: dict[str, Any] | None = None


def few(number: int | str | None) -> str:
    """A number of persons as desk and reports show it (rule 11): 1 to 4 are `<5`."""
    shown = small.few(int(number or 0))
    return shown if isinstance(shown, str) else grouped(shown)


def grouped(number: int | str | None) -> str:
    """1234567 → 1.234.567, as it is written in Vietnam, and read without doubt in English beside no decimals."""
    return f"{int(number or 0):,}".replace(",", ".")


class Counters:
    """Everybody who looks at the same day shares one reading of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[tuple[str | None, str | None], tuple[float, Figures]] = {}
        self._asking = asyncio.Lock()
        self._coverage, self._organisations = CoverageTable(), OrganisationTable()

    async def of(self, day: str | None = None, organisation: str | None = None) -> Figures:
        """Figures of a day, None = the newest that has any; `organisation` = those of one besides. Raises StoreDown."""
        async with self._asking:
            had = self._last.get((day, organisation))
            if had is not None and time.monotonic() - had[0] < FRESH:
                return had[1]
            found = await self._read(day, organisation)
            if len(self._last) > 100:
                self._last.clear()
            self._last[day, organisation] = (time.monotonic(), found)
            return found

    async def _read(self, day: str | None, organisation: str | None) -> Figures:
        today = datetime.datetime.now(LOCAL).date()
        dates = [(today - datetime.timedelta(days=n)).isoformat() for n in range(DAYS)]
        await self._coverage.refresh(self._store)
        calls = [Call("HGETALL", (public.day_key(date),)) for date in dates]
        *of_days, tracing, meta = map(
            _hash, await self._store.run([*calls, Call("HGETALL", (public.TRACING,)), Call("HGETALL", (public.META,))])
        )
        with_scans = [date for date, figures in zip(dates, of_days, strict=True) if int(figures.get("scans", 0))]
        shown = day or (with_scans[0] if with_scans else dates[0])
        silent, never, *more = await self._store.run(
            [
                Call("ZRANGEBYSCORE", (public.SILENT,), ("-inf", "+inf", "WITHSCORES", "LIMIT", 0, SILENT)),
                Call("ZCOUNT", (public.SILENT,), (0, 0)),
                *(
                    Call("ZREVRANGE", (public.rank_key(level, shown),), (0, AREAS - 1, "WITHSCORES"))
                    for level in LEVELS
                ),
                *(Call("HGETALL", (public.rejects_key(date),)) for date in dates[:WEEK]),
            ]
        )
        ranks, rejects = more[: len(LEVELS)], [_hash(reply) for reply in more[len(LEVELS) :]]
        found = Figures(
            shown,
            sorted({*with_scans, shown}, reverse=True),
            tracing,
            meta,
            of_days[dates.index(shown)] if shown in dates else {},
            {
                reason: (int(rejects[0].get(reason, 0)), sum(int(day.get(reason, 0)) for day in rejects))
                for reason in sorted({reason for day in rejects for reason in day})
            },
            silent=[(venue.decode(), int(at)) for venue, at in zip(silent[::2], silent[1::2], strict=True)],
            never=int(never),
        )
        # A province without communes in its registry has districts, or itself at least.
        for level, rank in zip(LEVELS, ranks, strict=True):
            if rank:
                found.level, found.areas = level, await self._areas(shown, rank)
                break
        if organisation is not None:
            found.organisation = await self._organisation(organisation, shown)
        return found

    async def _areas(self, day: str, rank: list[bytes]) -> list[dict[str, Any]]:
        codes = [code.decode() for code in rank[::2]]
        replies = await self._store.run([Call("HGETALL", (public.area_key(code, day),)) for code in codes])
        rows = []
        for code, reply in zip(codes, replies, strict=True):
            known, figures = self._coverage.rows.get(code), _hash(reply)
            rows.append({"code": code, "name": known.name if known is not None else code, **figures})
        return rows

    async def _organisation(self, organisation: str, day: str) -> dict[str, Any]:
        await self._organisations.refresh(self._store)
        known = self._organisations.rows.get(organisation)
        (reply,) = await self._store.run([Call("HGETALL", (public.organisation_key(organisation, day),))])
        return {"name": known.name if known is not None else organisation, **_hash(reply)}


def _hash(reply: Any) -> Hash:
    pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
    return {name.decode(): value.decode() for name, value in pairs}
