"""Internal: a request to evaluate a case again (topic `evaluate`, key = case)."""

from __future__ import annotations

import msgspec


class Evaluate(msgspec.Struct, frozen=True):
    """`persons` = pseudonyms to look at again, null = everybody."""

    case_id: str
    persons: list[str] | None = None
