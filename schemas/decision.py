"""What a tracer decided: to release or refuse a held case, to confirm or dismiss an exposure (topic `decisions`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import Digest, Id, Note, Stamp, Time
from schemas.problem import Problem
from schemas.reading import Headers, Reader, checked, updated


class _Wire(msgspec.Struct, tag_field="decision", kw_only=True):
    at: Time
    by: Id
    note: Note | None = None
    updated_at: Stamp | None = None


class ReleaseWire(_Wire, tag="release"):
    """The exposures of a held case are raised."""

    case_id: Id


class RefuseWire(_Wire, tag="refuse"):
    """They are not."""

    case_id: Id


class ConfirmWire(_Wire, tag="confirm"):
    """A tracer found that there was contact."""

    exposure_id: Digest


class DismissWire(_Wire, tag="dismiss"):
    """A tracer found that there was none."""

    exposure_id: Digest


class CaseDecision(msgspec.Struct, frozen=True):
    """Checked. `at` in seconds UTC, `updated_at` in ms (its default: `at`)."""

    case_id: str
    decision: Literal["release", "refuse"]
    at: int
    by: str
    updated_at: int
    note: str | None = None


class ExposureDecision(msgspec.Struct, frozen=True):
    """Checked. `at` in seconds UTC, `updated_at` in ms (its default: `at`)."""

    exposure_id: str
    decision: Literal["confirm", "dismiss"]
    at: int
    by: str
    updated_at: int
    note: str | None = None


DecisionWire = ReleaseWire | RefuseWire | ConfirmWire | DismissWire
Decision = CaseDecision | ExposureDecision


def check_decision(wire: DecisionWire) -> Decision:
    """What the types alone don't say. Raises FieldError."""
    into: type[Decision] = CaseDecision if isinstance(wire, ReleaseWire | RefuseWire) else ExposureDecision
    return checked(wire, into, decision=wire.__struct_config__.tag, updated_at=updated(wire, "at"))


READER: Reader[DecisionWire, Decision] = Reader("decision", DecisionWire, check_decision)


def decode_decision(value: bytes | None, headers: Headers = ()) -> Decision | Problem | None:
    """One record of `decisions`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
