"""Rule 6 beside the brute force (tests/reference/secondary.py): F2, via, crowds, and the minutes of a published F2."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from streams.rules import f2
from streams.rules.exposure import exposures
from streams.rules.figures import VenueFigures
from streams.rules.piece_table import PieceTable
from streams.rules.policy import Policy
from tests.reference.exposure import cut, episodes_of, reaches_threshold, times_of
from tests.reference.messages import Case
from tests.reference.pieces import Figures, Piece
from tests.reference.secondary import Secondary, secondary
from tests.rules.tables import POLICY

MINUTE, HOUR, BEGIN = 60, 3600, 1_641_600_000
CASE = 0
VENUES, PERSONS = 4, 10  # one digit: their names are sorted as texts


def drawn(seed: int) -> tuple[list[Any], list[int], Policy, tuple[int, int]]:
    """A dense world: rows (person, venue, minute, minutes, flag), linger by venue, policy, the case's window."""
    rng = Random(seed)
    words = ["", "", "inferred", "conflict", "staff"]
    long = rng.choice((6, 20, 40))
    # Few pieces of the case, or everybody is F1 and nobody F2.
    persons = [CASE] * rng.choice((1, 2)) + [rng.randrange(1, PERSONS) for _ in range(rng.randint(10, 45))]
    rows = [
        (person, rng.randrange(VENUES), rng.randrange(120), rng.randint(1, long), rng.choice(words))
        for person in persons
    ]
    policy = replace(
        POLICY,
        min_minutes=rng.choice((1, 5, 15)),
        latency_hours=rng.choice((0, 0, 0, 1)),
        crowd_limit=rng.choice((1, 2, 500, 500)),
        within_hours=1,
    )
    linger = [rng.choice((0, 0, 3, 10)) for _ in range(VENUES)]
    return rows, linger, policy, (BEGIN + 5 * MINUTE, BEGIN + rng.randint(20, 180) * MINUTE)


def tables(rows: list[Any], linger: list[int]) -> tuple[PieceTable, VenueFigures]:
    columns = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    flags = [np.array([row[4] == word for row in rows], bool) for word in ("inferred", "conflict", "staff")]
    start = BEGIN + columns[:, 2] * MINUTE
    pieces = PieceTable(columns[:, 0], columns[:, 1], start, start + columns[:, 3] * MINUTE, *flags, persons=PERSONS)
    day = np.full(VENUES, 86400)
    return pieces, VenueFigures(day, day, np.array(linger) * MINUTE, day)


class Brute:
    """The brute force's World, with the pieces given."""

    def __init__(self, pieces: PieceTable, linger: list[int], policy: Policy, window: tuple[int, int]) -> None:
        self.table: dict[str, list[Piece]] = {str(n): [] for n in range(pieces.persons)}
        columns = (pieces.venue, pieces.start, pieces.end, pieces.inferred, pieces.conflict, pieces.staff)
        for person, venue, *rest in zip(pieces.person.tolist(), *(c.tolist() for c in columns), strict=True):
            self.table[str(person)].append(Piece(str(venue), *rest))
        self.all_figures = {str(v): Figures("shop", 86400, 86400, n * MINUTE) for v, n in enumerate(linger)}
        self.figures_of_policy = {
            "contact": {
                "min_minutes": policy.min_minutes,
                "within_hours": policy.within_hours,
                "latency_hours": policy.latency_hours,
                "crowd_limit": policy.crowd_limit,
            },
            "case": {"before_days": 0, "after_days": 10},
        }
        self.case = Case("c", "zero", "confirmed", window[0], None, window[1], None, window[0], 0)

    def policy(self, _case: Any) -> Any:
        return self.figures_of_policy

    def pieces(self, _policy: Any) -> Any:
        return self.table

    def figures(self, _policy: Any) -> Any:
        return self.all_figures

    def person(self, _code: str) -> str:
        return str(CASE)

    def f1(self, _case: Any) -> Any:
        window = (self.case.sampled, self.case.isolated)
        found = {}
        for other, theirs in self.table.items():
            episodes = episodes_of(theirs, cut(self.table[str(CASE)], window), self.all_figures)
            if other != str(CASE) and reaches_threshold(episodes, self.figures_of_policy):
                found[other] = episodes
        return found

    def secondary(self) -> Secondary:
        return secondary(self, self.case)  # type: ignore[arg-type]


def ours(pieces: PieceTable, figures: VenueFigures, window: tuple[int, int], policy: Policy) -> Any:
    order = np.arange(VENUES)
    everybody_else = pieces.take(pieces.person != CASE)
    table = exposures(pieces.take(pieces.person == CASE), everybody_else, window, figures, policy, order)
    person = np.flatnonzero(table.is_f1)
    begin = table.episodes.start[table.first[person]] + policy.latency_hours * HOUR
    carriers = f2.Carriers(person, begin)
    k, crowds = f2.infectious(pieces, carriers, window[1], policy)
    eligible = ~table.is_f1
    eligible[CASE] = False
    found = f2.meetings(k, pieces, eligible, figures, policy, order)
    return SimpleNamespace(carriers=carriers, k=k, crowds=crowds, found=found, order=order)


