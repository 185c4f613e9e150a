"""One record of a case: a person with a positive test (topic `cases`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.scan import Code, Id, Time

Status = Literal["confirmed", "withdrawn"]


class CaseWire(msgspec.Struct):
    """As it travels."""

    case_id: Id
    person: Code
    status: Status
    sampled_at: Time
    reported_at: Time
    reported_by: Id
    onset_at: Time | None = None
    isolated_at: Time | None = None
    negative_at: Time | None = None
    updated_at: Time | None = None


class Case(msgspec.Struct, frozen=True):
    """Checked. Times in seconds UTC, `updated_at` in ms (its default: `reported_at`)."""

    case_id: str
    person: str
    status: Status
    sampled_at: int
    reported_at: int
    reported_by: str
    updated_at: int
    onset_at: int | None = None
    isolated_at: int | None = None
    negative_at: int | None = None
