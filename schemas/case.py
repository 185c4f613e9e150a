"""One record of a case: a person with a positive test (topic `cases`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import Code, Id, Stamp, Time
from schemas.problem import Problem
from schemas.reading import Headers, Reader, checked, updated

Status = Literal["confirmed", "withdrawn"]


class CaseWire(msgspec.Struct):
    """A person with a positive test. `reported_at` is the first report and picks the policy."""

    case_id: Id
    person: Code
    status: Status
    sampled_at: Time
    reported_at: Time
    reported_by: Id
    onset_at: Time | None = None
    isolated_at: Time | None = None
    negative_at: Time | None = None
    updated_at: Stamp | None = None


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


def check_case(wire: CaseWire) -> Case:
    """What the types alone don't say. Raises FieldError."""
    return checked(wire, Case, updated_at=updated(wire, "reported_at"))


READER: Reader[CaseWire, Case] = Reader("case", CaseWire, check_case)


def decode_case(value: bytes | None, headers: Headers = ()) -> Case | Problem | None:
    """One record of `cases`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
