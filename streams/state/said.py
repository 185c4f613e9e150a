"""What was said of one person or exposure and can be said anew: the newest counts. Rows on shelves.

vaccinations   pseudonym (16 bytes) → doses, date of the last
tests          pseudonym → every test of that code (a set)
employments    pseudonym → every employment of that code (a set)
decisions      exposure id (16 bytes) or case id → what a tracer decided
exposure_of    exposure id → case and pseudonym, so that a decision finds what it is about
"""

from __future__ import annotations

import msgspec

from streams.state.shelf import Shelf

VACCINATIONS, TESTS, EMPLOYMENTS = Shelf("vac"), Shelf("test"), Shelf("emp")
DECISIONS, EXPOSURE_OF = Shelf("dec"), Shelf("exp")


class VaccinationRow(msgspec.Struct, frozen=True, array_like=True):
    """`last_dose_on` = ordinal of the date, None for no dose.

    Of several records the newest `at` (seconds) counts (rule 7), then `updated_at` (ms). At a tie the records' bytes
    decide, and they hold a code, so they are not kept: `digest` (keyed) tells them apart, `origin` (topic, partition,
    offset) is where they are.
    """

    updated_at: int
    digest: bytes
    origin: tuple[str, int, int]
    doses: int
    last_dose_on: int | None
    at: int

    @property
    def rank(self) -> tuple[int, ...]:
        return self.at, self.updated_at


class DecisionRow(msgspec.Struct, frozen=True, array_like=True):
    """`release` `refuse`, `confirm` `dismiss`. The newest `at` (seconds) decides, then who was updated later; at a tie
    `refuse` (rule 8), and of an exposure likewise `dismiss`."""

    updated_at: int
    digest: bytes
    origin: tuple[str, int, int]
    decision: str
    by: str
    at: int

    @property
    def rank(self) -> tuple[int, ...]:
        return self.at, self.updated_at // 1000, self.decision in ("refuse", "dismiss"), self.updated_at


class TestRow(msgspec.Struct, frozen=True, array_like=True, order=True):
    """`sampled_at` in seconds UTC."""

    __test__ = False

    sampled_at: int
    result: str
    kind: str
    lab: str


class EmploymentRow(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Days as ordinals, both included; `last` None = until further notice."""

    organisation: str
    first: int
    last: int
    at: int


encode = msgspec.msgpack.encode
vaccination_row = msgspec.msgpack.Decoder(VaccinationRow).decode
decision_row = msgspec.msgpack.Decoder(DecisionRow).decode
test_rows = msgspec.msgpack.Decoder(list[TestRow]).decode
employment_rows = msgspec.msgpack.Decoder(list[EmploymentRow]).decode
exposure_of_row = msgspec.msgpack.Decoder(tuple[str, bytes]).decode
