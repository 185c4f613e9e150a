"""Rule 11: counters, by the local day of `scanned_at`; functions of the scans that count and of the registries.

`public_keys` is what dashboards must find (messages.md), with nothing that is 0, since absent means 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.reference.acceptance import Fact
from tests.reference.answer import World
from tests.reference.fields import date_text, local_day
from tests.reference.messages import LEVELS, Venue
from tests.reference.policies import policy_of_time

Figures = dict[str, int]


def on_day(world: World, day: int) -> set[Fact]:
    return {scan for scan in world.scans if local_day(scan.second) == day}


def days_with_scans(world: World) -> list[int]:
    return sorted({local_day(scan.second) for scan in world.scans})


def counts(world: World, scans: Iterable[Fact]) -> Figures:
    """What every kind of place counts."""
    scans = list(scans)
    return {
        "scans": len(scans),
        "in": sum(scan.direction == "in" for scan in scans),
        "out": sum(scan.direction == "out" for scan in scans),
        "staff": sum(scan.role == "staff" for scan in scans),
        "persons": len({world.person(scan.code) for scan in scans}),
        "venues_active": len({scan.venue for scan in scans}),
    }


def day_counters(world: World, day: int) -> Figures:
    """`tv:pub:day`: with registered open venues, and unregistered venues seen."""
    scans = on_day(world, day)
    return {
        **counts(world, scans),
        "venues_registered": sum(venue.status == "open" for venue in world.venues.values()),
        "unregistered": len({scan.venue for scan in scans} - world.venues.keys()),
        "cases_reported": cases_reported(world, day),
    }


def cases_reported(world: World, day: int) -> int:
    return sum(local_day(c.reported) == day and c.status == "confirmed" for c in world.cases.values())


# --- venues, with what is within them


def upward(start: str | None, parents: Mapping[str, str | None]) -> set[str]:
    """It, its parent, the parent of that: as far as a registry goes, circles included."""
    found: set[str] = set()
    while start is not None and start not in found:
        found.add(start)
        start = parents.get(start)
    return found


def counts_for(world: World) -> dict[str, set[str]]:
    """Venue with a scan or a registration → the venues for which it counts: itself and its parents."""
    parents = {venue.venue: venue.parent for venue in world.venues.values()}
    seen = {scan.venue for scan in world.scans} | world.venues.keys()
    return {venue: upward(venue, parents) for venue in seen}


def inside_now(world: World) -> Figures:
    """Venue → persons whose piece, by today's policy, covers the newest record timestamp seen."""
    policy = policy_of_time(world.policies, world.newest)
    above = counts_for(world)
    found: dict[str, set[str]] = {}
    for person, pieces in world.pieces(policy).items():
        for piece in pieces:
            if piece.start <= world.newest < piece.end:
                for venue in above[piece.venue]:
                    found.setdefault(venue, set()).add(person)
    return {venue: len(persons) for venue, persons in found.items()}


def venue_counters(world: World, day: int) -> dict[str, Figures]:
    """`tv:pub:venue`: of each venue with a scan on that day, or somebody inside now."""
    above = counts_for(world)
    at: dict[str, set[Fact]] = {}
    for scan in on_day(world, day):
        for venue in above[scan.venue]:
            at.setdefault(venue, set()).add(scan)
    found = {}
    for venue, scans in at.items():
        figures = counts(world, scans)
        del figures["venues_active"]
        found[venue] = {**figures, "last_scan": max(scan.second for scan in scans)}
    if day == local_day(world.newest):
        for venue, count in inside_now(world).items():
            found.setdefault(venue, {})["inside_now"] = count
    return found


def silent(world: World) -> Figures:
    """`tv:pub:silent`: registered venue → second of its last scan; 0 = never."""
    above = counts_for(world)
    last: dict[str, int] = dict.fromkeys(world.venues, 0)
    for scan in world.scans:
        for venue in above[scan.venue] & last.keys():
            last[venue] = max(last[venue], scan.second)
    return last


# --- areas and organisations


def areas_of(venue: Venue) -> dict[str, str]:
    """Level → area."""
    named = {"province": venue.province, "district": venue.district, "commune": venue.commune}
    return {level: area for level, area in named.items() if area}


