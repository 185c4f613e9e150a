"""What was read of a day as sheets of rows, numbers of persons shown as rule 11 wants: 1 to 4 are `<5`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.coverage.reading import Hash, Raw, numbers
from console.coverage.scope import Scope
from console.exports.sheets import Cell, Sheet
from console.times import LOCAL
from streams.rules.days import date_of
from streams.rules.small import few

if TYPE_CHECKING:
    from schemas.venue import Venue

SETTLING_DAYS = 3
"""A day changes until it is so old (rule 11): terminals that were offline send late."""
CLOCK_AHEAD_MS = 5 * 60_000
"""From here a gateway's clock counts as wrong: nobody scans in the future."""
LATE_MS = 3_600_000
"""Scans that are so old when they come: a terminal was offline, or its clock is behind; nobody can tell which."""


@dataclass(frozen=True)
class Covered:
    """A day of a scope, ready to be shown. `sheets` by name, in the order of showing."""

    day: datetime.date
    settling: bool
    scope: Scope
    as_of: datetime.datetime | None
    lag_records: int
    state: str
    sheets: dict[str, Sheet]

    def rows(self, name: str) -> list[dict[str, Any]]:
        sheet = self.sheets[name]
        return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]

    def total(self) -> dict[str, Any]:
        return self.rows("total")[0]


def is_settling(day: int, today: int) -> bool:
    return today - day < SETTLING_DAYS


