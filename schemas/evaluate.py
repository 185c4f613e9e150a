"""Internal: a request to evaluate a case again (topic `evaluate`, key = case)."""

from __future__ import annotations

import msgspec

from schemas.fields import Pseudonym


class Evaluate(msgspec.Struct, frozen=True):
    """`persons` = pseudonyms to look at again, null = everybody."""

    case_id: str
    persons: list[Pseudonym] | None = None
