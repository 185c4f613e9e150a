"""Random small worlds, dense in ties, around a local midnight, for the rules and for the brute force alike."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from streams.rules.figures import VenueFigures
from streams.rules.pieces import pieces
from streams.rules.policy import Policy, make_policy
from streams.rules.scans import ScanTable, distinct_unvoided, without_shared_codes
from tests.reference.acceptance import Fact
from tests.reference.messages import VENUE_TYPES, Venue
from tests.reference.people import without_shared_cards
from tests.reference.pieces import Piece, Scan, pieces_of
from tests.simulation.policies import some_policies

MIDNIGHT = 1_640_970_000  # 2022-01-01 in Ho Chi Minh City
DAY = MIDNIGHT // 86400
VENUES = ("v0", "v1", "v2")


class Read(NamedTuple):
    """One scan: of code `code` of person `person`."""

    person: int
    code: int
    venue: int
    second: int
    out: bool
    staff: bool
    void: bool


class SmallWorld(NamedTuple):
    reads: list[Read]
    registry: dict[str, Venue]
    figures: dict[str, Any]

    @property
    def policy(self) -> Policy:
        return make_policy(self.figures, "drawn", known_only=True)

    @property
    def venue_figures(self) -> VenueFigures:
        rows = [self.registry.get(venue) for venue in VENUES]
        return VenueFigures.of(
            self.policy,
            types=[row.type if row else "other" for row in rows],
            dwell_minutes=[row.dwell if row else None for row in rows],
            max_stay_minutes=[row.max_stay if row else None for row in rows],
            linger_minutes=[row.linger if row else None for row in rows],
        )

    def table(self) -> ScanTable:
        """As the steps give it to the rules: voids and shared cards out."""
        columns = np.array([read[:4] for read in self.reads], np.int64).reshape(-1, 4)
        flags = np.array([read[4:] for read in self.reads], bool).reshape(-1, 3)
        code = columns[:, 0] * 10 + columns[:, 1]
        scans = ScanTable(columns[:, 0], columns[:, 2], columns[:, 3], *flags.T, code=code, persons=PERSONS)
        return without_shared_codes(distinct_unvoided(scans), self.policy.shared_code_limit)

    def facts(self) -> set[Fact]:
        """As the brute force has it: accepted, less voided, less shared cards."""

        def fact(read: Read) -> Fact:
            direction, role = ("in", "out")[read.out], ("visitor", "staff")[read.staff]
            return Fact(f"{read.person}{read.code}", read.second, VENUES[read.venue], direction, role)

        scans = {fact(read) for read in self.reads if not read.void}
        scans -= {fact(read) for read in self.reads if read.void}
        return without_shared_cards(scans, self.figures["scan"]["shared_code_limit"])

    def expected_pieces(self) -> dict[int, list[Piece]]:
        scans: dict[int, set[Scan]] = {}
        for fact in self.facts():
            scans.setdefault(int(fact.code[0]), set()).add(Scan(*fact[1:]))
        return {person: pieces_of(those, self.registry, self.figures) for person, those in scans.items()}

    def found_pieces(self) -> dict[int, list[Piece]]:
        table = pieces(self.table(), self.venue_figures, self.policy)
        found: dict[int, list[Piece]] = {}
        for i in range(len(table)):
            flags = (bool(column[i]) for column in (table.inferred, table.conflict, table.staff))
            piece = Piece(VENUES[table.venue[i]], int(table.start[i]), int(table.end[i]), *flags)
            found.setdefault(int(table.person[i]), []).append(piece)
        return found


PERSONS = 3
# A coarse grid for ties, a second and a conflict beside it, and the local midnight within reach.
SECONDS = st.builds(
    lambda grid, step: MIDNIGHT + grid * 60 + step,
    st.integers(-12, 12),
    st.sampled_from((0, 0, 0, 0, 1, -1, 29, 30, 31)),
)
READS = st.builds(
    Read,
    person=st.integers(0, PERSONS - 1),
    code=st.sampled_from((0, 0, 0, 1)),
    venue=st.integers(0, len(VENUES) - 1),
    second=SECONDS,
    out=st.booleans(),
    staff=st.sampled_from((False, False, False, True)),
    void=st.sampled_from((False,) * 9 + (True,)),
)
OWN = st.none() | st.integers(1, 12)


def _venue(name: str, venue_type: str, dwell: int | None, max_stay: int | None, linger: int | None) -> Venue:
    return Venue(name, venue_type, dwell, max_stay, linger, "open", 0, 0, None, None, None, None, None)


REGISTRY = st.fixed_dictionaries(
    {},
    optional={
        name: st.builds(
            _venue, st.just(name), st.sampled_from(VENUE_TYPES[:4]), OWN, OWN, st.none() | st.integers(0, 4)
        )
        for name in VENUES
    },
)
POLICIES = st.randoms(use_true_random=False).map(lambda rng: some_policies(rng, DAY))
WORLDS = st.builds(SmallWorld, st.lists(READS, max_size=14), REGISTRY, POLICIES.map(lambda policies: policies[0]))
