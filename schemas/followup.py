"""One notice a person, however many cases (topic `followups`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import OutDay, OutId, OutTime, Pseudonym


class Followup(msgspec.Struct, frozen=True):
    """`person` = pseudonym, and the record's key; `exposures` = ids of those that stand, sorted.

    `band` = the strongest of them; the dates are local, the latest of all of them. When none stands any more, the
    key gets a tombstone.
    """

    person: Pseudonym
    revision: int
    exposures: tuple[OutId, ...]
    band: Literal["high", "medium", "low"] | None
    follow_up_until: OutDay | None
    test_on: OutDay | None
    issued_at: OutTime
