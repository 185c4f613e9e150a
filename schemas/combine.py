"""Internal: a request to combine what several cases say (topic `combine`, key = person or venue)."""

from __future__ import annotations

import msgspec


class Combine(msgspec.Struct, frozen=True, omit_defaults=True):
    """`person` (pseudonym): the follow-up. `venue_id`: the clusters there. One of the two."""

    person: str | None = None
    venue_id: str | None = None

    def key(self) -> str:
        """A person's is the key of the record on `followups`, so that both have one partition."""
        return self.person or f"venue/{self.venue_id}"
