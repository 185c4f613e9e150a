"""The rules against the brute force, which was written from tracing-rules.md by other hands."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.rules.acceptance import late_or_early
from streams.rules.codes import EmptyCode, Pseudonymiser, canonical, exposure_id, pseudonym_text
from streams.rules.exposure import exposures
from streams.rules.pieces import pieces
from streams.rules.policy import Policies, make_policy
from streams.rules.score import score
from streams.rules.window import infectious_window
from tests.reference import codes, policies, window
from tests.reference.acceptance import refusal
from tests.reference.exposure import cut, episodes_of, reaches_threshold, times_of
from tests.reference.fields import local_day
from tests.reference.messages import Case
from tests.reference.messages import Scan as ScanMessage
from tests.reference.pieces import figures_of
from tests.reference.score import band, half_up, parts_of
from tests.rules.small_worlds import DAY, MIDNIGHT, PERSONS, POLICIES, SECONDS, VENUES, WORLDS, SmallWorld

many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEY = b"a key of the tests, at least 32 characters long"


@many
@given(WORLDS)
def test_pieces(world: SmallWorld) -> None:
    expected = {person: found for person, found in world.expected_pieces().items() if found}
    assert {person: sorted(found) for person, found in world.found_pieces().items()} == expected


@many
@given(WORLDS, SECONDS, st.integers(1, 20))
def test_exposures_and_score(world: SmallWorld, begin: int, minutes: int) -> None:
    """Person 0 is the case; the others' episodes, times, threshold and score, venues ranked backwards by number."""
    policy, span = world.policy, (begin, begin + minutes * 60)
    table = pieces(world.table(), world.venue_figures, policy)
    infectious, others = table.take(table.person == 0), table.take(table.person != 0)
    found = exposures(infectious, others, span, world.venue_figures, policy, np.arange(len(VENUES)))

    theirs = world.expected_pieces()
    figures = {venue: figures_of(venue, world.registry, world.figures) for venue in VENUES}
    k = cut(theirs.get(0, ()), span)
    for person in range(1, PERSONS):
        expected = episodes_of(theirs.get(person, ()), k, figures)
        rows = [found.episode(i) for i in range(int(found.first[person]), int(found.last[person]))]
        assert bool(found.is_f1[person]) == reaches_threshold(expected, world.figures)
        assert [(e.start, e.end, VENUES[e.venue], e.direct, e.indirect) for e in rows] == [
            (e.start, e.end, e.venue, e.direct_seconds, e.indirect_seconds) for e in expected
        ]
        assert [(e.inferred, e.conflict, e.staff, e.case_staff) for e in rows] == [
            (e.inferred, e.conflict, e.staff, e.case_staff) for e in expected
        ]
        times = times_of(expected)
        assert (found.seconds[person], found.direct[person]) == (times.total, times.direct)
        types = {venue: figures[venue].type for venue in VENUES}
        parts = parts_of(expected, types, begin, world.figures)
        points = score([(e.start, e.direct, e.indirect, types[VENUES[e.venue]]) for e in rows], begin, policy)
        total = half_up(sum((part for _, _, part in parts), policies.exact(0)))
        assert (points.score, points.band) == (total, band(total, world.figures))
        assert [part.points for part in points.parts] == [float(part) for _, _, part in parts]


@many
@given(POLICIES, SECONDS, st.lists(st.none() | SECONDS, min_size=3, max_size=3), st.sampled_from((0, 1, -1, 86400)))
def test_window(figures: list[dict[str, Any]], sampled: int, others: list[int | None], negative: int) -> None:
    onset, isolated, tested = others
    tested = sampled + negative if tested is not None and negative else tested
    policy = make_policy(figures[0], "drawn", known_only=True)
    case = Case("c", "x", "confirmed", sampled, onset, isolated, tested, sampled, 0)
    found = infectious_window(sampled, onset, isolated, tested, policy)
    expected = window.infectious_window(case, figures[0])
    assert (tuple(found) if found[0] < found[1] else None) == expected


@many
@given(POLICIES, st.lists(st.integers(-5, 5), min_size=1, max_size=5))
def test_policy_in_force(figures: list[dict[str, Any]], days: list[int]) -> None:
    known = Policies(make_policy(one, one["id"], known_only=True) for one in figures)
    for day in days:
        assert known.of_day(DAY + day).id == policies.policy_of_day(figures, DAY + day)["id"]


@many
@given(
    POLICIES, st.integers(-400, 400), st.sampled_from((0, 4 * 86400, 21 * 86400)), st.none() | st.sampled_from((0, 4))
)
def test_acceptance(figures: list[dict[str, Any]], near: int, age: int, retention: int | None) -> None:
    at = MIDNIGHT + 100
    second = at - age + near
    policy = Policies(make_policy(one, one["id"], known_only=True) for one in figures).of_day(local_day(at))
    days = policy.retention_days if retention is None else retention
    found = {0: None, 1: "future", -1: "expired"}[int(late_or_early(second, at, policy.clock_tolerance, days))]
    assert found == refusal(ScanMessage("v", "x", second, "g", "in", "visitor", False), at, figures, retention, None)


PARTS = st.sampled_from(("0", "1", "012345678901", "0123456789", "01234567890123456789012", "٠١٢٣٤٥٦٧٨٩", "", " "))
CARDS = st.sampled_from(("DN", "dn", "D1", "ÄN")).flatmap(lambda two: st.just(two + "0123456789012"))
READ_CODES = st.one_of(
    st.lists(PARTS | CARDS, min_size=1, max_size=8).map("|".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.from_regex(r"\s?\d{11,13}\s?", fullmatch=True),
    st.from_regex(r"[A-Za-zß][A-Za-z]\d{12,14}(\|.{0,3})?", fullmatch=True),
    st.sampled_from(("the\u0309", "thẻ", "\u00a0012345678901\u2003", "ﬁ0123456789012", "İN0123456789012")),
)


@settings(max_examples=1000, deadline=None)
@given(READ_CODES)
def test_codes(read: str) -> None:
    expected = codes.canonical(read)
    try:
        found = canonical(read)
    except EmptyCode:
        assert expected == "raw:"
        return
    assert found == expected
    person = pseudonym_text(Pseudonymiser(KEY).digest(read))
    assert person == codes.pseudonym(expected, KEY)
    assert exposure_id("c", person) == codes.exposure_id("c", person)
