"""Rule 4, worked by hand with before_days = 2, after_days = 10."""

from __future__ import annotations

import pytest

from streams.rules.policy import load_policies
from streams.rules.window import infectious_window

DAY = 86400
T = 1_641_000_000
POLICY = load_policies().of_time(T)


@pytest.mark.parametrize(
    ("sampled", "onset", "isolated", "negative", "expected"),
    [
        (T, None, None, None, (T - 2 * DAY, T + 10 * DAY)),
        (T, T - 3 * DAY, None, None, (T - 5 * DAY, T + 7 * DAY)),
        (T, T + DAY, None, None, (T - DAY, T + 11 * DAY)),  # found before it showed
        (T, None, T + DAY, None, (T - 2 * DAY, T + DAY)),
        (T, None, T + 11 * DAY, None, (T - 2 * DAY, T + 10 * DAY)),
        (T, None, None, T + DAY, (T - 2 * DAY, T + DAY)),
        (T, None, None, T, (T - 2 * DAY, T + 10 * DAY)),  # not later than the sample
        (T, None, None, T - DAY, (T - 2 * DAY, T + 10 * DAY)),
        (T, None, None, T + 1, (T - 2 * DAY, T + 1)),
        (T, None, T + 5, T + 4, (T - 2 * DAY, T + 4)),
        (T, None, T - 3 * DAY, None, (T - 2 * DAY, T - 3 * DAY)),  # empty, and returned as it is
        (T, T - 3 * DAY, None, T - DAY, (T - 5 * DAY, T + 7 * DAY)),  # after onset, but before the sample
        (T, 0, None, None, (-2 * DAY, 10 * DAY)),  # an onset of 0 is an onset
    ],
)
def test_window(
    sampled: int, onset: int | None, isolated: int | None, negative: int | None, expected: tuple[int, int]
) -> None:
    assert infectious_window(sampled, onset, isolated, negative, POLICY) == expected
