"""Exposures for a spreadsheet: one a row, all that is published of them but the single episodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.exports.sheets import Sheet

COLUMNS = (
    "case_id",
    "person",
    "level",
    "via",
    "certainty",
    "minutes",
    "direct_minutes",
    "indirect_minutes",
    "first_at",
    "last_at",
    "venues",
    "score",
    "band",
    "follow_up_until",
    "test_on",
    "policy",
    "issued_at",
    "exposure_id",
    "revision",
)


def exposures(records: Iterable[dict[str, Any]]) -> Sheet:
    """Of records of the topic `exposures`, in their order."""
    return Sheet("exposures", COLUMNS, [_row(record) for record in records])


def _row(record: dict[str, Any]) -> list[Any]:
    venues = dict.fromkeys(episode["venue_id"] for episode in record.get("episodes") or ())
    flat = {
        **record,
        **(record.get("advice") or {}),
        "via": " ".join(record.get("via") or ()),
        "venues": " ".join(venues),
    }
    return [flat.get(column) for column in COLUMNS]
