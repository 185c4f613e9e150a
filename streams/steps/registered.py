"""The way back from the topic `registry`: what won, was said or was worked out, put where it was (rebuild)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from schemas.registry import Registered
from streams.ports import Log, Read, Store
from streams.state import cases, gateways, said, venues
from streams.state.cases import CaseTable
from streams.state.gateways import GatewayTable
from streams.state.people import PeopleTable
from streams.state.places import CoverageTable, OrganisationTable, decode_plain
from streams.state.policies import PolicyTable
from streams.state.standing import PRESENCE, Head, Standing
from streams.state.venues import VenueTable
from streams.steps.kinds import KINDS, digest
from streams.steps.winners import Keeper, Stamped, change_all, greater

_decoder = msgspec.json.Decoder(Registered)


# Which row it is of one that was put back and one that comes later in the topic. The later is no greater by itself: a
# worker whose tables a rebuild had emptied took records in from the start, and said of each that it had won.
Joined = Callable[[Log, bytes, bytes], Awaitable[bytes]]


class Home(NamedTuple):
    """Where rows of a kind live, how their field is written in a key, and what becomes of two rows of one key."""

    keeper: Keeper
    field: Callable[[str], str | bytes]
    joined: Joined


def _kept(decode: Callable[[bytes], Any]) -> Joined:
    """Of rows that hold their record."""
    rank = attrgetter("updated_at", "value")

    async def joined(_log: Log, had: bytes, row: bytes) -> bytes:
        return max(row, had, key=lambda each: rank(decode(each)))

    return joined


def _stamped(decode: Callable[[bytes], Stamped]) -> Joined:
    """Of rows whose record holds a code."""

    async def joined(log: Log, had: bytes, row: bytes) -> bytes:
        return had if await greater(log, decode(had), decode(row)) else row

    return joined


def _both(decode: Callable[[bytes], list[Any]]) -> Joined:
    async def joined(_log: Log, had: bytes, row: bytes) -> bytes:
        return said.encode(sorted({*decode(had), *decode(row)}))

    return joined


async def _first(_log: Log, had: bytes, _row: bytes) -> bytes:
    return had


def _text(key: str) -> str:
    return key


HOMES: dict[str, Home] = {
    "venue": Home(VenueTable(), _text, _kept(venues.decode_row)),
    "gateway": Home(GatewayTable(), _text, _kept(gateways.decode_row)),
    "case": Home(CaseTable(), _text, _stamped(cases.decode_row)),
    "people": Home(PeopleTable(), _text, _first),
    "policy": Home(PolicyTable(), _text, _first),
    "organisation": Home(OrganisationTable(), _text, _kept(decode_plain)),
    "coverage": Home(CoverageTable(), _text, _kept(decode_plain)),
    "vaccination": Home(said.VACCINATIONS, bytes.fromhex, _stamped(said.vaccination_row)),
    "decision": Home(said.DECISIONS, bytes.fromhex, _stamped(said.decision_row)),
    "test": Home(said.TESTS, bytes.fromhex, _both(said.test_rows)),
    "employ": Home(said.EMPLOYMENTS, bytes.fromhex, _both(said.employment_rows)),
}


async def put_back(store: Store, log: Log, chunk: Iterable[Read], standing: Standing) -> None:
    """Some records of a partition of `registry`; `standing` = the ledger of that partition's cases.

    All of a kind in two questions: a province has a record or two of each of its people, and asked for one by one they
    took longer than its scans.
    """
    presences: dict[str, bytes] = {}
    rows: dict[str, dict[Any, list[bytes]]] = {}
    for read in chunk:
        if not read.value:
            continue
        record = _decoder.decode(read.value)
        if record.kind == "presence":
            presences[record.key] = record.row  # the last one stands
        else:
            field = HOMES[record.kind].field(record.key)
            rows.setdefault(record.kind, {}).setdefault(field, []).append(record.row)
    for case_id, row in presences.items():
        await _presence(standing, case_id, row)
    for kind, several in rows.items():
        await _put(store, log, HOMES[kind], several)


async def _put(store: Store, log: Log, home: Home, rows: Mapping[Any, Sequence[bytes]]) -> None:
    """Field → rows that came for it, in their order."""

    async def joined(row: bytes, several: Sequence[bytes]) -> bytes:
        for each in several:
            row = await home.joined(log, row, each) if row else each
        return row

    await change_all(store, home.keeper, rows, joined)


async def _presence(standing: Standing, case_id: str, row: bytes) -> None:
    presence = KINDS[PRESENCE].decode(row)
    number = (await standing.heads(case_id, [PRESENCE])).get(PRESENCE, Head(0, 0, b"-", b"")).last + 1
    head = Head(number, number, b"r", digest(presence))
    await standing.confirm(case_id, {PRESENCE: (head, row)})
