"""Venues, organisations and areas as counters need them: who belongs to whom, and what is known of it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from schemas.coverage import Coverage, decode_coverage
from schemas.decoding import Problem
from schemas.organisation import Organisation, decode_organisation
from schemas.venue import Venue, decode_venue
from streams.rules.codes import venue_token
from streams.state.table import Table
from streams.state.venues import decode_row as decode_venue_row


class PlainRow(msgspec.Struct, frozen=True):
    """A registry's record that holds no code: it is kept as it came. The greatest (`updated_at` ms, `value`) wins."""

    updated_at: int
    value: bytes


_decoder = msgspec.msgpack.Decoder(PlainRow)


def encode_plain(row: PlainRow) -> bytes:
    return msgspec.msgpack.encode(row)


def decode_plain(row: bytes) -> PlainRow:
    return _decoder.decode(row)


class Place(NamedTuple):
    """A registered venue."""

    venue_id: str
    open: bool
    province: str | None
    district: str | None
    commune: str | None
    organisation: str | None
    parent: str | None

    @property
    def areas(self) -> list[tuple[str, str]]:
        """(level, area) of each that it counts for."""
        named = (("province", self.province), ("district", self.district), ("commune", self.commune))
        return [(level, area) for level, area in named if area is not None]


def _place(venue_id: str, row: bytes) -> Place:
    venue = decode_venue(decode_venue_row(row).value)
    if not isinstance(venue, Venue):  # it was decoded before it was kept
        raise ValueError(f"the row of venue {venue_id} holds no venue")
    return Place(
        venue_id,
        venue.status == "open",
        venue.province,
        venue.district,
        venue.commune,
        venue.organisation,
        venue.parent,
    )


class PlaceTable(Table[Place]):
    """The rows of `venues` once more, read for counters: by venue_id, and by token."""

    def __init__(self) -> None:
        super().__init__("venues", _place)
        self.by_token: dict[bytes, Place] = {}

    def take(self, reply: list[bytes]) -> set[str]:
        changed = super().take(reply)
        for venue_id in changed:
            if venue_id in self.rows:
                self.by_token[venue_token(venue_id)] = self.rows[venue_id]
        return changed


def _organisation(field: str, row: bytes) -> Organisation:
    found = decode_organisation(decode_plain(row).value)
    if found is None or isinstance(found, Problem):
        raise ValueError(f"the row of organisation {field} holds none")
    return found


def _coverage(field: str, row: bytes) -> Coverage:
    found = decode_coverage(decode_plain(row).value)
    if found is None or isinstance(found, Problem):
        raise ValueError(f"the row of area {field} holds none")
    return found


class OrganisationTable(Table[Organisation]):
    def __init__(self) -> None:
        super().__init__("organisations", _organisation)


class CoverageTable(Table[Coverage]):
    def __init__(self) -> None:
        super().__init__("coverage", _coverage)
