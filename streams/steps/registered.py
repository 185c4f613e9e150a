"""The way back from the topic `registry`: what won, was said or was worked out, put where it was (rebuild)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from schemas.registry import Registered
from streams.ports import Read, Store
from streams.state import cases, gateways, said, venues
from streams.state.cases import CaseTable
from streams.state.gateways import GatewayTable
from streams.state.people import PeopleTable
from streams.state.places import CoverageTable, OrganisationTable, decode_plain
from streams.state.policies import PolicyTable
from streams.state.standing import PRESENCE, Head, Standing
from streams.state.venues import VenueTable
from streams.steps.kinds import KINDS, digest
from streams.steps.winners import Keeper

_decoder = msgspec.json.Decoder(Registered)


class Home(NamedTuple):
    """Where rows of a kind live, how their field is written in a key, and what becomes of two rows of one key."""

    keeper: Keeper
    field: Callable[[str], str | bytes]
    joined: Callable[[bytes, bytes], bytes]


def _later(
    decode: Callable[[bytes], Any], rank: Callable[[Any], Any] = attrgetter("updated_at")
) -> Callable[[bytes, bytes], bytes]:
    """Of two winners the later; the one that comes later in the topic where both are of one rank."""
    return lambda had, row: had if rank(decode(had)) > rank(decode(row)) else row


def _both(decode: Callable[[bytes], list[Any]]) -> Callable[[bytes, bytes], bytes]:
    return lambda had, row: said.encode(sorted({*decode(had), *decode(row)}))


def _text(key: str) -> str:
    return key


HOMES: dict[str, Home] = {
    "venue": Home(VenueTable(), _text, _later(venues.decode_row)),
    "gateway": Home(GatewayTable(), _text, _later(gateways.decode_row)),
    "case": Home(CaseTable(), _text, _later(cases.decode_row)),
    "people": Home(PeopleTable(), _text, lambda had, row: had),
    "policy": Home(PolicyTable(), _text, lambda had, row: had),
    "organisation": Home(OrganisationTable(), _text, _later(decode_plain)),
    "coverage": Home(CoverageTable(), _text, _later(decode_plain)),
    "vaccination": Home(said.VACCINATIONS, bytes.fromhex, _later(said.vaccination_row, attrgetter("rank"))),
    "decision": Home(said.DECISIONS, bytes.fromhex, _later(said.decision_row, attrgetter("rank"))),
    "test": Home(said.TESTS, bytes.fromhex, _both(said.test_rows)),
    "employ": Home(said.EMPLOYMENTS, bytes.fromhex, _both(said.employment_rows)),
}


async def put_back(store: Store, chunk: Iterable[Read], standing: Standing) -> None:
    """Some records of a partition of `registry`; `standing` = the ledger of that partition's cases."""
    for read in chunk:
        if not read.value:
            continue
        record = _decoder.decode(read.value)
        if record.kind == "presence":
            await _presence(standing, record)
            continue
        home = HOMES[record.kind]
        field = home.field(record.key)
        while True:
            had = await home.keeper.read(store, field)
            row = home.joined(had, record.row) if had else record.row
            if await home.keeper.put(store, field, had, row):
                break


async def _presence(standing: Standing, record: Registered) -> None:
    presence = KINDS[PRESENCE].decode(record.row)
    number = (await standing.heads(record.key, [PRESENCE])).get(PRESENCE, Head(0, 0, b"-", b"")).last + 1
    head = Head(number, number, b"r", digest(presence))
    await standing.confirm(record.key, {PRESENCE: (head, record.row)})
