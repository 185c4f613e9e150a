"""One record of the registry of organisations (topic `organisations`; messages.md)."""

from __future__ import annotations

import msgspec

from schemas.fields import Count, Id, Name, Stamp, Time
from schemas.problem import Problem
from schemas.reading import Headers, Reader, checked, updated


class OrganisationWire(msgspec.Struct):
    """Who runs venues and employs people. `head` is a title, no name."""

    organisation: Id
    name: Name
    registered_at: Time
    head: Name | None = None
    parent: Id | None = None
    commune: Id | None = None
    headcount: Count | None = None
    updated_at: Stamp | None = None


class Organisation(msgspec.Struct, frozen=True):
    """Checked. `registered_at` in seconds UTC, `updated_at` in ms (its default: `registered_at`)."""

    organisation: str
    name: str
    registered_at: int
    updated_at: int
    head: str | None = None
    parent: str | None = None
    commune: str | None = None
    headcount: int | None = None


def check_organisation(wire: OrganisationWire) -> Organisation:
    """What the types alone don't say. Raises FieldError."""
    return checked(wire, Organisation, updated_at=updated(wire, "registered_at"))


READER: Reader[OrganisationWire, Organisation] = Reader("organisation", OrganisationWire, check_organisation)


def decode_organisation(value: bytes | None, headers: Headers = ()) -> Organisation | Problem | None:
    """One record of `organisations`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
