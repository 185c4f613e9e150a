"""The public figures of one local day (messages.md, "Redis, for dashboards"): totals, as calls that write them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from streams.ports import Call
from streams.rules.codes import venue_token
from streams.rules.counters import Tally
from streams.rules.days import date_of
from streams.state import public
from streams.state.places import Place
from streams.steps.book import Book
from streams.steps.registers import LEVELS, Registers

PAUSE = 50  # areas or organisations after which the worker's batches get their turn


def day_calls(book: Book, registers: Registers) -> list[Call]:
    seen, known = book.whole(), registers.places.by_token
    figures = {
        **_figures(seen),
        "staff": seen.staff,
        "persons": len(seen.persons),
        "venues_active": seen.venues,
        "venues_registered": registers.open_venues,
        "unregistered": sum(token not in known for token in book.tallies),
        **_reported(book.day, registers),
    }
    return public.hash_calls(public.day_key(date_of(book.day).isoformat()), figures)


def cases_calls(day: int, registers: Registers) -> list[Call]:
    """The one figure of a day that hangs on no scan, alone."""
    return public.hash_calls(public.day_key(date_of(day).isoformat()), _reported(day, registers))


def _reported(day: int, registers: Registers) -> dict[str, int]:
    return {"cases_reported": registers.reported.get(day, 0)}


def venue_calls(
    book: Book, registers: Registers, venue_id: str, inside: int, kept: int | None = public.KEPT
) -> list[Call]:
    """A venue with all that is within it; no key where nobody was scanned and nobody is inside."""
    seen = book.of(registers.under(venue_id))
    key = public.venue_key(venue_id, date_of(book.day).isoformat())
    if not seen.scans and not inside:
        return [Call("DEL", (key,))]
    figures = {
        **_figures(seen),
        "persons": len(seen.persons),
        "staff": seen.staff,
        "inside_now": inside,
        "last_scan": seen.last,
    }
    return public.hash_calls(key, figures, kept=kept)


async def area_calls(book: Book, registers: Registers) -> list[Call]:
    """Of all areas of the day, and their ranks."""
    date = date_of(book.day)
    calls: list[Call] = []
    ranks: dict[str, dict[str, int]] = {level: {} for level in LEVELS}
    for at, (level, code) in enumerate(sorted(registers.areas_on(date))):
        ranks[level][code] = _of(book, registers.of_area.get((level, code), ())).scans
        places = registers.in_area(code)
        seen, known = _of(book, places), registers.coverage.rows.get(code)
        figures = {
            **_figures(seen),
            "persons_est": len(seen.persons),
            "venues_active": seen.venues,
            "venues_registered": sum(place.open for place in places),
            "population": (known.population if known else None) or 0,
            "subscribers": (known.subscribers if known else None) or 0,
            "installs": (known.installs if known else None) or 0,
        }
        calls += public.hash_calls(public.area_key(code, date.isoformat()), figures)
        if at % PAUSE == 0:
            await asyncio.sleep(0)
    return calls + [public.set_call(public.rank_key(level, date.isoformat()), rank) for level, rank in ranks.items()]


async def organisation_calls(book: Book, registers: Registers) -> list[Call]:
    """Of all organisations; the venues of those below it are an organisation's own."""
    rows = registers.organisations.rows
    calls: list[Call] = []
    for at, (name, places) in enumerate(sorted(registers.of_organisation.items())):
        seen = _of(book, places)
        figures = {
            **_figures(seen),
            "staff_persons": len(seen.staff_persons),
            "headcount": (rows[name].headcount if name in rows else None) or 0,
            "venues": len(places),
            "venues_active": seen.venues,
        }
        calls += public.hash_calls(public.organisation_key(name, date_of(book.day).isoformat()), figures)
        if at % PAUSE == 0:
            await asyncio.sleep(0)
    return calls


def _of(book: Book, places: Iterable[Place]) -> Tally:
    return book.of(venue_token(place.venue_id) for place in places)


def _figures(seen: Tally) -> dict[str, int]:
    return {"scans": seen.scans, "in": seen.came, "out": seen.left}
