"""A covered day for one command: settings in, figures out."""

from __future__ import annotations

import asyncio
import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from console.coverage.reading import newest_day, read, registries
from console.coverage.scope import Registries, scope_of
from console.coverage.sections import Covered, cover
from console.policies import known as known_policies
from console.stores import open_store
from console.times import now_ms
from console.trouble import Trouble, load_settings, redis_at
from streams.rules.days import day_number, local_day

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


def covered_day(day: datetime.date | None, area: str | None, organisation: str | None) -> Covered:
    """None = the newest day with scans; the whole province. Raises Trouble."""
    settings = load_settings()
    with redis_at(settings):
        return asyncio.run(_covered(settings, day, area, organisation))


async def _covered(
    settings: Settings, day: datetime.date | None, area: str | None, organisation: str | None
) -> Covered:
    today = local_day(now_ms() // 1000)
    async with open_store(settings) as store:
        known = await registries(store)
        scope = scope_of(known, area, organisation)
        if scope is None:
            raise _unknown(known, area, organisation)
        number = await newest_day(store, today) if day is None else day_number(day)
        policies = (await known_policies(settings, store)).policies
        return cover(await read(store, known, scope, number, policies.of_day(number)), scope, today)


def _unknown(known: Registries, area: str | None, organisation: str | None) -> Trouble:
    what, name, names = (
        ("organisation", organisation, list(known.organisations))
        if organisation is not None
        else ("area", area, list(known.areas))
    )
    near = get_close_matches(str(name), names, 1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return Trouble(f"no {what} '{name}' is registered{hint}")
