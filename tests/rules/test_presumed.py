"""Whom an evaluation need not read: nobody who shares a second with the case, whatever is linked, voided or shared."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streams.rules.exposure import exposures
from streams.rules.pieces import pieces
from streams.steps.presumed import Presumed, presumed, risky_places
from tests.rules.small_worlds import PERSONS, SECONDS, VENUES, WORLDS, Read, SmallWorld
from tests.rules.tables import at

FIGURES = tomllib.loads((Path(__file__).parents[1] / "reference" / "policy.toml").read_text())
Window = tuple[int, int]
WINDOWS = st.builds(lambda begin, minutes: (begin, begin + minutes * 60), SECONDS, st.integers(1, 20))


def codes(world: SmallWorld) -> np.ndarray:
    return np.array([read.person * 10 + read.code for read in world.reads], np.uint64)


def presume(world: SmallWorld, window: Window, *, linked: bool) -> Presumed:
    """Person 0 is the case. `linked`: it is known which codes are one person."""
    table = pieces(world.table(), world.venue_figures, world.policy)
    venues = np.arange(len(VENUES), dtype=np.uint64)
    case: Any = SimpleNamespace(pieces=table.take(table.person == 0), venues=venues, figures=world.venue_figures)
    columns = np.array([read[2:] for read in world.reads], np.int64).reshape(-1, 5)
    anchors: Any = SimpleNamespace(
        other=codes(world),
        second=columns[:, 1],
        **dict(zip(("out", "staff", "void"), columns[:, 2:].T == 1, strict=True)),
    )
    anchors = _Sized(anchors)
    people: Any = SimpleNamespace(person_of=lambda tokens: tokens // np.uint64(10) if linked else tokens)
    own = np.array([0, 1], np.uint64)
    return presumed(anchors, columns[:, 0].astype(np.uint64), risky_places(case, window), own, people, world.policy)


class _Sized:
    def __init__(self, columns: Any) -> None:
        self.__dict__.update(columns.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__["other"])


def who_shared(world: SmallWorld, window: Window) -> set[int]:
    table = pieces(world.table(), world.venue_figures, world.policy)
    case, others = table.take(table.person == 0), table.take(table.person != 0)
    found = exposures(case, others, window, world.venue_figures, world.policy, np.arange(len(VENUES)))
    return {person for person in range(1, PERSONS) if found.last[person] > found.first[person]}


@settings(max_examples=400, deadline=None)
@given(WORLDS, WINDOWS)
def test_who_shared_a_second_is_read(world: SmallWorld, window: Window) -> None:
    shared = who_shared(world, window)
    found = presume(world, window, linked=True)
    present = set((codes(world)[found.present] // np.uint64(10)).tolist())
    event(f"{len(shared)} shared, {len(present)} read")
    assert shared <= present


@settings(max_examples=400, deadline=None)
@given(WORLDS, WINDOWS)
def test_a_link_is_no_news_to_who_looked_for_it(world: SmallWorld, window: Window) -> None:
    """Before their codes are linked, one of them at least is possible: so an evaluation notices the link."""
    possible = set((codes(world)[presume(world, window, linked=False).possible] // np.uint64(10)).tolist())
    assert who_shared(world, window) <= possible


def test_not_everybody_is_read() -> None:
    """The bound is worth something: who came hours later, or left before, is not read."""

    def read(person: int, clock: str, out: bool = False) -> Read:
        return Read(person, 0, 0, at(clock), out, False, False)

    reads = [read(0, "12:00"), read(0, "13:00", True), read(1, "08:00"), read(1, "08:30", True), read(2, "12:10")]
    world = SmallWorld(reads, {}, FIGURES)
    found = presume(world, (at("00:00"), at("24:00")), linked=True)
    assert found.possible.tolist() == [False, False, True, False, True]
    assert found.present.tolist() == [False, False, False, False, True]
