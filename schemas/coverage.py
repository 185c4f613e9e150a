"""One record of how many people an area has, and how many of them can be reached (topic `coverage`; messages.md)."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from schemas.fields import Count, Day, DayOrTime, Id, Name, Stamp
from schemas.problem import FieldError, Problem
from schemas.reading import Headers, Reader, checked, updated

Level = Literal["province", "district", "commune"]


class CoverageWire(msgspec.Struct):
    """An area and its figures as of a day or a time. An area that was abolished has `valid_to` and its `successor`."""

    area: Id
    level: Level
    name: Name
    as_of: DayOrTime
    parent: Id | None = None
    population: Count | None = None
    subscribers: Count | None = None
    installs: Count | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    successor: Id | None = None
    updated_at: Stamp | None = None


class Coverage(msgspec.Struct, frozen=True):
    """Checked. `as_of` in ms (a date: the start of the local day), `updated_at` in ms (its default: `as_of`)."""

    area: str
    level: Level
    name: str
    as_of: int
    updated_at: int
    parent: str | None = None
    population: int | None = None
    subscribers: int | None = None
    installs: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None


def check_coverage(wire: CoverageWire) -> Coverage:
    """What the types alone don't say. Raises FieldError."""
    found = checked(wire, Coverage, updated_at=updated(wire, "as_of"))
    if found.valid_from is not None and found.valid_to is not None and found.valid_to < found.valid_from:
        raise FieldError("valid_to", "a day that is not before valid_from")
    return found


READER: Reader[CoverageWire, Coverage] = Reader("coverage", CoverageWire, check_coverage)


def decode_coverage(value: bytes | None, headers: Headers = ()) -> Coverage | Problem | None:
    """One record of `coverage`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
