"""Whose venues must be counted again when persons changed: a question that comes with every link and every erasure."""

from __future__ import annotations

import time

import numpy as np

from streams.rules.counters import Tally
from streams.steps.book import Book

VENUES, PERSONS = 16_000, 30


def test_venues_of_persons_are_found_at_once() -> None:
    """One question for each venue took 1.5 s, in which a worker did nothing else."""
    rng = np.random.default_rng(5)
    book = Book(1)
    for number in range(VENUES):
        persons = np.unique(rng.integers(0, 2**40, PERSONS).astype(np.uint64))
        book.tallies[number.to_bytes(8)] = Tally(scans=PERSONS, persons=persons)
    some = [3, 7, 9_000]
    asked = np.array([book.tallies[n.to_bytes(8)].persons[-1] for n in reversed(some)] + [2**50], np.uint64)
    began = time.process_time()
    found = book.with_persons(asked)
    took = time.process_time() - began
    assert found == {token for token, tally in book.tallies.items() if np.isin(asked, tally.persons).any()}
    assert found >= {n.to_bytes(8) for n in some}
    assert took < 0.3, f"{took:.2f} s"
    assert Book(1).with_persons(asked) == set()
