"""One record of the venue registry (topic `venues`; messages.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.scan import Id, Time

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
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Linger = Annotated[int, msgspec.Meta(ge=0, le=60)]


class VenueWire(msgspec.Struct):
    """As it travels. `type` is an open list: an unknown one counts as `other`."""

    venue_id: Id
    name: Name
    type: str
    registered_at: Time
    organisation: Id | None = None
    parent: Id | None = None
    province: Id | None = None
    district: Id | None = None
    commune: Id | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    capacity: Annotated[int, msgspec.Meta(ge=0)] | None = None
    dwell_minutes: Minutes | None = None
    max_stay_minutes: Minutes | None = None
    linger_minutes: Linger | None = None
    status: Literal["open", "closed"] | None = None
    updated_at: Time | None = None


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