@pytest.mark.parametrize("first", range(0, 600, 300))
def test_as_the_brute_force(first: int) -> None:
    tally = sum((compared(seed, at_once=(1_000_000, 1)[seed % 2]) for seed in range(first, first + 300)), Counter())
    assert min(tally[what] for what in ("f2", "several", "crowds", "episodes")) > 12, tally  # it was about something


def compared(seed: int, at_once: int) -> Counter[str]:
    rows, linger, policy, window = drawn(seed)
    pieces, figures = tables(rows, linger)
    brute = Brute(pieces, linger, policy, window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f2, "AT_ONCE", at_once)  # 1: every F1 in a call of its own
        mine = ours(pieces, figures, window, policy)
    want = brute.secondary()
    via: dict[str, list[str]] = {}
    for carrier, person in zip(mine.found.carrier.tolist(), mine.found.person.tolist(), strict=True):
        via.setdefault(str(person), []).append(str(mine.carriers.person[carrier]))
    assert via == want.via, seed
    begins = dict(zip(map(str, mine.carriers.person.tolist()), mine.carriers.begin.tolist(), strict=True))
    # The brute force lists every crowd that an F1 was in, also long before it could carry anything.
    listed = {
        (c.person, c.venue, c.span) for c in want.crowds if c.span[1] > begins[c.person] and c.span[0] < window[1]
    }
    listed = {c for c in listed if begins[c[0]] < window[1]}
    assert {(str(c.person), str(c.venue), (c.start, c.end)) for c in mine.crowds} == listed

    k_of: dict[str, list[Piece]] = {}
    for i in range(len(mine.k)):
        flags = bool(mine.k.inferred[i]), bool(mine.k.conflict[i]), bool(mine.k.staff[i])
        who = str(mine.carriers.person[mine.k.person[i]])
        k_of.setdefault(who, []).append(Piece(str(mine.k.venue[i]), int(mine.k.start[i]), int(mine.k.end[i]), *flags))
    for i in range(len(mine.found)):
        who, carrier = str(mine.found.person[i]), str(mine.carriers.person[mine.found.carrier[i]])
        wanted = episodes_of(brute.table[who], k_of[carrier], brute.all_figures)
        e = mine.found.episodes.take(mine.found.episodes.person == i)
        assert list(zip(e.start.tolist(), e.end.tolist(), map(str, e.venue.tolist()), strict=True)) == [
            w[:3] for w in wanted
        ]
        assert int(mine.found.seconds[i]) == times_of(wanted).total
    persons, table = f2.together(mine.found, mine.k, pieces, figures, policy, mine.order)
    assert list(map(str, persons.tolist())) == sorted(via)
    for i, who in enumerate(map(str, persons.tolist())):
        union = [p for carrier in via[who] for p in k_of[carrier]]
        wanted = episodes_of(brute.table[who], union, brute.all_figures)
        times = times_of(wanted)
        assert (int(table.seconds[i]), int(table.direct[i])) == (times.total, times.direct)
        got = [table.episode(at) for at in range(int(table.first[i]), int(table.last[i]))]
        assert [(e.start, e.end, str(e.venue), e.inferred, e.conflict, e.staff, e.case_staff) for e in got] == [
            (w.start, w.end, w.venue, w.inferred, w.conflict, w.staff, w.case_staff) for w in wanted
        ]
    several = sum(len(carriers) > 1 for carriers in via.values())
    return Counter(f2=len(via), several=several, crowds=len(mine.crowds), episodes=len(mine.found.episodes))


def test_paths_backward_in_time_do_not_count() -> None:
    """1 met 2 before 1 met the case: 2 is nobody. 3 met 1 after."""
    rows = [(CASE, 0, 60, 20, ""), (1, 0, 60, 20, ""), (1, 1, 10, 20, ""), (2, 1, 10, 20, ""), (1, 2, 90, 20, ""),
            (3, 2, 90, 20, "")]  # fmt: skip
    pieces, figures = tables(rows, [0] * VENUES)
    found = ours(pieces, figures, (BEGIN, BEGIN + 10 * HOUR), POLICY).found
    assert (found.carrier.tolist(), found.person.tolist()) == ([0], [3])


def test_a_long_stay_is_found() -> None:
    """Longer than any policy of today believes in: nothing in the look-up by length may cut it off."""
    rows = [(CASE, 0, 3000, 20, ""), (1, 0, 3000, 90, ""), (2, 0, 0, 9000, "")]
    pieces, figures = tables(rows, [0] * VENUES)
    policy = replace(POLICY, min_minutes=60)
    found = ours(pieces.take(np.array([0, 1, 2])), figures, (BEGIN, BEGIN + 90 * HOUR), replace(policy, min_minutes=15))
    # The one who was there all the time met the case too, so is F1.
    assert len(found.found) == 0
    later = tables([(CASE, 1, 3000, 20, ""), (1, 1, 3000, 20, ""), (1, 0, 3030, 20, ""), rows[2]], [0] * VENUES)[0]
    assert ours(later, figures, (BEGIN, BEGIN + 90 * HOUR), POLICY).found.person.tolist() == [2]
