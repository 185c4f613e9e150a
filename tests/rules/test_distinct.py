from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.distinct import distinct, within


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3), max_size=40))
def test_each_once_in_order_and_a_copy(values: list[int]) -> None:
    given_ = np.array(values, np.uint64)
    found = distinct(given_)
    assert found.tolist() == sorted(set(values))
    assert not np.shares_memory(found, given_)


@given(st.lists(st.integers(0, 9), max_size=12), st.sets(st.integers(0, 9)))
def test_which_are_within(values: list[int], among: set[int]) -> None:
    found = within(np.array(values, np.int64), np.array(sorted(among), np.int64))
    assert found.tolist() == [value in among for value in values]