def cover(raw: Raw, scope: Scope, today: int) -> Covered:
    """`today`: number of the local day."""
    as_of = int(raw.meta.get("as_of") or 0)
    made = [
        _total(raw, scope, is_settling(raw.day, today)),
        _trend(raw, today),
        _areas(raw),
        _organisations(raw),
        _without(raw, scope),
        Sheet("unregistered", ("venue_id", "scans", "persons"), _strangers(raw)),
        Sheet("gateways", ("gateway", "state", "last_record", "last_scan", "offset_s", "trouble"), _gateways(raw)),
        Sheet("doubtful", ("venue_id", "name", "shared_codes", "two_places"), _doubtful(raw)),
    ]
    return Covered(
        date_of(raw.day),
        is_settling(raw.day, today),
        scope,
        datetime.datetime.fromtimestamp(as_of // 1000, LOCAL) if as_of else None,
        int(raw.meta.get("lag_records") or 0),
        raw.meta.get("state") or "none",
        {sheet.name: sheet for sheet in made},
    )


def percent(part: int, whole: int) -> float | None:
    """To one decimal; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


def _total(raw: Raw, scope: Scope, settling: bool) -> Sheet:
    figures = raw.trend[raw.day]
    scans, came, left = numbers(figures, ("scans", "in", "out"))
    active = sum(1 for found in raw.venues.values() if numbers(found, ("scans",))[0])
    # An organisation's key has only those of its people who are staff.
    kind = {"all": "persons", "area": "persons_est"}.get(scope.kind)
    row: dict[str, Cell] = {
        "day": date_of(raw.day).isoformat(),
        "state": "settling" if settling else "",  # a file is read long after it was made
        "of": scope.name or scope.kind,
        "scans": scans,
        "in": came,
        "out": left,
        "balance": came - left,
        "out_percent": percent(left, came),
        "persons": few(numbers(figures, (kind,))[0]) if kind else None,
        "venues_active": active,
        "venues_registered": len(raw.venues),
        "active_percent": percent(active, len(raw.venues)),
        "unregistered": len(raw.strangers),
        "shared_codes": few(raw.shared),
        "two_places": few(raw.conflicts),
    }
    return Sheet("total", tuple(row), [list(row.values())])


def _trend(raw: Raw, today: int) -> Sheet:
    rows: list[list[Cell]] = []
    for day, figures in raw.trend.items():
        scans, came, left = numbers(figures, ("scans", "in", "out"))
        rows.append([date_of(day).isoformat(), scans, came, left, "settling" if is_settling(day, today) else ""])
    return Sheet("trend", ("date", "scans", "in", "out", "state"), rows)


def _areas(raw: Raw) -> Sheet:
    date = date_of(raw.day)
    rows: list[list[Cell]] = []
    for code, figures in raw.areas.items():
        area = raw.known.areas[code]
        if not (area.valid_from or date) <= date <= (area.valid_to or date):
            continue
        scans, came, left, persons, active, registered = numbers(
            figures, ("scans", "in", "out", "persons_est", "venues_active", "venues_registered")
        )
        population, subscribers, installs = area.population or 0, area.subscribers or 0, area.installs or 0
        rows.append(
            [
                code,
                area.name,
                area.level,
                population,
                subscribers,
                installs,
                percent(installs, population),
                percent(installs, subscribers),
                scans,
                came,
                left,
                came - left,
                few(persons),
                active,
                registered,
                percent(active, registered),
            ]
        )
    columns = ("area", "name", "level", "population", "subscribers", "installs", "of_population", "of_subscribers")
    more = ("scans", "in", "out", "balance", "persons", "venues_active", "venues_registered", "active_percent")
    return Sheet("areas", columns + more, rows)


def _organisations(raw: Raw) -> Sheet:
    rows: list[list[Cell]] = []
    for name, figures in raw.organisations.items():
        body = raw.known.organisations[name]
        scans, came, left, staff, places, active = numbers(
            figures, ("scans", "in", "out", "staff_persons", "venues", "venues_active")
        )
        headcount = body.headcount or 0
        # A percentage of a few would say how many they are.
        presence = percent(staff, headcount) if few(staff) == staff else None
        rows.append([name, body.name, scans, came, left, came - left, few(staff), headcount, presence, active, places])
    columns = ("organisation", "name", "scans", "in", "out", "balance", "staff", "headcount", "presence")
    return Sheet("organisations", (*columns, "venues_active", "venues"), rows)


def _without(raw: Raw, scope: Scope) -> Sheet:
    """Areas of the lowest level, organisations and venues without a scan on the day."""
    date = date_of(raw.day)
    rows: list[list[Cell]] = []
    for code, figures in raw.areas.items():
        area = raw.known.areas[code]
        there = (area.valid_from or date) <= date <= (area.valid_to or date)
        if area.level == "commune" and there and not _scans(figures):
            rows.append(["commune", code, area.name, ""])
    for name, figures in raw.organisations.items():
        if not _scans(figures):
            rows.append(["organisation", name, raw.known.organisations[name].name, ""])
    places: list[Venue] = [raw.known.venues[venue_id] for venue_id, found in raw.venues.items() if not _scans(found)]
    # Longest silent first, after those that never had one.
    for venue in sorted(places, key=lambda venue: raw.last_scan.get(venue.venue_id, 0)):
        last = raw.last_scan.get(venue.venue_id, 0)
        rows.append(["venue", venue.venue_id, venue.name, _moment(last) if last else "never"])
    return Sheet("without", ("kind", "id", "name", "last_scan"), rows)


def _strangers(raw: Raw) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for venue_id, figures in sorted(raw.strangers.items(), key=lambda item: (-_scans(item[1]), item[0])):
        rows.append([venue_id, _scans(figures), few(numbers(figures, ("persons",))[0])])
    return rows


def _gateways(raw: Raw) -> list[list[Cell]]:
    """Only those with a trouble."""
    rows: list[list[Cell]] = []
    for name, figures in raw.gateways.items():
        record, scan, offset = numbers(figures, ("last_record", "last_scan", "offset_ms"))
        state = figures.get("state", "")
        trouble = [state] if state in ("silent", "unregistered") else []
        if offset >= CLOCK_AHEAD_MS:
            trouble.append("clock")
        elif offset <= -LATE_MS:
            trouble.append("late")
        if trouble:
            moments = [_moment(second) if second else "never" for second in (record, scan)]
            rows.append([name, state, *moments, round(offset / 1000), ", ".join(trouble)])
    return rows


def _doubtful(raw: Raw) -> list[list[Cell]]:
    names = {venue_id: venue.name for venue_id, venue in raw.known.venues.items()}
    found = sorted(raw.doubts.items(), key=lambda item: (-sum(item[1]), item[0]))
    return [[name, names.get(name, ""), few(shared), few(twice)] for name, (shared, twice) in found]


def _scans(figures: Hash) -> int:
    return numbers(figures, ("scans",))[0]


def _moment(second: int) -> str:
    return f"{datetime.datetime.fromtimestamp(second, LOCAL):%Y-%m-%d %H:%M}"
