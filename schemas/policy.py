"""The frame of a policy (topic `policies`; messages.md): the JSON form of policy.toml.

Here only that its tables are there and tables; what is in them is checked by streams/rules/policy_form.py, which reads
the TOML form too.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec

from schemas.fields import Check, Day, Id, Note, as_it_is
from schemas.problem import Problem
from schemas.reading import Headers, Reader, checked

Table = Annotated[dict[str, Any], Check(as_it_is, "an object: the table of this name in policy.toml")]


class PolicyWire(msgspec.Struct):
    """A policy never changes: other content under a known id is rejected (`policy_conflict`)."""

    id: Id
    in_force_from: Day
    source: Note
    scan: Table
    case: Table
    contact: Table
    staff: Table
    cluster: Table
    venue: Table
    infectiousness: Table
    bands: Table
    advice: Table


class _Cleaned(msgspec.Struct):
    """The same fields, each by its check."""

    id: str
    in_force_from: date
    source: str
    scan: dict[str, Any]
    case: dict[str, Any]
    contact: dict[str, Any]
    staff: dict[str, Any]
    cluster: dict[str, Any]
    venue: dict[str, Any]
    infectiousness: dict[str, Any]
    bands: dict[str, Any]
    advice: dict[str, Any]


class PolicyFrame(msgspec.Struct, frozen=True):
    """Checked as far as the frame goes. `content` = the whole policy as plain data, fields that we don't know left out
    at the top; numbers as they were sent."""

    id: str
    in_force_from: date
    content: dict[str, Any]


def check_policy(wire: PolicyWire) -> PolicyFrame:
    """What the types alone don't say. Raises FieldError."""
    cleaned = checked(wire, _Cleaned)
    content = {**msgspec.structs.asdict(cleaned), "in_force_from": wire.in_force_from}
    return PolicyFrame(cleaned.id, cleaned.in_force_from, content)


READER: Reader[PolicyWire, PolicyFrame] = Reader("policy", PolicyWire, check_policy)


def decode_policy(value: bytes | None, headers: Headers = ()) -> PolicyFrame | Problem | None:
    """One record of `policies`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
