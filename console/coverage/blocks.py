"""A report as blocks, which page and paper show each in its way: figures, pictures, tables."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.coverage.charts import Bar, Day, bars, days, grouped
from console.coverage.sections import Covered
from console.coverage.words import Words
from console.drawing.shapes import Drawing

_BARS, _ROWS = 12, 25


@dataclass(frozen=True)
class Cards:
    """(figure, what it is)."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Picture:
    drawing: Drawing


@dataclass(frozen=True)
class Listed:
    """A table; `more`: what is said below of rows left out. `empty`: said instead where there are none."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: str
    empty: str


Block = Cards | Picture | Listed


@dataclass(frozen=True)
class Report:
    """`notes`: what has to be known before anything is believed, first of all that the day is settling."""

    title: str
    about: str
    notes: Sequence[str]
    settling: bool
    foot: str
    blocks: Sequence[Block]


def report(covered: Covered, words: Words) -> Report:
    """For the head of a commune, an organisation, the province: pictures first, then who has to be called."""
    kind = {"all": "province"}.get(covered.scope.kind, covered.scope.kind)
    about = f"{covered.scope.name or words(kind)} · {words('day')} {covered.day:%d/%m/%Y}"
    notes = []
    if covered.settling:
        notes.append(words("settling_long"))
    if covered.lag_records:
        notes.append(words("behind", n=grouped(covered.lag_records)))
    foot = words("small")
    if covered.as_of is not None:
        foot = f"{words('as_of')} {covered.as_of:%d/%m/%Y %H:%M}. {foot}"
    blocks: list[Block] = [_cards(covered, words), _days(covered, words)]
    blocks += _parts(covered, words)
    lists = (("without", "without"), ("unregistered", "strangers"), ("gateways", "gateways"), ("doubtful", "doubtful"))
    for name, title in lists:
        if covered.scope.kind == "all" or name in ("without", "doubtful"):
            blocks.append(_listed(covered, name, words(title), words))
    return Report(words("title"), about, notes, covered.settling, foot, blocks)


def _cards(covered: Covered, words: Words) -> Cards:
    total = covered.total()
    rows = [
        (grouped(total["scans"]), words("scans")),
        (grouped(total["in"]), words("in")),
        (grouped(total["out"]), words("out")),
        (_percent(total["out_percent"]), words("out_percent")),
        (_count(total["persons"]), words("persons")),
        (f"{grouped(total['venues_active'])} / {grouped(total['venues_registered'])}", words("of_venues")),
        (_count(total["shared_codes"]), words("shared_codes")),
        (_count(total["two_places"]), words("two_places")),
    ]
    return Cards([row for row in rows if row[0]])


def _days(covered: Covered, words: Words) -> Picture:
    rows = []
    for row in covered.rows("trend"):
        date = datetime.date.fromisoformat(row["date"])
        rows.append(Day(f"{date:%d/%m}", row["in"], row["out"], bool(row["state"])))
    return Picture(days(rows, words("days"), (words("in"), words("out"), words("settling"))))


def _parts(covered: Covered, words: Words) -> list[Block]:
    areas = covered.rows("areas")
    # The lowest level that there is: where somebody can do something about it.
    level = next(
        (level for level in ("commune", "district", "province") if any(a["level"] == level for a in areas)), ""
    )
    areas = [area for area in areas if area["level"] == level]
    found = [
        (words("installs"), [(a["name"], a["installs"], a["population"]) for a in areas]),
        (words("subscribers"), [(a["name"], a["installs"], a["subscribers"]) for a in areas]),
        (words("venues"), [(a["name"], a["venues_active"], a["venues_registered"]) for a in areas]),
        (words("presence"), [(o["name"], o["staff"], o["headcount"]) for o in covered.rows("organisations")]),
    ]
    return [Picture(drawing) for title, rows in found if (drawing := _bars(title, rows, words)) is not None]


def _bars(title: str, rows: list[tuple[str, Any, int]], words: Words) -> Drawing | None:
    """The lowest shares: nobody needs a picture of where all is well."""
    known = [(name, part, whole) for name, part, whole in rows if whole]
    if not known:
        return None
    # `<5` has no share that may be shown; it is among the lowest in any case.
    shares = sorted(known, key=lambda row: (row[1] / row[2] if isinstance(row[1], int) else 0.0, row[0]))
    made = [
        Bar(name, part, whole, f"{_percent(100 * part / whole)}  ({grouped(part)} / {grouped(whole)})")
        if isinstance(part, int)
        else Bar(name, 0, whole, f"{part} / {grouped(whole)}")
        for name, part, whole in shares[:_BARS]
    ]
    more = words("lowest", n=_BARS, all=len(known)) if len(known) > _BARS else ""
    return bars(made, title, more)


def _listed(covered: Covered, name: str, title: str, words: Words) -> Listed:
    sheet = covered.sheets[name]
    kept = [[_cell(cell, words) for cell in row] for row in sheet.rows[:_ROWS]]
    more = words("more", n=grouped(len(sheet.rows) - _ROWS)) if len(sheet.rows) > _ROWS else ""
    heading = f"{title} ({grouped(len(sheet.rows))})"
    return Listed(heading, [words.cell(column) for column in sheet.columns], kept, more, words("none"))


def _cell(cell: object, words: Words) -> str:
    return grouped(cell) if isinstance(cell, int) else words.cell(cell)


def _count(cell: Any) -> str:
    return "" if cell is None else grouped(cell) if isinstance(cell, int) else str(cell)


def _percent(share: float | None) -> str:
    return (
        "–" if share is None else f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %".replace(".", ",")
    )
