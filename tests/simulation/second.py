"""Worlds whose policies publish F2 (rule 6): chains of persons over several venues, few of them beside the case."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from streams.rules.policy import Policies
from tests.reference import answer
from tests.reference.fields import local_day
from tests.reference.secondary import content, secondary
from tests.simulation.makers import MIDNIGHT, MINUTE, Makers, Message, as_json, forms_of
from tests.simulation.policies import parsed, some_policies
from tests.simulation.worlds import World, close_gates


@dataclass(frozen=True)
class SecondWorld(World):
    """`exposures` holds F2 as well."""

    def exposures(self, world: answer.World) -> dict[str, dict[str, Any]]:
        exposures = world.exposures()
        for case in world.cases.values():
            if case.status == "confirmed" and world.policy(case)["contact"]["publish_f2"]:
                found = secondary(world, case)
                for person in found.via:
                    record = content(world, case, person, found)
                    exposures[record["exposure_id"]] = record
        return exposures


def make_second_world(seed: int) -> SecondWorld:
    """Some policies publish F2 and some do not, so that a case may go from one to the other."""
    rng = Random(f"{seed}/second")
    figures = some_policies(rng, local_day(MIDNIGHT))
    close_gates(Random(f"{seed}/gates"), figures)
    for policy in figures:
        policy["contact"]["publish_f2"] = rng.random() < 0.9
        policy["contact"]["latency_hours"] = rng.choice((0, 0, 0, 1))
        policy["contact"]["crowd_limit"] = rng.choice((500, 500, 2))
        policy["contact"]["min_minutes"] = 1
        policy["case"] = {"before_days": 2, "after_days": 10}
        for of_type in policy["venue"].values():
            of_type["dwell"] = rng.choice((5, 8, 12))
    makers = Makers(rng, figures, tiny=False)
    makers.persons = [forms_of(number) for number in rng.sample(range(1, 60), rng.randint(5, 9))]
    makers.places = [f"v{n}" for n in range(rng.choice((3, 4)))]
    makers.minutes = rng.choice((40, 90, 240))
    messages = makers.scans() + makers.venues() + makers.cases()
    if rng.random() < 0.3:
        messages += makers.people()
    if rng.random() < 0.3:
        messages += makers.decisions_of_cases()
    return _world(rng, figures, messages)


def race_of_second(seed: int) -> SecondWorld:
    """A case is reported, and its contact known, while others are scanned where the contact went afterwards."""
    rng = Random(f"{seed}/second race")
    figures = some_policies(rng, local_day(MIDNIGHT))[:1]
    figures[0]["scan"]["shared_code_limit"] = 60
    figures[0]["case"] = {"before_days": 2, "after_days": 10}
    figures[0]["contact"] |= {"min_minutes": 1, "publish_f2": True, "latency_hours": 0, "crowd_limit": 500}
    for of_type in figures[0]["venue"].values():
        of_type |= {"dwell": 10, "max_stay": 60, "linger": 0}
    makers = Makers(rng, figures, tiny=True)
    case_person, contact, *others = (forms_of(number) for number in range(1, 8))
    scans = [(case_person, 0, "v0", "in"), (case_person, 9, "v0", "out"), (contact, 2, "v0", "in")]
    scans += [(contact, 20, "v1", "in"), (contact, 50, "v1", "out")]
    lead = len(scans)
    scans += [(other, 21 + minute, "v1", "in") for minute, other in enumerate(others)]
    scans += [(other, 24 + minute, "v2", "in") for minute, other in enumerate(others)]  # which only cuts
    messages = []
    for person, minute, venue, direction in scans:
        value = as_json(makers.scan(person, makers.begin + minute * MINUTE, venue, direction, "visitor"))
        messages.append(Message("scans", None, value, (makers.begin + 7200) * 1000))
    case = {**makers.case("c0", case_person), "status": "confirmed", "sampled_at": makers.begin * 1000}
    case = {name: value for name, value in case.items() if name not in ("onset_at", "isolated_at", "negative_at")}
    messages.append(Message("cases", b"c0", as_json(case), (makers.begin + 86400) * 1000))
    return _world(rng, figures, messages, lead)


def _world(rng: Random, figures: list[answer.Policy], messages: list[Message], lead: int = 0) -> SecondWorld:
    policies = Policies(parsed(policy) for policy in figures)
    return SecondWorld(messages, policies, rng.choice((None, 0)), (MIDNIGHT - 2 * 86400) * 1000, figures, lead)
