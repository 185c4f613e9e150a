"""Rule 7's score, worked by hand with the built-in policy: weights -2: 0.6, -1: 0.8, 0 and 1: 1.0, 2: 0.8, else 0.2."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from streams.rules.policy import load_policies
from streams.rules.score import score

DAY = 86400
ONSET = 1_641_000_000
POLICY = load_policies().of_time(ONSET)


@pytest.mark.parametrize(
    ("start", "weight"),
    [
        (ONSET - 2 * DAY - 1, 0.2),
        (ONSET - 2 * DAY, 0.6),
        (ONSET - DAY - 1, 0.6),
        (ONSET - DAY, 0.8),
        (ONSET - 1, 0.8),  # toward the past: not day 0
        (ONSET, 1.0),
        (ONSET + DAY - 1, 1.0),
        (ONSET + 2 * DAY, 0.8),
        (ONSET + 5 * DAY, 0.3),
        (ONSET + 6 * DAY, 0.2),
    ],
)
def test_day_of_infectiousness(start: int, weight: float) -> None:
    found = score([(start, 600, 0, "office")], ONSET, POLICY)
    assert found.parts[0].infectiousness == weight
    assert found.score == 10 * weight


def test_sum_and_parts() -> None:
    # (20 + 0.5 * 10) * 0.8 * 1.5 = 30; (0 + 0.5 * 1.5) * 1.0 * 0.7 = 0.525; 30.525 → 30.53
    found = score([(ONSET - 1, 1200, 600, "bar"), (ONSET, 0, 90, "shop")], ONSET, POLICY)
    assert [part.points for part in found.parts] == [30.0, 0.525]
    assert [part[:2] for part in found.parts] == [(1200, 600), (0, 90)]
    assert [part.setting for part in found.parts] == [1.5, 0.7]
    assert (found.score, found.band) == (30.53, "medium")


def test_half_goes_up_where_binary_fractions_would_not() -> None:
    # 3 s direct = 0.05; * 0.3 = 0.015 → 0.02 (as a float: 0.01499… → 0.01)
    assert score([(ONSET, 3, 0, "tourist_site")], ONSET, POLICY).score == 0.02
    # 3 s of air = 0.025; * 0.2 = 0.005 → 0.01
    assert score([(ONSET + 9 * DAY, 0, 3, "office")], ONSET, POLICY).score == 0.01


@pytest.mark.parametrize(
    ("seconds", "points", "band"),
    [
        (3600, 60.0, "high"),
        (3599, 59.98, "medium"),  # 59.9833…
        (1200, 20.0, "medium"),
        (1199, 19.98, "low"),
        (0, 0.0, "low"),
    ],
)
def test_a_band_begins_at_its_figure(seconds: int, points: float, band: str) -> None:
    found = score([(ONSET, seconds, 0, "office")], ONSET, POLICY)
    assert (found.score, found.band) == (points, band)


def test_banded_as_rounded() -> None:
    # 59.995 → 60.00 → high, though 59.995 < 60: 1199.9 minutes * 0.05
    policy = replace(POLICY, infectiousness={0: Fraction(5, 100)})
    found = score([(ONSET, 71_994, 0, "office")], ONSET, policy)
    assert (found.score, found.band) == (60.0, "high")


def test_nothing_and_an_unknown_type() -> None:
    assert score([], ONSET, POLICY) == (0.0, "low", [])
    assert score([(ONSET, 600, 0, "spaceport")], ONSET, POLICY).parts[0].setting == 1.0
