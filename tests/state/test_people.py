"""Holds, erasures and links as facts (streams.state.people): what they say, in whatever order they were learned."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.state.layout import tokens_of
from streams.state.people import ERASE, HOLD, LINK, NEVER, UNHOLD, UNLINK, PeopleTable, row_key

A, B, C = (bytes([n]) * 16 for n in (1, 2, 3))


def learned(*rows: str) -> PeopleTable:
    table = PeopleTable()
    for version, row in enumerate(rows, 1):
        table.take([str(version).encode(), row.encode(), b"1"])
    return table


def until(table: PeopleTable, *codes: bytes) -> list[int]:
    return table.erased_until(tokens_of(b"".join(code[:8] for code in codes))).tolist()


@pytest.mark.parametrize(
    ("rows", "reach"),
    [
        ([row_key(ERASE, A, 10)], [10, NEVER, NEVER]),
        ([row_key(ERASE, A, 10), row_key(ERASE, A, 7)], [10, NEVER, NEVER]),
        # linked at that moment, by a chain
        ([row_key(LINK, A, B, 5), row_key(LINK, B, C, 10), row_key(ERASE, A, 10)], [10, 10, 10]),
        ([row_key(LINK, A, B, 11), row_key(ERASE, A, 10)], [10, NEVER, NEVER]),
        ([row_key(LINK, A, B, 5), row_key(UNLINK, B, 9), row_key(ERASE, A, 10)], [10, NEVER, NEVER]),
        ([row_key(LINK, A, B, 5), row_key(UNLINK, B, 12), row_key(ERASE, A, 10)], [10, 10, NEVER]),
        # a hold at that moment, on any of the person's codes
        ([row_key(HOLD, A, b"x", 4), row_key(ERASE, A, 10)], [NEVER, NEVER, NEVER]),
        ([row_key(HOLD, A, b"x", 11), row_key(ERASE, A, 10)], [10, NEVER, NEVER]),
        ([row_key(HOLD, B, b"x", 4), row_key(LINK, A, B, 5), row_key(ERASE, A, 10)], [NEVER, NEVER, NEVER]),
        ([row_key(HOLD, A, b"x", 4), row_key(UNHOLD, A, b"x", 9), row_key(ERASE, A, 10)], [10, NEVER, NEVER]),
        # another ground holds still; at one moment the hold counts
        ([row_key(HOLD, A, b"x", 4), row_key(UNHOLD, A, b"y", 9), row_key(ERASE, A, 10)], [NEVER, NEVER, NEVER]),
        ([row_key(HOLD, A, b"x", 9), row_key(UNHOLD, A, b"x", 9), row_key(ERASE, A, 10)], [NEVER, NEVER, NEVER]),
        # refused then is refused for ever; asked anew it is done
        (
            [row_key(HOLD, A, b"x", 4), row_key(ERASE, A, 10), row_key(UNHOLD, A, b"x", 11), row_key(ERASE, A, 12)],
            [12, NEVER, NEVER],
        ),
    ],
)
def test_what_is_erased(rows: list[str], reach: list[int]) -> None:
    for order in permutations(rows):
        table = learned(*order)
        assert until(table, A, B, C) == reach, order
        assert {code for code in (A, B, C) if table.is_erased(code)} == table.erased_codes()


MOMENTS = st.integers(1, 6)
CODES = [bytes([n]) * 16 for n in range(1, 7)]
WHO = st.sampled_from(CODES)
FACTS = st.one_of(
    st.tuples(st.just(LINK), WHO, WHO, MOMENTS).filter(lambda fact: fact[1] < fact[2]),
    st.tuples(st.sampled_from([UNLINK, ERASE]), WHO, MOMENTS),
    st.tuples(st.sampled_from([HOLD, UNHOLD]), WHO, st.sampled_from([b"x", b"y"]), MOMENTS),
)


@given(st.lists(FACTS, unique=True, max_size=14), st.data())
def test_one_by_one_or_all_at_once(facts: list[tuple[str | bytes | int, ...]], data: st.DataObject) -> None:
    """Of a new fact only those are worked out anew whom it can concern: that must be all whom it does."""
    rows = [row_key(*fact) for fact in facts]  # type: ignore[arg-type]
    table = learned(*data.draw(st.permutations(rows)))
    at_once = PeopleTable()
    at_once.take([b"1", *(word for row in rows for word in (row.encode(), b"1"))])
    tokens = tokens_of(b"".join(code[:8] for code in CODES))
    assert until(table, *CODES) == until(at_once, *CODES)
    assert table.person_of(tokens).tolist() == at_once.person_of(tokens).tolist()
    assert [part.tolist() for part in table.expanded(tokens)] == [part.tolist() for part in at_once.expanded(tokens)]
