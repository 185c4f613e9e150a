"""What hangs on a publication: a person's follow-up on their exposures, a venue's clusters on presences.

They are combined from several cases, whose owners are different workers. So an owner writes down what its case says
(rows that only a later word of the same case replaces), and asks the owner of the person or the venue to combine.
What is to be passed on is noted with the reserved numbers: a worker that dies in between leaves a note.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from schemas.combine import Combine
from schemas.encoding import encode
from streams.ports import Call, Out
from streams.rules.codes import pseudonym_text, venue_token
from streams.state import layout
from streams.state.ledgers import scan_keys
from streams.state.replies import pairs_of
from streams.state.standing import EXPOSURE, PRESENCE, Standing
from streams.steps.kinds import KINDS, Presence
from streams.steps.publish import Publication
from streams.steps.worker import Worker

_PERSON, _VENUE = b"p", b"v"
_ORDER = struct.Struct(">II")  # epoch of the owner, its count: what an owner says later, or a later owner, is newer
MANY = 500


class Row(NamedTuple):
    """What one case says of a person (an exposure's JSON) or of a venue (its presences there); b"" = nothing more."""

    case_id: str
    body: bytes


_BySlot = dict[tuple[str, int], list[tuple[str, bytes]]]
"""Rows to be written: case and bucket (the slot of a key) → key and body of each."""


class _How(msgspec.Struct):
    """What of an exposure says whether it is somebody's to follow up: the rest is not read."""

    status: str
    level: str


_HOW = msgspec.json.Decoder(_How)


def todo_of(what: Publication, presence_before: bytes | None) -> list[bytes]:
    """Notes for what `what` changes: the persons of its exposures, the venues of its presence before and after."""
    notes = notes_of(what.of, what.confirmed)
    if PRESENCE in what.confirmed:
        notes += _venue_notes(what.of, [body for body in (presence_before, what.confirmed[PRESENCE][1]) if body])
    return notes


def notes_of(case_id: str, entries: Iterable[bytes]) -> list[bytes]:
    """Notes for the persons of these exposures of a case."""
    return [_PERSON + entry[1:] + case_id.encode() for entry in entries if entry[:1] == EXPOSURE]


def _venue_notes(case_id: str, bodies: Iterable[bytes]) -> list[bytes]:
    venues = {place for body in bodies for place, _, _ in KINDS[PRESENCE].decode(body).pieces}
    return [_VENUE + len(place.encode()).to_bytes(2) + place.encode() + case_id.encode() for place in sorted(venues)]


async def note_all(standing: Standing) -> None:
    """Note everything that was published of every case of the partition (rebuild)."""
    async for key in scan_keys(standing.store, standing.heads_key("*")):
        of = standing.of_key(key)
        heads = await standing.heads(of)
        notes = notes_of(of, heads)
        if PRESENCE in heads:
            notes += _venue_notes(of, (await standing.bodies(of, [PRESENCE])).values())
        await standing.reserve(of, {}, notes)
        await standing.confirm(of, {})


async def write_rows(standing: Standing, worker: Worker) -> None:
    """Write the rows that are noted, and leave the notes: whoever takes the partition over asks for combining."""
    await _write(standing, worker, await standing.todo())


async def pass_on(standing: Standing, worker: Worker, noted: Iterable[bytes] | None = None) -> None:
    """Write the rows that were noted, ask for combining, and take the notes away. `noted`: what it is, where the caller
    knows."""
    notes = await standing.todo() if noted is None else sorted(noted)
    for at in range(0, len(notes), MANY):
        wanted = await _write(standing, worker, notes[at : at + MANY])
        await worker.log.send([Out("combine", c.key().encode(), encode(c)) for c in sorted(wanted, key=Combine.key)])
        await standing.todo_done(notes[at : at + MANY])


async def _write(standing: Standing, worker: Worker, notes: list[bytes]) -> set[Combine]:
    """Rows for these notes; what has to be combined."""
    persons: dict[str, list[bytes]] = {}
    venues: dict[str, set[str]] = {}
    for note in notes:
        if note[:1] == _PERSON:
            persons.setdefault(note[17:].decode(), []).append(note[1:17])
        else:
            end = 3 + int.from_bytes(note[1:3])
            venues.setdefault(note[end:].decode(), set()).add(note[3:end].decode())
    rows: _BySlot = {}
    wanted: set[Combine] = set()
    for case_id, mine in persons.items():
        bodies = await standing.bodies(case_id, [EXPOSURE + person for person in mine])
        for person in mine:
            body = bodies.get(EXPOSURE + person, b"")
            _add(rows, case_id, _PERSON, person, body if _stands(body) else b"")
            wanted.add(Combine(person=pseudonym_text(person)))
    for case_id, places in venues.items():
        bodies = await standing.bodies(case_id, [PRESENCE])
        presence: Presence | None = KINDS[PRESENCE].decode(bodies[PRESENCE]) if bodies else None
        for place in sorted(places):
            pieces = [piece for piece in presence.pieces if piece[0] == place] if presence is not None else []
            row = encode(msgspec.structs.replace(presence, pieces=pieces)) if presence is not None and pieces else b""
            _add(rows, case_id, _VENUE, venue_token(place), row)
            wanted.add(Combine(venue_id=place))
    await worker.store.run(_puts(standing, rows))
    return wanted


def _stands(body: bytes) -> bool:
    if not body:
        return False
    record = _HOW.decode(body)
    return record.status != "withdrawn" and record.level == "F1"


def _add(rows: _BySlot, case_id: str, kind: bytes, name: bytes, body: bytes) -> None:
    rows.setdefault((case_id, name[0] >> 3), []).append((_key(kind, name), body))


def _puts(standing: Standing, rows: _BySlot) -> list[Call]:
    """Calls that write these rows, one for all of a slot: a call a person took a case of thousands as long as its
    exposures."""
    calls = []
    for (case_id, _), mine in rows.items():
        args: list[bytes | str | int] = [case_id]
        for _, body in mine:
            args += (_ORDER.pack(standing.epoch, standing.turn()), body)
        calls.append(Call("combine_put", tuple(key for key, _ in mine), tuple(args)))
    return calls


def _key(kind: bytes, name: bytes) -> str:
    """`name`: a person's pseudonym, a venue's token."""
    return f"tv:said:{layout.tag(name[0] >> 3)}:{kind.decode()}:{name.hex()}"


async def rows_of_persons(worker: Worker, persons: Sequence[bytes]) -> list[list[Row]]:
    """What the cases say of each of these persons now: standing exposures."""
    return await _rows(worker, [_key(_PERSON, person) for person in persons])


async def rows_of_venue(worker: Worker, venue_id: str) -> list[Row]:
    """What the cases say of a venue now: presences there."""
    return (await _rows(worker, [_key(_VENUE, venue_token(venue_id))]))[0]


async def _rows(worker: Worker, keys: Iterable[str]) -> list[list[Row]]:
    found = []
    for flat in await worker.store.run([Call("HGETALL", (key,)) for key in keys]):
        found.append(
            [Row(case.decode(), row[_ORDER.size :]) for case, row in sorted(pairs_of(flat)) if len(row) > _ORDER.size]
        )
    return found
