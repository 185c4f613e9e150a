"""Rule 7: the dates that a contact is advised to keep, which vaccination changes."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from streams.rules.days import date_of, day_number, local_day
from streams.rules.policy import Policy

VACCINATED: Final = "vaccinated"
NOT_KNOWN: Final = "not known to be vaccinated"
SETTLED_DAYS: Final = 14  # two doses count from the 14th day after the last (rule 7)


class Vaccination(NamedTuple):
    """The newest record (by `at`) of a person: how many doses, and the local date of the last."""

    doses: int
    last_dose_on: date


class FollowUp(NamedTuple):
    """Local dates as `YYYY-MM-DD`; the reason says which figure was used."""

    follow_up_until: str
    test_on: str
    reason: str


def advice(
    last_at: int, policy: Policy, *, first_at: int | None = None, vaccination: Vaccination | None = None
) -> FollowUp:
    """Dates counted from the local day of `last_at` (end of the last episode, seconds UTC).

    `first_at` = start of the first episode; two doses are judged by its day, and by nothing when it is not given.
    """
    day = local_day(last_at)
    covered = vaccination is not None and is_covered(vaccination, first_at)
    days = policy.follow_up_vaccinated if covered else policy.follow_up
    return FollowUp(_text(day + days), _text(day + policy.test_on), VACCINATED if covered else NOT_KNOWN)


@lru_cache(1024)
def _text(day: int) -> str:
    return date_of(day).isoformat()


def is_covered(vaccination: Vaccination, first_at: int | None) -> bool:
    """Three doses or more; or two, the last at least 14 days before the day of the first episode."""
    if vaccination.doses != 2 or first_at is None:
        return vaccination.doses >= 3
    return day_number(vaccination.last_dose_on) + SETTLED_DAYS <= local_day(first_at)
