"""Rule 10: closing comes before forgetting, and what is forgotten is carried on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.days import DAY, LOCAL_OFFSET, local_day
from streams.rules.forgetting import carried_on, closes_at, ends_at, first_kept_day, is_closed, is_ended

LONGEST = 86_400  # no dwell and no stay is longer (messages.md: 1,440 minutes)


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_closed_to_the_second() -> None:
    begin = utc("2022-01-01T05:00:00")
    at = utc("2022-01-22T05:00:00")
    assert closes_at(begin, 21) == at
    assert [is_closed(begin, at + d, 21) for d in (-1, 0, 1)] == [False, True, True]


def test_days_are_local_and_forgotten_whole() -> None:
    # 22 days before 17:00 UTC on the 23rd it is local midnight, 2 January: the 1st is over, its last scan is older.
    now = utc("2022-01-23T17:00:00")
    day = local_day(utc("2022-01-01T17:00:00"))
    assert first_kept_day(now, 21) == day
    assert first_kept_day(now - 1, 21) == day - 1


def test_exposure_ends_with_the_scans_of_its_last_episode() -> None:
    last = utc("2022-01-01T12:00:00")
    assert ends_at(last, 21) == utc("2022-01-23T12:00:00")
    assert [is_ended(last, ends_at(last, 21) + d, 21) for d in (-1, 0)] == [False, True]


def test_zero_keeps_everything_for_ever() -> None:
    far = utc("2099-01-01T00:00:00")
    assert not is_closed(0, far, 0) and not is_ended(0, far, 0)
    assert closes_at(0, 0) is ends_at(0, 0) is first_kept_day(far, 0) is None


@given(
    begin=st.integers(utc("2021-01-01T00:00:00"), utc("2023-01-01T00:00:00")),
    days=st.integers(1, 60),
    before=st.integers(1, 90 * DAY),
)
def test_what_an_open_case_rests_on_is_never_forgotten(begin: int, days: int, before: int) -> None:
    """However late, as long as it is open, every scan of the 24 hours before its window is on a day that is kept."""
    now = closes_at(begin, days) - before
    assert not is_closed(begin, now, days)
    kept = first_kept_day(now, days)
    assert kept is not None
    assert kept * DAY - LOCAL_OFFSET <= begin - LONGEST


@given(last=st.integers(1, 2**31), days=st.integers(1, 60), after=st.integers(0, 90 * DAY))
def test_an_exposure_ends_before_its_day_is_two_days_forgotten(last: int, days: int, after: int) -> None:
    """Marks go by their last day (sweep.py): on a day that is forgotten no exposure stands whose end lies there."""
    now = last + after
    if local_day(last) < first_kept_day(now, days):
        assert is_ended(last, now, days)


DAY0 = 19_000
MIDNIGHT = DAY0 * DAY - LOCAL_OFFSET


@pytest.mark.parametrize(
    ("before", "found", "stays"),
    [
        # gone from the scans, kept here
        ([("a", -7200, -3600)], [], [("a", -7200, -3600)]),
        # its in scan is forgotten, what is left of it is a shorter stay: it stays the longer one
        ([("a", -7200, 1800)], [("a", 900, 1800)], [("a", -7200, 1800)]),
        ([("a", -7200, 1800)], [("b", 900, 1800)], [("a", -7200, 1800), ("b", 900, 1800)]),
        # on a day that is kept the scans alone decide
        ([("a", 7200, 9000)], [], []),
        ([("a", 7200, 9000)], [("a", 7200, 8000)], [("a", 7200, 8000)]),
        # within the margin the staff scan before midnight may be what made it so long
        ([("a", 300, 9000)], [("a", 300, 4000)], [("a", 300, 9000)]),
    ],
)
def test_carried_on(before: list, found: list, stays: list) -> None:
    def shifted(these: list) -> list:
        return [(place, MIDNIGHT + start, MIDNIGHT + end) for place, start, end in these]

    assert carried_on(shifted(before), shifted(found), DAY0, 600) == shifted(stays)


def test_where_nothing_is_forgotten_nothing_is_carried_on() -> None:
    assert carried_on([("a", 0, 10)], [("b", 20, 30)], None, 600) == [("b", 20, 30)]
