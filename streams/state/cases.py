"""The reported cases: the winner among the records of each, with the person as a pseudonym."""

from __future__ import annotations

import msgspec

from streams.state.table import Table


class CaseRow(msgspec.Struct, frozen=True):
    """Times in seconds UTC, `updated_at` in ms. `digest` and `origin` stand for the record's bytes, which hold a code.

    Who wins at equal `updated_at` is decided by the records' bytes (messages.md). They are not kept, since they hold
    the person's code; on such a tie the earlier winner is read again from where it came: `origin` = topic, partition,
    offset.
    """

    case_id: str
    person: str
    status: str
    sampled_at: int
    onset_at: int | None
    isolated_at: int | None
    negative_at: int | None
    reported_at: int
    updated_at: int
    digest: bytes
    origin: tuple[str, int, int]

    @property
    def rank(self) -> tuple[int, ...]:
        return (self.updated_at,)


_decoder = msgspec.msgpack.Decoder(CaseRow)


def encode_row(row: CaseRow) -> bytes:
    return msgspec.msgpack.encode(row)


def decode_row(row: bytes) -> CaseRow:
    return _decoder.decode(row)


class CaseTable(Table[CaseRow]):
    def __init__(self) -> None:
        super().__init__("cases", lambda _field, row: decode_row(row))
