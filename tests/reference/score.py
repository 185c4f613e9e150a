"""Rule 7: how strong an exposure is, and what is advised."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.reference.exposure import Episode
from tests.reference.fields import date_text, local_day
from tests.reference.messages import PeopleRecord
from tests.reference.policies import Policy, exact, of_type


def infectiousness(policy: Policy, day: int) -> Any:
    return policy["infectiousness"].get(str(day), policy["infectiousness"]["default"])


def half_up(value: Fraction) -> float:
    """Two decimals, half up."""
    return float(Fraction((value * 100 + Fraction(1, 2)).__floor__(), 100))


def parts_of(
    episodes: Sequence[Episode], types: dict[str, str], origin: int, policy: Policy
) -> list[tuple[Any, Any, Fraction]]:
    """Of each episode: infectiousness and setting as the policy writes them, and its exact points."""
    parts = []
    for episode in episodes:
        day = (episode.start - origin) // 86400  # whole days of 24 h, rounded toward the past
        how, where = infectiousness(policy, day), of_type(policy, types[episode.venue])["setting"]
        minutes = Fraction(episode.direct_seconds, 60) + Fraction(1, 2) * Fraction(episode.indirect_seconds, 60)
        parts.append((how, where, minutes * exact(how) * exact(where)))
    return parts


def band(score: float, policy: Policy) -> str:
    """A band begins at its figure; `score` is the rounded one."""
    for name in ("high", "medium"):
        if exact(score) >= exact(policy["bands"][name]):
            return name
    return "low"


def vaccinated(records: Sequence[PeopleRecord], first: int) -> bool:
    """Two doses, the last at least 14 days before the day of the first episode, or three and more; the newest `at`
    counts (at a tie, as in every registry, the later `updated_at`)."""
    if not records:
        return False
    newest = max(records, key=lambda record: (record.at, record.updated_ms, record.doses or 0))
    if (newest.doses or 0) >= 3:
        return True
    return newest.doses == 2 and newest.last_dose is not None and newest.last_dose + 14 <= local_day(first)


def advice(first: int, last: int, vaccinations: Sequence[PeopleRecord], policy: Policy) -> dict[str, str]:
    """Dates counted from the day of `last_at`."""
    protected = vaccinated(vaccinations, first)
    day, figures = local_day(last), policy["advice"]
    follow_up = figures["follow_up_vaccinated"] if protected else figures["follow_up"]
    return {
        "follow_up_until": date_text(day + follow_up),
        "test_on": date_text(day + figures["test_on"]),
        "reason": "vaccinated" if protected else "not known to be vaccinated",  # the words are ours
    }
