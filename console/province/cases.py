"""Who falls ill in a made-up province, and what is known of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from console.province.draws import Draws, Ints
from console.province.kinds import HOUR
from console.province.people import People
from console.province.routines import Stays

_DAY = 24 * HOUR
_WANTED = 60
"""contacts that the first case should have: enough to look at, and to be read on one screen"""
_TRIED = 80
_MEETING = 15 * 60


def choose_cases(seed: int, count: int, last: Stays, people: People) -> Ints:
    """`count` different persons who were out on the last day; the first has near to 60 contacts on that day."""
    draws = Draws(seed, 5)
    seen = np.unique(last.person)
    drawn = seen[draws.shuffled(len(seen))]
    tried = drawn[: max(_TRIED, count)]
    contacts = [rough_contacts(last, int(person)) for person in tried[:_TRIED]]
    first = min(range(len(contacts)), key=lambda i: (abs(contacts[i] - _WANTED), i))
    rest = [int(person) for i, person in enumerate(tried.tolist()) if i != first]
    return np.array([int(tried[first]), *rest][:count], dtype=np.int64)


def rough_contacts(stays: Stays, person: int) -> int:
    """How many others were 15 minutes or more at one venue together with this person, by where they really were."""
    met: set[int] = set()
    for row in np.flatnonzero(stays.person == person).tolist():
        together = np.minimum(stays.end, stays.end[row]) - np.maximum(stays.start, stays.start[row])
        there = (stays.venue == stays.venue[row]) & (together >= _MEETING)
        met.update(stays.person[there].tolist())
    return len(met - {person})


def case_messages(seed: int, chosen: Ints, people: People, midnight: int, label: str) -> list[dict[str, Any]]:
    """`cases` messages. `midnight` = UTC second at which the last local day began; `label` goes into the case ids.

    Each was infectious on the last day (rule 4): onset lies at most two days after it. Times are integer ms.
    """
    draws = Draws(seed, 6)
    count = len(chosen)
    onset = midnight + draws.between(-2 * _DAY, _DAY, count)
    has_onset = draws.chance(8_000, count)
    sampled = np.maximum(onset, midnight) + draws.between(18 * HOUR, 30 * HOUR, count)
    isolated = draws.chance(5_000, count)
    recovered = draws.chance(1_500, count)
    cases: list[dict[str, Any]] = []
    for i, person in enumerate(chosen.tolist()):
        case: dict[str, Any] = {
            "case_id": f"mo-phong-{label}-{i + 1:04d}",
            "person": people.codes[person][0],
            "status": "confirmed",
            "sampled_at": int(sampled[i]) * 1000,
        }
        # The first case is the one that a demonstration reports: its window must cover the day, whatever was drawn.
        if has_onset[i] and i > 0:
            case["onset_at"] = int(onset[i]) * 1000
        elif i == 0:
            case["onset_at"] = (midnight + 9 * HOUR) * 1000
            case["sampled_at"] = (midnight + 26 * HOUR) * 1000
        reported = case["sampled_at"] + 5 * HOUR * 1000
        if isolated[i]:
            case["isolated_at"] = reported - HOUR * 1000
        if recovered[i]:
            case["negative_at"] = case["sampled_at"] + 8 * _DAY * 1000
        case["reported_at"] = reported
        case["reported_by"] = "ban-mo-phong"
        cases.append(case)
    return cases
