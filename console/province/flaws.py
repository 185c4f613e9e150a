"""From stays to scans, with the flaws of real ones.

People forget to check out (more often where no guard stands), scan twice, or have their code photographed and scanned
elsewhere; a terminal takes a scan back; a guard lends his own card to whoever has none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from console.province.draws import Draws, Ints
from console.province.kinds import HOUR, INDEX, KINDS
from console.province.people import People
from console.province.routines import Stays
from console.province.venues import Venues

POSTER, GUARD, PAPER = 0, 1, 2


class Scans(NamedTuple):
    """One entry a scan, in the order in which they reach the pipeline."""

    person: Ints
    venue: Ints
    second: Ints
    """of the local day"""
    out: Ints
    staff: Ints
    mode: Ints
    void: Ints
    twin: Ints
    """1 = the same message as the one before, sent once more"""


def scans_of_stays(seed: int, day: int, stays: Stays, people: People, venues: Venues) -> Scans:
    """The scans of one day's stays; those that would fall on the next day are not made."""
    draws = Draws(seed, 4, day)
    count = len(stays.person)
    kind = venues.kind[stays.venue]
    forgets = np.array([k.forgets for k in KINDS], dtype=np.int64)[kind]
    forgets = np.where(venues.guarded[stays.venue], forgets // 2, forgets)
    seen_in = ~draws.chance(250, count)
    seen_out = ~draws.chance(forgets, count)
    paper = draws.chance(np.where(np.isin(kind, [INDEX["market"], INDEX["vehicle"]]), 500, 50), count)
    mode = np.where(paper, PAPER, np.where(venues.guarded[stays.venue], GUARD, POSTER))
    zeros = np.zeros(count, dtype=np.int64)
    going_in = Scans(stays.person, stays.venue, stays.start, zeros, stays.staff, mode, zeros, zeros)
    going_out = Scans(stays.person, stays.venue, stays.end, zeros + 1, stays.staff, mode, zeros, zeros)
    plain = _joined([_where(going_in, seen_in), _where(going_out, seen_out), _lent_cards(draws, people, venues)])
    scans = _joined([plain, *_extra(draws, plain, len(venues.ids))])
    scans = _where(scans, (scans.second >= 0) & (scans.second < 24 * HOUR))
    return _as_sent(draws, scans)


def _where(scans: Scans, chosen: Ints | np.ndarray) -> Scans:
    return Scans(*(column[chosen] for column in scans))


def _joined(parts: list[Scans]) -> Scans:
    return Scans(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _extra(draws: Draws, plain: Scans, venues: int) -> list[Scans]:
    """Second scans within seconds, photographed codes elsewhere, and scans with the message that takes them back."""
    count = len(plain.person)
    again = np.flatnonzero(draws.chance(120, count))
    double = _where(plain, again)
    double = double._replace(second=double.second + draws.between(1, 40, len(again)))
    stolen = np.flatnonzero(draws.chance(12, count))
    elsewhere = _where(plain, stolen)
    moved = (elsewhere.venue + 1 + draws.below(venues - 1, len(stolen))) % venues
    elsewhere = elsewhere._replace(
        venue=moved, second=elsewhere.second + draws.between(-50, 50, len(stolen)), out=np.zeros_like(moved)
    )
    wrong = np.flatnonzero(draws.chance(8, count))
    taken_back = _where(plain, wrong)._replace(void=np.ones(len(wrong), dtype=np.int64))
    return [double, elsewhere, taken_back]


def _lent_cards(draws: Draws, people: People, venues: Venues) -> Scans:
    """One guard for every 10,000 people scans his own card for all who have none: a shared card (rule 2)."""
    guards = max(1, len(people.codes) // 10_000)
    markets = np.flatnonzero(venues.kind == INDEX["market"])
    busiest = markets[np.argsort(-venues.crowd[markets], kind="stable")][:guards]
    size = len(busiest) * 90
    person = np.repeat(draws.below(len(people.codes), len(busiest)), 90)
    zeros = np.zeros(size, dtype=np.int64)
    second = draws.between(5 * HOUR, 11 * HOUR, size)
    return Scans(person, np.repeat(busiest, 90), second, zeros, zeros, zeros + GUARD, zeros, zeros)


def _as_sent(draws: Draws, scans: Scans) -> Scans:
    """In order of arrival: guards' devices send late, paper is typed in at night; half a percent comes twice."""
    count = len(scans.person)
    delay = draws.between(0, 5, count)
    delay += np.where((scans.mode == GUARD) & draws.chance(300, count), draws.between(60, 5_400, count), 0)
    delay += np.where(scans.mode == PAPER, draws.between(2 * HOUR, 9 * HOUR, count), 0)
    delay += np.where(scans.void == 1, draws.between(60, 1_800, count), 0)
    order = np.lexsort((scans.out, scans.venue, scans.person, scans.second + delay))
    scans = _where(scans, order)
    repeats = np.where(draws.chance(50, count), 2, 1)
    sent = _where(scans, np.repeat(np.arange(count), repeats))
    twin = np.zeros(len(sent.person), dtype=np.int64)
    twin[np.cumsum(repeats)[repeats == 2] - 1] = 1
    return sent._replace(twin=twin)