def area_counters(world: World, day: int) -> dict[str, Figures]:
    """`tv:pub:area`: a venue counts for its commune, district and province."""
    found = {}
    for area in {code for level in LEVELS for code in shown_areas(world, level, day)}:
        here = {v.venue: v for v in world.venues.values() if area in areas_of(v).values()}
        figures = counts(world, {scan for scan in on_day(world, day) if scan.venue in here})
        known = world.areas.get(area)
        found[area] = {
            **{name: figures[name] for name in ("scans", "in", "out", "venues_active")},
            "persons_est": figures["persons"],
            "venues_registered": sum(venue.status == "open" for venue in here.values()),
            "population": known.population if known else 0,
            "subscribers": known.subscribers if known else 0,
            "installs": known.installs if known else 0,
        }
    return found


def shown_areas(world: World, level: str, day: int) -> set[str]:
    """Where venues are, and what coverage knows to be an area on that day."""
    used = {areas_of(venue)[level] for venue in world.venues.values() if level in areas_of(venue)}
    return used | {
        area.area
        for area in world.areas.values()
        if area.level == level
        and (area.valid_from is None or area.valid_from <= day)
        and (area.valid_to is None or day <= area.valid_to)
    }


def rank(world: World, level: str, day: int) -> Figures:
    """`tv:pub:rank`: area → scans; areas without a scan are there with 0."""
    found = dict.fromkeys(shown_areas(world, level, day), 0)
    for scan in on_day(world, day):
        venue = world.venues.get(scan.venue)
        if venue is not None and level in areas_of(venue):
            found[areas_of(venue)[level]] += 1
    return found


def organisation_counters(world: World, day: int) -> dict[str, Figures]:
    """`tv:pub:org`: a venue counts for its organisation and its parents."""
    parents = {one.organisation: one.parent for one in world.organisations.values()}
    above = {venue.venue: upward(venue.organisation, parents) for venue in world.venues.values()}
    found = {}
    for name in world.organisations.keys() | set().union(*above.values()):
        here = {venue for venue, organisations in above.items() if name in organisations}
        scans = {scan for scan in on_day(world, day) if scan.venue in here}
        figures = counts(world, scans)
        known = world.organisations.get(name)
        found[name] = {
            **{field: figures[field] for field in ("scans", "in", "out", "venues_active")},
            "staff_persons": len({world.person(scan.code) for scan in scans if scan.role == "staff"}),
            "headcount": known.headcount if known else 0,
            "venues": len(here),
        }
    return found


# --- all of it


def rejected(world: World, records: Iterable[Any]) -> dict[int, Counter[str]]:
    """Local day of the refused record → reason → how many."""
    stamp = {(r.topic, r.partition, r.offset): r.timestamp // 1000 for r in records}
    found: dict[int, Counter[str]] = {}
    for place, reason in world.rejects.items():
        topic, partition, offset, _ = place.split("/")
        day = local_day(stamp[topic, int(partition), int(offset)])
        found.setdefault(day, Counter())[reason] += 1
    return found


def public_keys(world: World, records: Iterable[Any]) -> dict[str, Figures]:
    """Key → its fields that are not 0, for days with a scan; sorted sets whole."""
    keys: dict[str, Figures] = {"tv:pub:silent": silent(world)}
    days = days_with_scans(world)
    for day in {*days, *(local_day(c.reported) for c in world.cases.values())}:
        date = date_text(day)
        if day not in days:
            keys[f"tv:pub:day:{date}"] = {"cases_reported": cases_reported(world, day)}
            continue
        keys[f"tv:pub:day:{date}"] = day_counters(world, day)
        keys |= {f"tv:pub:area:{area}:{date}": figures for area, figures in area_counters(world, day).items()}
        keys |= {f"tv:pub:org:{name}:{date}": found for name, found in organisation_counters(world, day).items()}
        keys |= {f"tv:pub:venue:{venue}:{date}": found for venue, found in venue_counters(world, day).items()}
        keys |= {f"tv:pub:rank:{level}:{date}": rank(world, level, day) for level in LEVELS}
    for day, reasons in rejected(world, records).items():
        keys[f"tv:pub:rejects:{date_text(day)}"] = dict(reasons)
    whole = ("tv:pub:silent", "tv:pub:rank:")
    plain = {k: v if k.startswith(whole) else {f: n for f, n in v.items() if n} for k, v in keys.items()}
    return {key: figures for key, figures in plain.items() if figures}
