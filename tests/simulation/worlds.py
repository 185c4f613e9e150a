"""Small dense worlds: few persons and venues, minutes instead of hours, and as many ties, conflicts and corrections as
fit. Whatever a rule treats as a special case should come up in one of a few worlds, since each costs a history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from streams.rules.policy import Policies
from tests.reference import answer
from tests.reference.answer import Expected
from tests.reference.fields import local_day
from tests.reference.policies import Policy as PolicyDict
from tests.reference.records import InputRecord
from tests.simulation.makers import DAY, KEY, MIDNIGHT, MINUTE, Makers, Message, as_json, forms_of
from tests.simulation.outcomes import Outcome, outcome
from tests.simulation.policies import parsed, some_policies


@dataclass(frozen=True)
class World:
    """`earliest_ms`: a little before anything happened. The clock of the processes begins there, so that no case is so
    old that it is closed: forgetting hangs on the time, and has tests of its own. `expected` asks the brute force,
    `outcome` for all that is published. `lead`: so many messages come first where a race is wanted."""

    messages: list[Message]
    policies: Policies
    retention_days: int | None
    earliest_ms: int
    figures: list[PolicyDict] = field(repr=False, default_factory=list)
    lead: int = 0

    def expected(self, records: Iterable[InputRecord]) -> Expected:
        return self.outcome(records).expected

    def outcome(self, records: Iterable[InputRecord]) -> Outcome:
        world = answer.World(records, KEY, self.figures, self.retention_days)
        return outcome(world, self.exposures(world))

    def exposures(self, world: answer.World) -> dict[str, dict[str, Any]]:
        """All that stand or are held."""
        return world.exposures()


def make_world(seed: int) -> World:
    """Every fourth world is tiny: one case, one venue, a few scans."""
    rng = Random(f"{seed}/world")
    figures = some_policies(rng, local_day(MIDNIGHT))
    gates = close_gates(Random(f"{seed}/gates"), figures)
    makers = Makers(rng, figures, tiny=rng.random() < 0.25)
    messages = makers.scans() + makers.venues() + makers.cases() + makers.empty_records()
    if rng.random() < 0.4:
        messages += makers.people() + makers.decisions()
    if gates and rng.random() < 0.7:
        messages += makers.decisions_of_cases()
    return _world(rng, figures, messages)


def close_gates(rng: Random, figures: list[PolicyDict]) -> bool:
    """In a share of the worlds a few F1 are too many to be told without a decision; clusters are of more or fewer."""
    closed = rng.random() < 0.4
    for policy in figures:
        if closed:
            policy["contact"]["approval_above"] = rng.choice((1, 1, 2, 3))
        policy["cluster"] = {"cases": rng.choice((2, 2, 3)), "days": rng.choice((1, 7))}
        policy["contact"]["crowd_limit"] = rng.choice((500, 1, 2))
    return closed


def race_of_scans(seed: int) -> World:
    """A case is reported while its contacts are scanned at its venue, once each."""
    case, others = _case_and(5)
    here = [(other, minute, "v0", "in") for minute, other in enumerate(others)]
    return _race(seed, case, [(case, 0, "v0", "in"), (case, 30, "v0", "out")], here)


def race_of_cuts(seed: int) -> World:
    """A case is reported while its contacts, whose scans at its venue are known, are scanned elsewhere."""
    case, others = _case_and(8)
    here = [(other, minute, "v0", "in") for minute, other in enumerate(others)]
    there = [(other, minute + 3, "v1", "in") for minute, other in enumerate(others)]
    return _race(seed, case, [(case, 0, "v0", "in"), (case, 30, "v0", "out"), *here], there)


def race_of_own(seed: int) -> World:
    """A case is reported while the case itself is scanned, where its contacts are known to have been."""
    case, others = _case_and(3)
    here = [(other, minute, "v0", "in") for minute, other in enumerate(others)]
    return _race(seed, case, here, [(case, 2 * minute, f"v{minute % 2}", "in") for minute in range(6)])


Drawn = tuple[list[str], int, str, str]  # person, minute, venue, direction


def _case_and(contacts: int) -> tuple[list[str], list[list[str]]]:
    case, *others = (forms_of(number) for number in range(1, contacts + 2))
    return case, others


def _race(seed: int, case_person: list[str], before: list[Drawn], meanwhile: list[Drawn]) -> World:
    """Nothing comes after the race that could hide a scan and an evaluation that missed each other."""
    rng = Random(f"{seed}/race")
    figures = some_policies(rng, local_day(MIDNIGHT))[:1]
    figures[0]["scan"]["shared_code_limit"] = 60
    figures[0]["case"] = {"before_days": 2, "after_days": 10}
    figures[0]["contact"]["min_minutes"] = 1
    for of_type in figures[0]["venue"].values():
        of_type |= {"dwell": 10, "max_stay": 60}
    makers = Makers(rng, figures, tiny=True)
    messages = []
    for person, minute, venue, direction in [*before, *meanwhile]:
        content = makers.scan(person, makers.begin + minute * MINUTE, venue, direction, "visitor")
        messages.append(Message("scans", None, as_json(content), (makers.begin + 3600) * 1000))
    case = {**makers.case("c0", case_person), "status": "confirmed", "sampled_at": makers.begin * 1000}
    case = {name: value for name, value in case.items() if name not in ("onset_at", "isolated_at", "negative_at")}
    messages.append(Message("cases", b"c0", as_json(case), (makers.begin + DAY) * 1000))
    return _world(rng, figures, messages, len(before))


def _world(rng: Random, figures: list[PolicyDict], messages: list[Message], lead: int = 0) -> World:
    return World(
        messages,
        Policies(parsed(policy) for policy in figures),
        rng.choice((None, None, 0, 5)),
        (MIDNIGHT - 2 * DAY) * 1000,
        figures,
        lead,
    )


__all__ = ["KEY", "Message", "World", "make_world", "race_of_cuts", "race_of_own", "race_of_scans"]
