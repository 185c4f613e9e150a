"""Shared cards and codes in two places, against loops over every pair of scans."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.doubtful import doubtful
from streams.rules.scans import ScanTable
from streams.rules.small import few

VENUES = 3
SCANS = st.lists(
    st.tuples(
        st.integers(0, 3),  # code; codes 2 and 3 are one person
        st.integers(0, VENUES - 1),
        st.integers(0, 40),
        st.booleans(),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
)


@given(SCANS, st.integers(1, 6), st.integers(0, 15))
def test_it_is_what_loops_over_all_pairs_find(scans: list[tuple[int, ...]], limit: int, apart: int) -> None:
    columns = [np.array([scan[i] for scan in scans], np.int64) for i in range(6)]
    code, venue, second = columns[:3]
    out, staff, void = (column.astype(bool) for column in columns[3:])
    found = doubtful(
        ScanTable(np.minimum(code, 2), venue, second, out, staff, void, code), VENUES, limit=limit, apart=apart
    )

    counted = {scan[:5] for scan in scans} - {scan[:5] for scan in scans if scan[5]}
    shared = {c for c, many in Counter(scan[0] for scan in counted).items() if many > limit}
    came = [(min(c, 2), v, t) for c, v, t, left, _ in counted if c not in shared and not left]
    conflicts = {a[0] for a, b in combinations(came, 2) if a[0] == b[0] and a[1] != b[1] and abs(a[2] - b[2]) < apart}
    assert set(found.shared.tolist()) == shared
    assert set(found.conflicts.tolist()) == conflicts
    assert found.shared_at.tolist() == [
        len({c for c, w, *_ in counted if w == v and c in shared}) for v in range(VENUES)
    ]
    # Where: only venues at which somebody of these was, and somebody is somewhere.
    for v in range(VENUES):
        assert found.conflicts_at[v] <= len({p for p, w, _ in came if w == v and p in conflicts})
    assert bool(conflicts) == bool(found.conflicts_at.sum())


def test_few_are_not_told() -> None:
    assert [few(n) for n in range(7)] == [0, "<5", "<5", "<5", "<5", 5, 6]
