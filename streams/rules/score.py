"""Rule 7: how strong an exposure is. Exact throughout: 19.995 is 20.00 and `medium`, on every machine.

Fractions as two whole numbers: Python's Fraction shortens each result, which costs ten times as much as all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from streams.rules.days import DAY
from streams.rules.policy import Policy


class Part(NamedTuple):
    """What one episode adds. `points` is not rounded before it becomes a float, so that the parts make the score."""

    direct_seconds: int
    indirect_seconds: int
    infectiousness: float
    setting: float
    points: float


class Score(NamedTuple):
    """`score` has two decimals; `band` is `high`, `medium` or `low`; parts in the order of the episodes."""

    score: float
    band: str
    parts: list[Part]


def score(episodes: Iterable[tuple[int, int, int, str]], origin: int, policy: Policy) -> Score:
    """Episodes as (start, direct seconds, indirect seconds, venue type); `origin` = onset, or sample without one."""
    above, below = 0, 1  # the total
    parts = []
    for start, direct, indirect, venue_type in episodes:
        # // goes toward the past: one second before onset is day -1.
        weight = policy.infectiousness_on((start - origin) // DAY)
        setting = policy.venue_type(venue_type).setting
        points = (2 * direct + indirect) * weight.numerator * setting.numerator
        of = 120 * weight.denominator * setting.denominator
        if of == below:
            above += points
        else:
            above, below = above * of + points * below, below * of
        # Dividing whole numbers rounds once, to the nearest float.
        parts.append(Part(direct, indirect, float(weight), float(setting), points / of))
    hundredths = (200 * above + below) // (2 * below)
    # Banded as rounded: a reader who sees 60.00 and a band that begins at 60 must not see `medium`.
    return Score(hundredths / 100, band(Fraction(hundredths, 100), policy), parts)


def band(rounded: Fraction, policy: Policy) -> str:
    """The band of a score; a band begins at its figure."""
    if rounded >= policy.band_high:
        return "high"
    return "medium" if rounded >= policy.band_medium else "low"
