"""The load is the same for the same seed, and a batch holds what single records hold."""

from __future__ import annotations

import msgspec
import numpy as np

from console.bench.ingest import LINES, Run, _rows
from console.bench.load import Province, distinct

UNTIL = 1_790_000_000


def test_same_seed_same_bytes() -> None:
    assert Province(3).days(500, UNTIL).scans == Province(3).days(500, UNTIL).scans
    assert Province(3).days(500, UNTIL).scans != Province(4).days(500, UNTIL).scans


def test_batches_hold_the_same_scans_by_gateway() -> None:
    load = Province(people=300, venues=200).days(2_000, UNTIL)
    batches = [msgspec.json.decode(value) for value in load.records(50)]
    assert all(0 < len(batch) <= 50 and len({scan["gateway_id"] for scan in batch}) == 1 for batch in batches)
    singles = [msgspec.json.decode(value) for value in load.records(1)]
    assert sorted(s["scan_id"] for b in batches for s in b) == sorted(s["scan_id"] for s in singles)


def test_everybody_comes_once() -> None:
    load = Province(people=300, venues=50).everybody(UNTIL)
    assert len({msgspec.json.decode(value)["person"] for value in load.records(1)}) == len(load) == 300


def test_distinct_counts_a_scan_of_two_loads_once() -> None:
    load = Province(people=300).days(400, UNTIL)
    assert distinct(load, load.first(100)) == distinct(load) == len(np.unique(load.content, axis=1).T)


def test_a_turn_is_compared_with_itself() -> None:
    """A machine that slowed down by half between two turns has not changed the ratio."""
    ours, bare = LINES[0].title, LINES[1].title
    runs = [Run(t, 1, rate, 1, 1, 1, 1) for t, rate in ((ours, 50), (bare, 100), (ours, 25), (bare, 50))]
    rows = _rows(runs)
    assert rows[ours]["of_bare"] == 0.5 and rows[ours]["rate"] == 37.5 and rows[bare]["of_bare"] == 1
