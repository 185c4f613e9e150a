"""What is wrong with a message: a reason of rule 1 and a detail that names the field, never the value."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

NOT_JSON: Final = "not_json"
SCHEMA: Final = "schema"

# Anchored: msgspec echoes words of closed lists, and a sender could make one that looks like the rest of the text.
_AT = re.compile(r"at `\$([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$([^`]*)`)?$")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|(\[\.\.\.\])")


class Problem(NamedTuple):
    """`index` = place in a batch, None for a single message; `payload` = the bad element's bytes."""

    reason: str
    detail: str
    index: int | None  # type: ignore[assignment]  # tuple.index, which nobody needs
    payload: bytes


class FieldError(ValueError):
    """A field that the types let through and the contract does not."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(field)
        self.field = field
        self.expected = expected


def not_json(value: bytes, index: int | None = None, prefix: str = "") -> Problem:
    return Problem(NOT_JSON, f"{prefix}: expected JSON in UTF-8", index, value)


def of_field(error: FieldError, value: bytes, index: int | None = None, prefix: str = "") -> Problem:
    return Problem(SCHEMA, f"{prefix}/{error.field}: expected {error.expected}", index, value)


def of_decoder(
    error: msgspec.ValidationError, expected: dict[str, str], value: bytes, index: int | None = None, prefix: str = ""
) -> Problem:
    """The reject for what the decoder raised. Its own text may echo a value, so only the field's name is used.

    `expected` says by field what the contract wants.
    """
    text = str(error)
    missing = _MISSING.match(text)
    if missing is not None:
        place = _pointer(missing[2] or "") + "/" + missing[1]
        return Problem(SCHEMA, f"{prefix}{place}: expected the field to be there", index, value)
    at = _AT.search(text)
    place = _pointer(at[1]) if at is not None else ""
    if not place:
        return Problem(SCHEMA, f"{prefix}: expected an object with the fields of the schema", index, value)
    wanted = expected.get(place.split("/")[1], "values as the schema has them")
    return Problem(SCHEMA, f"{prefix}{place}: expected {wanted}", index, value)


def _pointer(path: str) -> str:
    """msgspec's path → JSON pointer, as far as it names fields of ours: keys that a sender chose it leaves out, and
    so do we."""
    pointer = ""
    for name, index, chosen in _STEP.findall(path):
        if chosen:
            break
        pointer += "/" + (name or index)
    return pointer
