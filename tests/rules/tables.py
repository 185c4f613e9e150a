"""Tables for the examples, from times of one day written as people write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from streams.rules.pieces import PieceTable, VenueFigures, pieces
from streams.rules.policy import Policy, load_policies
from streams.rules.scans import ScanTable, distinct_unvoided

MIDNIGHT = 1_641_574_800  # 2022-01-08 in Ho Chi Minh City
POLICY = load_policies().of_time(MIDNIGHT)
# dwell/max_stay in minutes: shop 20/240, restaurant 60/300, office 240/720, and a shop of its own with air that stays
VENUES = {"shop": 0, "food": 1, "office": 2, "airy": 3}
FIGURES = VenueFigures.of(
    POLICY,
    types=["shop", "restaurant", "office", "shop"],
    dwell_minutes=[None, None, None, 30],
    max_stay_minutes=[None, None, None, None],
    linger_minutes=[None, None, None, 30],
)


def at(clock: str) -> int:
    """`08:30` or `08:30:15`, local; `32:00` is 8 o'clock on the day after."""
    parts = [int(part) for part in clock.split(":")]
    hours, minutes, seconds = [*parts, 0][:3]
    return MIDNIGHT + hours * 3600 + minutes * 60 + seconds


def clock(second: int) -> str:
    minutes, seconds = divmod(second - MIDNIGHT, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def scan_table(rows: list[tuple[Any, ...]], persons: int = -1) -> ScanTable:
    """Rows (person, code, venue, second, words), words among `out staff void`."""
    numbers = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    words = [row[4].split() for row in rows]
    flags = {word: np.array([word in of for of in words], bool) for word in ("out", "staff", "void")}
    return ScanTable(numbers[:, 0], numbers[:, 2], numbers[:, 3], **flags, code=numbers[:, 1], persons=persons)


def day_of(*lines: str, person: int = 0) -> list[tuple[Any, ...]]:
    """Lines `08:30 shop [out] [staff] [void]` of one person with one code."""
    rows = []
    for line in lines:
        when, venue, *words = line.split()
        rows.append((person, person, VENUES[venue], at(when), " ".join(words)))
    return rows


def pieces_of(*lines: str, policy: Policy = POLICY) -> list[str]:
    """Scans of one person's day → pieces as lines `08:30-09:00 shop [inferred] [conflict] [staff]`."""
    return as_lines(pieces(distinct_unvoided(scan_table(day_of(*lines))), FIGURES, policy))


def as_lines(table: PieceTable) -> list[str]:
    names = list(VENUES)
    rows = []
    for i in range(len(table)):
        flags = [word for word in ("inferred", "conflict", "staff") if getattr(table, word)[i]]
        span = f"{clock(int(table.start[i]))}-{clock(int(table.end[i]))}"
        rows.append(" ".join([span, names[table.venue[i]], *flags]))
    return rows


def piece_table(*lines: str, persons: int = -1) -> PieceTable:
    """Lines `person 08:30-09:00 shop [inferred] [conflict] [staff]`."""
    split = [line.split() for line in lines]
    spans = [row[1].split("-") for row in split]
    return PieceTable(
        np.array([int(row[0]) for row in split], np.int64),
        np.array([VENUES[row[2]] for row in split], np.int64),
        np.array([at(a) for a, _ in spans], np.int64),
        np.array([at(b) for _, b in spans], np.int64),
        *(np.array([word in row[3:] for row in split], bool) for word in ("inferred", "conflict", "staff")),
        persons=persons,
    )
