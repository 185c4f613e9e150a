"""The figures of a day, from the keys that dashboards read (messages.md), the registries, and the day's scans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from console.coverage.scope import Registries, Scope
from console.registered import areas, organisations, venues
from streams.ports import Call
from streams.rules.codes import venue_token
from streams.rules.days import date_of
from streams.rules.doubtful import NOTHING, Doubts, doubtful
from streams.rules.scans import ScanTable
from streams.state import gates, graph, public
from streams.state.generation import read_offsets
from streams.state.layout import U64, tokens_of
from streams.state.people import PeopleTable
from streams.state.replies import pairs_of
from streams.state.shards import read_days
from streams.state.table import Table

if TYPE_CHECKING:
    from streams.ports import Store
    from streams.rules.policy import Policy

TREND = 14
"""days up to the day that show how it goes"""
_MANY = 1_000
Hash = dict[str, str]


@dataclass
class Raw:
    """What was read. Keys are ids; hashes as in messages.md, {} where there is none."""

    day: int
    known: Registries
    meta: Hash
    trend: dict[int, Hash]
    areas: dict[str, Hash] = field(default_factory=dict)
    organisations: dict[str, Hash] = field(default_factory=dict)
    venues: dict[str, Hash] = field(default_factory=dict)
    strangers: dict[str, Hash] = field(default_factory=dict)
    last_scan: dict[str, int] = field(default_factory=dict)
    gateways: dict[str, Hash] = field(default_factory=dict)
    doubts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """venue_id → codes that are shared cards, persons in two places; only of venues with any."""
    shared: int = 0
    conflicts: int = 0


async def registries(store: Store) -> Registries:
    return Registries(await venues(store), await organisations(store), await areas(store))


async def newest_day(store: Store, today: int) -> int:
    """The last day that anybody scanned on, not later than today; today when nobody ever did."""
    return max((day for day in await read_days(store) if day <= today), default=today)


async def read(store: Store, known: Registries, scope: Scope, day: int, policy: Policy) -> Raw:
    """Everything about a local day (a number, streams/rules/days.py) that is in the scope."""
    date = date_of(day).isoformat()
    (meta,) = await _hashes(store, [public.META])
    days = range(day - TREND + 1, day + 1)
    trend = dict(zip(days, await _hashes(store, [_total_key(scope, each) for each in days]), strict=True))
    raw = Raw(day, known, meta, trend)
    codes, bodies = scope.areas(known), scope.organisations(known)
    raw.areas = await _by_name(store, codes, [public.area_key(code, date) for code in codes])
    raw.organisations = await _by_name(store, bodies, [public.organisation_key(body, date) for body in bodies])
    places = [venue.venue_id for venue in scope.venues(known)]
    raw.venues = await _by_name(store, places, [public.venue_key(place, date) for place in places])
    raw.last_scan = await _silent(store)
    tokens = await graph.all_venues(store)
    if scope.kind == "all":
        raw.strangers = await _strangers(store, known, tokens, date)
        raw.gateways = await _gateways(store)
    await _doubts(store, raw, scope, tokens, policy)
    return raw


def _total_key(scope: Scope, day: int) -> str:
    date = date_of(day).isoformat()
    if scope.kind == "area":
        return public.area_key(scope.id, date)
    return public.organisation_key(scope.id, date) if scope.kind == "organisation" else public.day_key(date)


async def _hashes(store: Store, keys: Sequence[str]) -> list[Hash]:
    found: list[Hash] = []
    for at in range(0, len(keys), _MANY):
        for flat in await store.run([Call("HGETALL", (key,)) for key in keys[at : at + _MANY]]):
            found.append({name.decode(): value.decode() for name, value in pairs_of(flat)})
    return found


async def _by_name(store: Store, names: Sequence[str], keys: Sequence[str]) -> dict[str, Hash]:
    return dict(zip(names, await _hashes(store, keys), strict=True))


async def _silent(store: Store) -> dict[str, int]:
    (flat,) = await store.run([Call("ZRANGE", (public.SILENT,), (0, -1, "WITHSCORES"))])
    if flat and isinstance(flat[0], list | tuple):  # RESP3 gives pairs
        flat = [word for pair in flat for word in pair]
    return {name.decode(): int(float(score)) for name, score in zip(flat[::2], flat[1::2], strict=True)}


async def _strangers(store: Store, known: Registries, tokens: list[bytes], date: str) -> dict[str, Hash]:
    """Venues with a scan on the day that nobody registered."""
    registered = {venue_token(venue_id) for venue_id in known.venues}
    names = await graph.read_names(store, graph.VENUES, [token for token in tokens if token not in registered])
    ids = sorted(name.decode() for name in names.values())
    found = await _by_name(store, ids, [public.venue_key(venue_id, date) for venue_id in ids])
    return {venue_id: figures for venue_id, figures in found.items() if int(figures.get("scans", 0))}


async def _gateways(store: Store) -> dict[str, Hash]:
    table: Table[bytes] = Table("gateways", lambda _, row: row)
    await table.refresh(store)
    names = set(table.rows)
    for partition in sorted({p for topic, p in await read_offsets(store) if topic == "scans"}):
        names |= set(await gates.read(store, partition))
    ids = sorted(names)
    return await _by_name(store, ids, [public.gateway_key(name) for name in ids])


async def _doubts(store: Store, raw: Raw, scope: Scope, tokens: list[bytes], policy: Policy) -> None:
    """From the scans of the whole day: a card that is shared, or seen elsewhere, shows at no single venue."""
    people = PeopleTable()
    await people.refresh(store)
    found = await _scans(store, people, raw.day, tokens, policy)
    names = await graph.read_names(store, graph.VENUES, tokens)
    ids = [names[token].decode() if token in names else "" for token in tokens]
    here = None if scope.kind == "all" else set(raw.venues)
    for venue_id, shared, conflicts in zip(ids, found.shared_at.tolist(), found.conflicts_at.tolist(), strict=True):
        if (shared or conflicts) and (here is None or venue_id in here):
            raw.doubts[venue_id] = (shared, conflicts)
    if here is None:
        raw.shared, raw.conflicts = len(found.shared), len(found.conflicts)
    else:
        # Of a part: somebody who was at two of its venues counts twice here, which errs on the side of looking.
        raw.shared = sum(shared for shared, _ in raw.doubts.values())
        raw.conflicts = sum(conflicts for _, conflicts in raw.doubts.values())


async def _scans(store: Store, people: PeopleTable, day: int, tokens: list[bytes], policy: Policy) -> Doubts:
    columns: list[list[np.ndarray]] = [[] for _ in range(6)]
    for at in range(0, len(tokens), _MANY):
        part = tokens[at : at + _MANY]
        records = await graph.read_venues(store, tokens_of(b"".join(part)), np.full(len(part), day))
        rows = np.arange(len(records))
        if people.any_erased:
            rows = rows[records.second > people.erased_until(records.other)]
        parts = (records.owner + at, records.other, records.second, records.out, records.staff, records.void)
        for column, values in zip(columns, parts, strict=True):
            column.append(values[rows])
    if not columns[0]:
        return NOTHING
    place, code, second, out, staff, void = (np.concatenate(column) for column in columns)
    scans = ScanTable(_dense(people.person_of(code)), place, second, out, staff, void, _dense(code))
    return doubtful(scans, len(tokens), limit=policy.shared_code_limit, apart=policy.conflict_seconds)


def _dense(tokens: U64) -> np.ndarray:
    """Tokens as indices from 0."""
    return np.unique(tokens, return_inverse=True)[1].astype(np.int64)


def numbers(figures: Hash, names: Iterable[str]) -> list[int]:
    """Absent = 0 (messages.md)."""
    return [int(figures.get(name) or 0) for name in names]
