"""Rule 7's dates: follow_up 14, vaccinated 7, test_on 5 days after the local day of the last episode's end."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from streams.rules.advice import Vaccination, advice
from streams.rules.policy import load_policies

POLICY = load_policies().of_day(19_000)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_days_are_local() -> None:
    # 16:59:59Z is 23:59:59 in Ho Chi Minh City; a second later is the next day
    assert advice(at("2022-01-10T16:59:59"), POLICY)[:2] == ("2022-01-24", "2022-01-15")
    assert advice(at("2022-01-10T17:00:00"), POLICY)[:2] == ("2022-01-25", "2022-01-16")


@pytest.mark.parametrize(
    ("doses", "last_dose", "until"),
    [
        (0, date(2021, 1, 1), "2022-01-24"),
        (1, date(2021, 1, 1), "2022-01-24"),
        (2, date(2021, 12, 26), "2022-01-17"),  # 14 days before 9 January
        (2, date(2021, 12, 27), "2022-01-24"),  # 13
        (2, date(2022, 1, 20), "2022-01-24"),  # after it all
        (3, date(2022, 1, 9), "2022-01-17"),
        (4, date(2022, 1, 20), "2022-01-17"),
    ],
)
def test_vaccination(doses: int, last_dose: date, until: str) -> None:
    found = advice(
        at("2022-01-10T10:00:00"),
        POLICY,
        first_at=at("2022-01-08T17:00:00"),  # 9 January, local
        vaccination=Vaccination(doses, last_dose),
    )
    assert (found.follow_up_until, found.test_on) == (until, "2022-01-15")


def test_two_doses_without_a_first_episode_do_not_count() -> None:
    assert advice(at("2022-01-10T10:00:00"), POLICY, vaccination=Vaccination(2, date(2020, 1, 1)))[0] == "2022-01-24"


def test_the_reason_tells_the_two_apart() -> None:
    now = at("2022-01-10T10:00:00")
    plain, covered = advice(now, POLICY), advice(now, POLICY, vaccination=Vaccination(3, date(2021, 1, 1)))
    assert plain.reason and covered.reason and plain.reason != covered.reason
