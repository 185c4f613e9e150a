"""Rule 2's links: which stand, who is one person, and by which pseudonym."""

from __future__ import annotations

from itertools import pairwise, permutations

from streams.rules.classes import Link, LinkSet, Unlink
from streams.rules.codes import pseudonym_text

A, B, C, D = (f"p1{letter * 26}" for letter in "abcd")


def test_links_are_undirected_and_chain() -> None:
    known = LinkSet.of([Link(B, A, 1), Link(B, C, 2)])
    assert known.members(A) == known.members(B) == known.members(C) == {A, B, C}
    assert known.members(D) == {D}
    assert known.representative(C) == A
    assert known.representatives() == {A: A, B: A, C: A}


def test_an_unlink_of_either_code_at_the_same_time_or_later_parts() -> None:
    for code in (A, B):
        for at, stands in ((9, True), (10, False), (11, False)):
            known = LinkSet.of([Link(A, B, 10)], [Unlink(code, at)])
            assert bool(known.standing()) is stands
            assert known.representative(B) == (A if stands else B)


def test_an_unlink_of_one_code_leaves_the_links_of_others() -> None:
    known = LinkSet.of([Link(A, B, 1), Link(B, C, 1), Link(C, D, 1)], [Unlink(A, 5)])
    assert known.members(A) == {A}
    assert known.members(D) == {B, C, D}
    assert known.representative(D) == B


def test_linked_again_later() -> None:
    known = LinkSet.of([Link(A, B, 1), Link(A, B, 7)], [Unlink(A, 5)])
    assert known.standing() == {Link(A, B, 7)}


def test_what_stood_at_a_moment() -> None:
    known = LinkSet.of([Link(A, B, 10), Link(B, C, 30)], [Unlink(A, 20)])
    seen = {moment: known.members(B, moment) for moment in (9, 10, 19, 20, 30)}
    assert seen == {9: {B}, 10: {A, B}, 19: {A, B}, 20: {B}, 30: {B, C}}
    assert known.representative(B, 10) == A
    assert known.members(B) == {B, C}


def test_ever_linked_ignores_unlinks() -> None:
    known = LinkSet.of([Link(A, B, 10), Link(B, C, 30)], [Unlink(A, 20), Unlink(C, 90)])
    assert known.ever(C) == {A, B, C}
    assert all(known.members(C, moment) <= known.ever(C) for moment in range(100))


def test_order_and_repetition_do_not_matter() -> None:
    facts = [LinkSet.of([Link(A, B, 1)]), LinkSet.of([Link(B, C, 1)]), LinkSet.of([], [Unlink(C, 2)])]
    whole = {facts[i] | facts[j] | facts[k] | facts[i] for i, j, k in permutations(range(3))}
    assert whole == {LinkSet.of([Link(A, B, 1), Link(B, C, 1)], [Unlink(C, 2)])}


def test_the_least_is_of_the_texts_not_of_the_digests() -> None:
    low, high = b"\x00" * 16, b"\xff" * 16  # p1aaaa… and p17777…: as text, 7 comes before a
    known = LinkSet.of([Link(pseudonym_text(low), pseudonym_text(high), 1)])
    assert known.representative(pseudonym_text(low)) == pseudonym_text(high)


def test_a_link_to_itself_and_a_long_chain() -> None:
    assert LinkSet.of([Link(A, A, 1)]).members(A) == {A}
    names = [f"p1{n:026d}" for n in range(5000)]
    chain = LinkSet.of(Link(a, b, 1) for a, b in pairwise(names))
    assert chain.representative(names[-1]) == names[0]
