"""Rule 2's links: which stand, who is one person."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.classes import Links

A, B, C, D = (letter * 16 for letter in (b"a", b"b", b"c", b"d"))
Fact = tuple[bytes, bytes | None, int]


def links(*facts: Fact) -> Links:
    """(a, b, at) links two codes, (a, None, at) unlinks one."""
    found = Links()
    for code, other, at in facts:
        if other is None:
            found.unlink(code, at)
        else:
            found.link(code, other, at)
    return found


def test_links_are_undirected_and_chain() -> None:
    known = links((B, A, 1), (B, C, 2))
    assert known.members(A) == known.members(B) == known.members(C) == {A, B, C}
    assert known.members(D) == {D}


@pytest.mark.parametrize("code", [A, B])
@pytest.mark.parametrize(("at", "stands"), [(9, True), (10, False), (11, False)])
def test_an_unlink_of_either_code_at_the_same_time_or_later_parts(code: bytes, at: int, stands: bool) -> None:
    assert links((A, B, 10), (code, None, at)).members(B) == ({A, B} if stands else {B})


def test_an_unlink_of_one_code_leaves_the_links_of_others() -> None:
    known = links((A, B, 1), (B, C, 1), (C, D, 1), (A, None, 5))
    assert known.members(A) == {A}
    assert known.members(D) == {B, C, D}


def test_linked_again_later() -> None:
    assert links((A, B, 1), (A, B, 7), (A, None, 5)).members(A) == {A, B}


def test_what_stood_at_a_moment() -> None:
    known = links((A, B, 10), (B, C, 30), (A, None, 20))
    seen = {moment: known.members(B, moment) for moment in (9, 10, 19, 20, 30)}
    assert seen == {9: {B}, 10: {A, B}, 19: {A, B}, 20: {B}, 30: {B, C}}


def test_everybody_ever_linked_ignores_unlinks() -> None:
    known = links((A, B, 10), (B, C, 30), (A, None, 20), (C, None, 90))
    assert known.component(C) == {A, B, C}
    assert all(known.members(C, moment) <= known.component(C) for moment in range(100))


def test_a_code_linked_to_itself_is_nobody_new() -> None:
    assert not links((A, A, 1))


def test_order_and_repetition_do_not_matter() -> None:
    facts: list[Fact] = [(A, B, 1), (B, C, 1), (C, None, 2)]
    for order in permutations(facts):
        assert links(*order, order[0]).members(B) == {A, B}


_codes = st.sampled_from([A, B, C, D])
_times = st.integers(0, 5)
_facts = st.lists(st.tuples(_codes, st.none() | _codes, _times), max_size=12)


@given(_facts, st.none() | _times)
def test_as_the_rule_says_it(facts: list[Fact], moment: int | None) -> None:
    """Plainly: which links stand, then who is reached."""
    seen = [f for f in facts if moment is None or f[2] <= moment]
    parted = [(code, at) for code, other, at in seen if other is None]
    standing = [(a, b) for a, b, at in seen if b is not None and not any(c in (a, b) and t >= at for c, t in parted)]
    for code in (A, B, C, D):
        reached = {code}
        for _ in range(4):
            reached |= {y for a, b in standing for x, y in ((a, b), (b, a)) if x in reached}
        found = links(*facts)
        assert (found.members(code) if moment is None else found.members(code, moment)) == reached
