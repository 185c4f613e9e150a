"""One record of the registry of scanner gateways (topic `gateways`; messages.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.fields import Check, Id, Stamp, Time, as_it_is
from schemas.problem import FieldError, Problem
from schemas.reading import Headers, Reader, checked, updated

Status = Literal["active", "revoked"]
_LONGEST = 100 * 366 * 86_400  # a terminal whose clock fell back to 1970 is still corrected
Offset = Annotated[
    int,
    msgspec.Meta(ge=-_LONGEST, le=_LONGEST),
    Check(as_it_is, f"a whole number of seconds from -{_LONGEST} to {_LONGEST}"),
]


class GatewayWire(msgspec.Struct):
    """A sender of scans. `revoked_at` ends it (rule 1) and must be there when `status` is revoked."""

    gateway_id: Id
    registered_at: Time
    organisation: Id | None = None
    status: Status | None = None
    revoked_at: Time | None = None
    clock_offset_s: Offset | None = None
    updated_at: Stamp | None = None


class Gateway(msgspec.Struct, frozen=True):
    """Checked. Times in seconds UTC, `updated_at` in ms (its default: `registered_at`).

    `scanned_at` minus `clock_offset_s` is when a scan was. `revoked_at` may lie ahead, while the status is active.
    """

    gateway_id: str
    registered_at: int
    updated_at: int
    organisation: str | None = None
    status: Status = "active"
    revoked_at: int | None = None
    clock_offset_s: int = 0


def check_gateway(wire: GatewayWire) -> Gateway:
    """What the types alone don't say. Raises FieldError."""
    found = checked(wire, Gateway, updated_at=updated(wire, "registered_at"))
    if found.status == "revoked" and found.revoked_at is None:
        # Without it nobody could say which scans still count, and none would be refused.
        raise FieldError("revoked_at", "a time, as the status is revoked")
    return found


READER: Reader[GatewayWire, Gateway] = Reader("gateway", GatewayWire, check_gateway)


def decode_gateway(value: bytes | None, headers: Headers = ()) -> Gateway | Problem | None:
    """One record of `gateways`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
