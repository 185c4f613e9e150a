"""One record of the venue registry (topic `venues`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import Count, Id, Latitude, Linger, Longitude, Minutes, Name, Stamp, Time, Word
from schemas.problem import Problem
from schemas.reading import Headers, Reader, checked, updated

TYPES = (
    "office",
    "school",
    "factory",
    "enterprise",
    "shopping_centre",
    "supermarket",
    "market",
    "bus_station",
    "vehicle",
    "tourist_site",
    "lodging",
    "restaurant",
    "bar",
    "shop",
    "health",
    "worship",
    "event",
    "other",
)


class VenueWire(msgspec.Struct):
    """A place with one posted QR code. `type` is an open list: an unknown one counts as `other`."""

    venue_id: Id
    name: Name
    type: Word
    registered_at: Time
    organisation: Id | None = None
    parent: Id | None = None
    province: Id | None = None
    district: Id | None = None
    commune: Id | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    capacity: Count | None = None
    dwell_minutes: Minutes | None = None
    max_stay_minutes: Minutes | None = None
    linger_minutes: Linger | None = None
    status: Literal["open", "closed"] | None = None
    updated_at: Stamp | None = None


class Venue(msgspec.Struct, frozen=True):
    """Checked. `registered_at` in seconds, `updated_at` in ms (its default: `registered_at`)."""

    venue_id: str
    name: str
    type: str
    registered_at: int
    updated_at: int
    organisation: str | None = None
    parent: str | None = None
    province: str | None = None
    district: str | None = None
    commune: str | None = None
    lat: float | None = None
    lon: float | None = None
    capacity: int | None = None
    dwell_minutes: int | None = None
    max_stay_minutes: int | None = None
    linger_minutes: int | None = None
    status: Literal["open", "closed"] = "open"


def check_venue(wire: VenueWire) -> Venue:
    """What the types alone don't say. Raises FieldError."""
    kind = wire.type if wire.type in TYPES else "other"
    return checked(wire, Venue, type=kind, updated_at=updated(wire, "registered_at"))


READER: Reader[VenueWire, Venue] = Reader("venue", VenueWire, check_venue)


def decode_venue(value: bytes | None, headers: Headers = ()) -> Venue | Problem | None:
    """One record of `venues`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
