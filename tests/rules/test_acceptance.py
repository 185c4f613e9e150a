"""Rule 1: future and expired, to the second."""

from __future__ import annotations

import numpy as np
import pytest

from streams.rules.acceptance import late_or_early

AT = 1_640_995_200
CASES = [
    (AT, 0),
    (AT + 300, 0),
    (AT + 301, 1),
    (AT - 21 * 86400, 0),
    (AT - 21 * 86400 - 1, -1),
]


@pytest.mark.parametrize(("second", "expected"), CASES)
def test_more_than_is_refused_and_exactly_is_not(second: int, expected: int) -> None:
    assert late_or_early(second, AT, 300, 21) == expected


def test_columns() -> None:
    seconds = np.array([second for second, _ in CASES])
    found = late_or_early(seconds, np.full(len(seconds), AT), 300, 21)
    assert found.tolist() == [expected for _, expected in CASES]


def test_retention_0_keeps_everything_but_the_future() -> None:
    assert late_or_early(AT - 10_000 * 86400, AT, 300, 0) == 0
    assert late_or_early(AT + 301, AT, 300, 0) == 1
    assert late_or_early(np.array([0, AT + 301]), np.array([AT, AT]), 300, 0).tolist() == [0, 1]


def test_no_tolerance() -> None:
    assert [late_or_early(AT + ahead, AT, 0, 21) for ahead in (0, 1)] == [0, 1]
