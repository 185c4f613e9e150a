"""Rule 11: counters, by the local day of `scanned_at`; functions of the scans that count and of the registries."""

from __future__ import annotations

from collections.abc import Iterable

from tests.reference.acceptance import Fact
from tests.reference.answer import World
from tests.reference.fields import local_day


def on_day(world: World, day: int) -> set[Fact]:
    return {scan for scan in world.scans if local_day(scan.second) == day}


def counts(world: World, scans: Iterable[Fact]) -> dict[str, int]:
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


def day_counters(world: World, day: int) -> dict[str, int]:
    """`tv:pub:day`: with registered open venues, and unregistered venues seen."""
    scans = on_day(world, day)
    return {
        **counts(world, scans),
        "venues_registered": sum(venue.status == "open" for venue in world.venues.values()),
        "unregistered": len({scan.venue for scan in scans} - world.venues.keys()),
        "cases_reported": sum(local_day(c.reported) == day and c.status == "confirmed" for c in world.cases.values()),
    }


def area_counters(world: World, day: int) -> dict[str, dict[str, int]]:
    """`tv:pub:area`: a venue counts for its commune, district and province."""
    found = {}
    for area in {a for v in world.venues.values() for a in (v.commune, v.district, v.province) if a}:
        here = {v.venue: v for v in world.venues.values() if area in (v.commune, v.district, v.province)}
        registered = sum(venue.status == "open" for venue in here.values())
        scans = {scan for scan in on_day(world, day) if scan.venue in here}
        found[area] = {**counts(world, scans), "venues_registered": registered}
    return found


def venue_counters(world: World, day: int) -> dict[str, dict[str, int]]:
    """`tv:pub:venue`: of each venue with a scan on that day."""
    found = {}
    for place in {scan.venue for scan in on_day(world, day)}:
        scans = {scan for scan in on_day(world, day) if scan.venue == place}
        found[place] = {**counts(world, scans), "last_scan": max(scan.second for scan in scans)}
        del found[place]["venues_active"]
    return found
