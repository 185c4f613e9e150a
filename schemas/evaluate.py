"""Internal: a request to evaluate a case again (topic `evaluate`, key = case)."""

from __future__ import annotations

import msgspec

from schemas.fields import Id, Pseudonyms
from schemas.problem import Problem
from schemas.reading import Headers, Reader, checked


class Evaluate(msgspec.Struct, frozen=True):
    """`persons` = pseudonyms to look at again, null = everybody."""

    case_id: Id
    persons: Pseudonyms | None = None

    def key(self) -> str:
        """Of the record, so that a case has one partition."""
        return self.case_id


def check_evaluate(wire: Evaluate) -> Evaluate:
    """What the types alone don't say. Raises FieldError."""
    return checked(wire, Evaluate)


READER: Reader[Evaluate, Evaluate] = Reader("evaluate", Evaluate, check_evaluate)


def decode_evaluate(value: bytes | None, headers: Headers = ()) -> Evaluate | Problem | None:
    """One record of `evaluate`; None for an empty value. Never raises: whoever reaches Kafka can write here."""
    return READER.read(value, headers)
