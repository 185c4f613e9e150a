"""Internal: a request to combine what several cases say (topic `combine`, key = person or venue)."""

from __future__ import annotations

import msgspec

from schemas.fields import APseudonym, Id
from schemas.problem import FieldError, Problem
from schemas.reading import Headers, Reader, checked


class Combine(msgspec.Struct, frozen=True, omit_defaults=True):
    """`person` (pseudonym): the follow-up. `venue_id`: the clusters there. One of the two."""

    person: APseudonym | None = None
    venue_id: Id | None = None

    def key(self) -> str:
        """A person's is the key of the record on `followups`, so that both have one partition."""
        return self.person or f"venue/{self.venue_id}"


def check_combine(wire: Combine) -> Combine:
    """What the types alone don't say. Raises FieldError."""
    if (wire.person is None) == (wire.venue_id is None):
        raise FieldError("venue_id", "it or person, one of the two")
    return checked(wire, Combine)


READER: Reader[Combine, Combine] = Reader("combine", Combine, check_combine)


def decode_combine(value: bytes | None, headers: Headers = ()) -> Combine | Problem | None:
    """One record of `combine`; None for an empty value. Never raises: whoever reaches Kafka can write here."""
    return READER.read(value, headers)
