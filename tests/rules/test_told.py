"""Rule 3 as `truyvet explain` tells it is rule 3 as it is computed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from streams.rules.pieces import pieces
from streams.rules.scans import distinct_unvoided
from streams.rules.told import Figures, Scan, told
from tests.rules.tables import FIGURES, POLICY, VENUES, at, day_of, scan_table

NAMES = list(VENUES)
OF_VENUE = {name: Figures(int(FIGURES.dwell[i]), int(FIGURES.max_stay[i])) for name, i in VENUES.items()}


def test_as_it_is_computed() -> None:
    count = 0
    for seed in range(800):
        rng = Random(seed)
        policy = replace(
            POLICY,
            conflict_seconds=rng.choice((0, 60, 60, 120)),
            staff_dwell=rng.choice((60, 600, 28800)),
            staff_max_stay=rng.choice((600, 50400)),
        )
        rows = [
            (0, 0, rng.randrange(4), at("08:00") + rng.randrange(240) * 60 + rng.choice((0, 0, 1, -59)),
             rng.choice(["", "", "out", "out", "staff", "out staff"]))
            for _ in range(rng.randrange(1, 25))
        ]  # fmt: skip
        table = pieces(distinct_unvoided(scan_table(rows)), FIGURES, policy)
        columns = (table.start, table.end, table.inferred, table.conflict, table.staff)
        computed = sorted(zip(*(c.tolist() for c in columns), (NAMES[v] for v in table.venue.tolist()), strict=True))
        scans = [Scan(row[3], "out" not in row[4], NAMES[row[2]], "staff" in row[4]) for row in rows]
        found = told(scans, OF_VENUE, policy)
        # Two scans may make one piece (c = 0); each is told.
        assert sorted({(p.start, p.end, p.inferred, p.conflict, p.staff, p.venue) for p in found}) == computed, seed
        count += len(found)
    assert count > 5000


def test_each_piece_says_why() -> None:
    def steps(*lines: str) -> list[tuple[str, ...]]:
        scans = [Scan(row[3], "out" not in row[4], NAMES[row[2]], "staff" in row[4]) for row in day_of(*lines)]
        return [piece.steps for piece in told(scans, OF_VENUE, POLICY)]

    assert steps("08:00 food") == [("3.1", "3.6")]
    assert steps("08:00 food", "08:30 food out") == [("3.3", "3.6")]
    assert steps("08:00 food", "08:30 food") == [("3.4", "3.6"), ("3.1", "3.6")]
    assert steps("08:00 food", "08:30 shop") == [("3.1", "3.5", "3.6"), ("3.1", "3.6")]
    assert steps("08:30 food out") == [("3.out",)]
    assert steps("08:00 food staff", "20:00 food out") == [("3.3", "3.6")]
