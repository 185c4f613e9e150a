"""Where the cases of `truyvet bench case` have been: to the busy places of its town, on every day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from console.bench.town import DAYS, Town, code_number

A_DAY = 3  # of two hours each: some 3,000 F1 in fourteen days
MANY_A_DAY = 6  # some 5,000
HOURS = 2.0
FIRST_NUMBER = 400_000_000  # of their scans: the town's are below


class Plan(NamedTuple):
    """An outing; `day` from 0, `hour` local."""

    day: int
    hour: float
    venue: int


class Outings:
    """`cases` and one to warm up with, one that meets many, and one that shares some places with the last of `cases`:
    the first `cases` + 3 people of the town."""

    def __init__(self, town: Town, cases: int) -> None:
        self.town = town
        self.people = list(range(cases + 3))
        plans = [self._plan(person, A_DAY) for person in self.people[: cases + 1]]
        plans.append(self._plan(self.people[cases + 1], MANY_A_DAY))
        plans.append([plan for plan in plans[cases] if plan.day in (3, 8)][:5])
        self.plans: Sequence[Sequence[Plan]] = plans

    def _plan(self, person: int, a_day: int) -> list[Plan]:
        """Every day at other busy places."""
        busy = self.town.busy
        times = [(day, i) for day in range(DAYS) for i in range(a_day)]
        return [Plan(day, 7 + i * 13 / a_day, (person * 5 + day * 3 + i) % busy) for day, i in times]

    def records(self) -> Iterator[bytes]:
        """Values for `scans`, an outing each."""
        for number, (person, plan) in enumerate(self._all(), FIRST_NUMBER + 1):
            yield self.town.outing(person, plan.day, plan.hour, plan.venue, HOURS, number)

    def rows(self) -> Iterator[tuple[int, int, int, int]]:
        """The same as (number on the card, venue, begin, end), seconds UTC."""
        for person, plan in self._all():
            begin, end = self.town.stay(plan.day, plan.hour, HOURS)
            yield code_number(self.town.people_from + person), self.town.venues_from + plan.venue, begin, end

    def _all(self) -> Iterator[tuple[int, Plan]]:
        for person, plans in zip(self.people, self.plans, strict=True):
            for plan in plans:
                yield person, plan
