"""The registered gateways, as far as rule 1 asks: since when one is closed, and by how much its clock is wrong."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.state.table import Table


class GatewayRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Winner among the records of one gateway: (`updated_at` ms, `value`) decide; `value` is the record as it came."""

    updated_at: int
    value: bytes
    revoked_at: int | None = None
    clock_offset: int = 0


class Terms(NamedTuple):
    """`revoked_at`: second (UTC) from which its records are refused, None = never; `clock_offset`: seconds by which its
    scans are too late."""

    revoked_at: int | None
    clock_offset: int


_decoder = msgspec.msgpack.Decoder(GatewayRow)
encode_row = msgspec.msgpack.encode


def decode_row(row: bytes) -> GatewayRow:
    return _decoder.decode(row)


def _terms(_field: str, row: bytes) -> Terms:
    found = _decoder.decode(row)
    return Terms(found.revoked_at, found.clock_offset)


class GatewayTable(Table[Terms]):
    """The worker's copy. `special`: those of which anything must be asked at all; most gateways are in order."""

    def __init__(self) -> None:
        super().__init__("gateways", _terms)
        self.special: dict[str, Terms] = {}

    def take(self, reply: list[bytes]) -> set[str]:
        changed = super().take(reply)
        if changed:
            self.special = {name: terms for name, terms in self.rows.items() if terms != (None, 0)}
        return changed
