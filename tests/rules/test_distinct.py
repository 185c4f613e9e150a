from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.distinct import MANY, distinct, within


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


@given(st.integers(0, 2**32), st.sampled_from([np.uint64, np.int64]))
@settings(max_examples=30, deadline=None)
def test_which_of_many_are_within(seed: int, kind: type) -> None:
    """Many are looked for by their lowest bits first: those that are there share theirs with others that are not."""
    rng = np.random.default_rng(seed)
    among = distinct(rng.integers(0, 2**62, 300).astype(kind))
    other = (among[:100] ^ kind(1 << 40)).astype(kind)  # the lowest bits of one that is there
    values = rng.permutation(np.concatenate([rng.integers(0, 2**62, MANY).astype(kind), among[::2], other]))
    assert within(values, among).tolist() == np.isin(values, among).tolist()
    if kind is np.int64:
        assert within(-values, among[:1] * 0 - values.max()).any()
