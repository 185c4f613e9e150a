"""What else is known when a case is evaluated: decisions of tracers, vaccinations and tests of persons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from streams.ports import Call, Log
from streams.rules.advice import Vaccination
from streams.rules.codes import exposure_id, pseudonym_text
from streams.state import said
from streams.state.said import DECISIONS, EXPOSURE_OF, TESTS, VACCINATIONS, TestRow
from streams.state.shelf import read_shelves
from streams.steps.winners import Stamped
from streams.steps.worker import Worker

CERTAINTY = {"confirm": "confirmed", "dismiss": "dismissed"}
REMEMBERED = 1_000_000
Row = TypeVar("Row", bound=Stamped)


class Known(NamedTuple):
    """By pseudonym (16 bytes) of a person: the newest vaccination record, and what a tracer found."""

    vaccinations: dict[bytes, Vaccination]
    certainty: dict[bytes, str]


def decision_on(case_id: str) -> Call:
    """What to ask Redis, for `decision_of`."""
    return DECISIONS.question(b"case/" + case_id.encode())


def decision_of(row: bytes | None) -> str | None:
    """`release`, `refuse`, or None."""
    return said.decision_row(row).decision if row else None


async def known_of(worker: Worker, case_id: str, persons: Sequence[bytes], *, writes: bool = True) -> Known:
    """Of those who are in contact with a case. Their exposures' ids are written down first (unless `writes` is False),
    so that a decision that is taken from here on finds what it is about, and one that was taken before is read."""
    codes = {person: sorted(worker.people.codes_of(person)) for person in persons}
    ids = {
        bytes.fromhex(exposure_id(case_id, pseudonym_text(code))): (person, code)
        for person, mine in codes.items()
        for code in mine
    }
    new = {id_: code for id_, (_, code) in ids.items() if id_ not in worker.known_exposures} if writes else {}
    written = EXPOSURE_OF.set_many({id_: said.encode((case_id, code)) for id_, code in new.items()})
    every_code = [code for mine in codes.values() for code in mine]
    decided, rows = await read_shelves(worker.store, (DECISIONS, ids), (VACCINATIONS, every_code), after=written)
    if len(worker.known_exposures) > REMEMBERED:
        worker.known_exposures.clear()
    worker.known_exposures.update(new)
    certainty, vaccinations = {}, {}
    # A decision about an exposure holds for the person, also after codes were linked: the newest counts.
    by_person: dict[bytes, list[said.DecisionRow]] = {}
    for id_, row in decided.items():
        by_person.setdefault(ids[id_][0], []).append(said.decision_row(row))
    for person, found in by_person.items():
        certainty[person] = CERTAINTY[(await _newest(worker.log, found)).decision]
    for person, mine in codes.items():
        records = [said.vaccination_row(rows[code]) for code in mine if code in rows]
        if records:
            newest = await _newest(worker.log, records)
            last = date.fromordinal(newest.last_dose_on) if newest.last_dose_on else date.min
            vaccinations[person] = Vaccination(newest.doses, last)
    return Known(vaccinations, certainty)


async def _newest(log: Log, rows: list[Row]) -> Row:
    """The greatest by (rank, bytes of the record)."""
    latest = max(row.rank for row in rows)
    ties = [row for row in rows if row.rank == latest]
    if len({row.digest for row in ties}) == 1:
        return ties[0]
    values = [await log.origin(*row.origin) for row in ties]
    return max(zip(values, ties, strict=True), key=lambda pair: (pair[0] or b"", pair[1].digest))[1]


async def tests_of(worker: Worker, person: bytes) -> list[TestRow]:
    """All tests of all codes of a person, oldest first."""
    rows = await TESTS.read_many(worker.store, worker.people.codes_of(person))
    return sorted(test for row in rows.values() for test in said.test_rows(row))
