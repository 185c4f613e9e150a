"""The registered venues, as every evaluation needs them: type and own figures, by venue token."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.rules.codes import venue_token
from streams.state.table import Table


class VenueRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Winner among the records of one venue: (`updated_at` ms, `value`) decide; `value` is the record as it came."""

    updated_at: int
    value: bytes
    type: str
    dwell_minutes: int | None = None
    max_stay_minutes: int | None = None
    linger_minutes: int | None = None


class Registered(NamedTuple):
    """What the pieces and the exposure of a venue depend on; minutes, None = its type's."""

    venue_id: str
    type: str
    dwell: int | None
    max_stay: int | None
    linger: int | None


_decoder = msgspec.msgpack.Decoder(VenueRow)


def encode_row(row: VenueRow) -> bytes:
    return msgspec.msgpack.encode(row)


def decode_row(row: bytes) -> VenueRow:
    return _decoder.decode(row)


def _registered(field: str, row: bytes) -> Registered:
    found = _decoder.decode(row)
    return Registered(field, found.type, found.dwell_minutes, found.max_stay_minutes, found.linger_minutes)


class VenueTable(Table[Registered]):
    """The worker's copy, by venue_id (`rows`) and by token (`by_token`)."""

    def __init__(self) -> None:
        super().__init__("venues", _registered)
        self.by_token: dict[bytes, Registered] = {}

    def take(self, reply: list[bytes]) -> set[str]:
        changed = super().take(reply)
        for venue_id in changed:
            token = venue_token(venue_id)
            if venue_id in self.rows:
                self.by_token[token] = self.rows[venue_id]
            else:
                self.by_token.pop(token, None)
        return changed
