"""What is wrong with a message: a reason of rule 1 and a detail that names the field, never the value."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import msgspec

NOT_JSON = "not_json"
SCHEMA = "schema"

_AT = re.compile(r"at `\$([^`]*)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")
_UNKNOWN_PLACE = "expected values as the schema has them"

EXPECTED = {
    "scan_id": "text of 1 to 64 characters, without control characters or white space around it",
    "venue_id": "text of 1 to 64 characters, without control characters or white space around it",
    "gateway_id": "text of 1 to 64 characters, without control characters or white space around it",
    "person": "text of 1 to 1024 characters that is not blank, without control characters",
    "direction": "in or out",
    "role": "visitor or staff",
    "mode": "text",
    "void": "true or false",
    "proof": "text of at most 256 characters",
    "type": "text",
    "lat": "a number from -90 to 90",
    "lon": "a number from -180 to 180",
    "capacity": "a whole number, 0 or more",
    "dwell_minutes": "a whole number from 1 to 1440",
    "max_stay_minutes": "a whole number from 1 to 1440",
    "linger_minutes": "a whole number from 0 to 60",
    "name": "text of 1 to 256 characters, without control characters",
}
TIME = "RFC 3339 with an offset or whole milliseconds, from 2000 to 2100"
ID = "text of 1 to 64 characters, without control characters or white space around it"


class Problem(NamedTuple):
    """`index` = place in a batch, None for a single message; `payload` = the bad element's bytes."""

    reason: str
    detail: str
    index: int | None
    payload: bytes


class FieldError(ValueError):
    """A field that the types let through and the contract does not."""

    def __init__(self, field: str, expected: str | None = None) -> None:
        super().__init__(field)
        self.field = field
        self.expected = expected or expected_of(field)


def expected_of(field: str) -> str:
    if field.endswith("_at"):
        return TIME
    if field == "status":
        return "one of the listed words"
    return EXPECTED.get(field, ID)


def _refuse(_: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def is_json(value: bytes) -> bool:
    """Whether the bytes are JSON in UTF-8: no NaN, no bad UTF-8, no byte order mark, no absurd nesting (rule 1)."""
    try:
        json.loads(value.decode(), parse_constant=_refuse, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return False
    return True


def problem_of(error: Exception, value: bytes, index: int | None, prefix: str = "") -> Problem:
    """The reject for what a decoder raised. msgspec's own text may echo a value, so only its field name is used."""
    if not is_json(value):
        return Problem(NOT_JSON, f"{prefix}: expected JSON in UTF-8", index, value)
    if isinstance(error, FieldError):
        field, expected = error.field, error.expected
        return Problem(SCHEMA, f"{prefix}/{field}: expected {expected}", index, value)
    if isinstance(error, msgspec.ValidationError):
        text = str(error)
        missing = _MISSING.search(text)
        if missing is not None:
            return Problem(SCHEMA, f"{prefix}/{missing[1]}: expected the field to be there", index, value)
        at = _AT.search(text)
        field = at[1].lstrip(".") if at is not None else ""
        if field:
            return Problem(SCHEMA, f"{prefix}/{field}: expected {expected_of(field)}", index, value)
        return Problem(SCHEMA, f"{prefix}: expected an object with the fields of the schema", index, value)
    # JSON by its grammar, but a text in it is none (half a surrogate pair): say which field, if it is one of ours.
    return Problem(SCHEMA, f"{prefix}{_surrogate_field(value)}: expected text", index, value)


def _surrogate_field(value: bytes) -> str:
    found = json.loads(value)
    if isinstance(found, dict):
        for field, content in found.items():
            if isinstance(content, str) and any("\ud800" <= c <= "\udfff" for c in content):
                if field in EXPECTED or field.endswith("_at"):
                    return f"/{field}"
    return ""
