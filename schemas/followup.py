"""One notice a person, however many cases (topic `followups`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec


class Followup(msgspec.Struct, frozen=True):
    """`person` = pseudonym, and the record's key; `exposures` = ids of those that stand, sorted; `band` = the strongest.
    Dates are local, the latest of all exposures."""

    person: str
    exposures: tuple[str, ...]
    band: Literal["high", "medium", "low"] | None
    follow_up_until: str | None
    test_on: str | None
