"""The registries as workers keep them in Redis: the winners, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.venue import Venue, decode_venue
from streams.state.places import CoverageTable, OrganisationTable
from streams.state.table import Table
from streams.state.venues import decode_row

if TYPE_CHECKING:
    from schemas.coverage import Coverage
    from schemas.organisation import Organisation
    from streams.ports import Store


def _venue(venue_id: str, row: bytes) -> Venue:
    found = decode_venue(decode_row(row).value)
    if not isinstance(found, Venue):  # it was decoded before it was kept
        raise ValueError(f"the row of venue {venue_id} holds no venue")
    return found


async def venues(store: Store) -> dict[str, Venue]:
    """By venue_id, closed ones too."""
    table: Table[Venue] = Table("venues", _venue)
    await table.refresh(store)
    return table.rows


async def organisations(store: Store) -> dict[str, Organisation]:
    """By the organisation's id."""
    table = OrganisationTable()
    await table.refresh(store)
    return table.rows


async def areas(store: Store) -> dict[str, Coverage]:
    """By the area's code."""
    table = CoverageTable()
    await table.refresh(store)
    return table.rows
