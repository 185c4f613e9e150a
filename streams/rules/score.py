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
    return Scorer(origin, policy).score(episodes)


class _Terms(NamedTuple):
    """Points = seconds (direct ones twice) x `above` / `below`."""

    above: int
    below: int
    infectiousness: float
    setting: float


class Scorer:
    """`score` for many contacts of one case, whose episodes are of few days and types of venue."""

    def __init__(self, origin: int, policy: Policy) -> None:
        self._origin, self._policy = origin, policy
        self._known: dict[tuple[int, str], _Terms] = {}
        self._bands: dict[int, str] = {}

    def score(self, episodes: Iterable[tuple[int, int, int, str]]) -> Score:
        """Episodes as (start, direct seconds, indirect seconds, venue type)."""
        above, below = 0, 1  # the total
        parts = []
        for start, direct, indirect, venue_type in episodes:
            # // goes toward the past: one second before onset is day -1.
            terms = self._terms((start - self._origin) // DAY, venue_type)
            points, of = (2 * direct + indirect) * terms.above, terms.below
            if of == below:
                above += points
            else:
                above, below = above * of + points * below, below * of
            # Dividing whole numbers rounds once, to the nearest float.
            parts.append(Part(direct, indirect, terms.infectiousness, terms.setting, points / of))
        hundredths = (200 * above + below) // (2 * below)
        # Banded as rounded: a reader who sees 60.00 and a band that begins at 60 must not see `medium`.
        named = self._bands.get(hundredths)
        if named is None:
            named = self._bands[hundredths] = band(Fraction(hundredths, 100), self._policy)
        return Score(hundredths / 100, named, parts)

    def _terms(self, day: int, venue_type: str) -> _Terms:
        found = self._known.get((day, venue_type))
        if found is None:
            weight, setting = self._policy.infectiousness_on(day), self._policy.venue_type(venue_type).setting
            above, below = weight.numerator * setting.numerator, 120 * weight.denominator * setting.denominator
            found = self._known[day, venue_type] = _Terms(above, below, float(weight), float(setting))
        return found


def band(rounded: Fraction, policy: Policy) -> str:
    """The band of a score; a band begins at its figure."""
    if rounded >= policy.band_high:
        return "high"
    return "medium" if rounded >= policy.band_medium else "low"
