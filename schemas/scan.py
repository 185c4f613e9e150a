"""One scan: one reading of one code at one venue (topic `scans`; messages.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Time = str | int
Direction = Literal["in", "out"]
Role = Literal["visitor", "staff"]


class ScanWire(msgspec.Struct, gc=False):
    """As it travels. `mode` is an open list: an unknown one counts as `other`."""

    scan_id: Id
    venue_id: Id
    person: Code
    scanned_at: Time
    gateway_id: Id
    direction: Direction | None = None
    role: Role | None = None
    mode: str | None = None
    void: bool | None = None
    proof: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class Scan(msgspec.Struct, frozen=True):
    """Checked: `venue_id` and ids in NFC, `person` as read, `scanned_at` in seconds UTC (a fraction cut off)."""

    scan_id: str
    venue_id: str
    person: str
    scanned_at: int
    gateway_id: str
    direction: Direction = "in"
    role: Role = "visitor"
    mode: str = "poster"
    void: bool = False
    proof: str | None = None
