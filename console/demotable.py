"""The demo's exposures as a table that a newcomer can read: who (a pseudonym), how strong, how long, when, where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from console.commands.exposures import in_order
from console.times import shown

COLUMNS = ("person (pseudonym)", "score", "band", "min", "when", "where")
NUMBERS = ("score", "min")
SPARE = ("when",)
_NAME = 28


class Names:
    """The venues' names, from the province's own file."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / "venues.ndjson").read_bytes().splitlines()
        self._names = {venue["venue_id"]: venue["name"] for venue in map(json.loads, lines)}

    def of(self, record: dict[str, Any]) -> str:
        places = list(dict.fromkeys(episode["venue_id"] for episode in record.get("episodes") or ()))
        if not places:
            return ""
        name = str(self._names.get(places[0], places[0]))[:_NAME]
        return f"{name} +{len(places) - 1}" if len(places) > 1 else name


def rows(records: list[dict[str, Any]], names: Names, most: int) -> list[tuple[Any, ...]]:
    """The strongest `most` of them."""
    return [
        (r["person"], f"{r['score']:.1f}", r["band"], r["minutes"], _when(r), names.of(r))
        for r in in_order(records)[:most]
    ]


def _when(record: dict[str, Any]) -> str:
    """`25/11 07:31-16:19`; with both days when it was not one."""
    first, last = shown(record["first_at"]), shown(record["last_at"])
    return f"{first}-{last[6:]}" if first[:5] == last[:5] else f"{first} - {last}"
