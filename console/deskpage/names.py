"""Names of venues, for people who read ids badly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schemas.venue import Venue, decode_venue
from streams.state.table import Table
from streams.state.venues import decode_row

if TYPE_CHECKING:
    from streams.ports import Store

_FRESH = 5.0


def _name(field: str, row: bytes) -> str:
    venue = decode_venue(decode_row(row).value)
    return venue.name if isinstance(venue, Venue) else field


class VenueNames:
    """A copy of the registry, brought up to date by what changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table: Table[str] = Table("venues", _name)
        self._at = float("-inf")

    async def refresh(self) -> None:
        """Raises StoreDown."""
        if time.monotonic() - self._at > _FRESH:
            await self._table.refresh(self._store)
            self._at = time.monotonic()

    def of(self, venue_id: str) -> str:
        """The name, or the id where nobody registered it."""
        return self._table.rows.get(venue_id, venue_id)
