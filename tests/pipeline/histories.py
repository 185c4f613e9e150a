"""The worlds of tests/simulation, many of them for one system: each has persons, venues, cases and records of its own,
so that what must stand is what the brute force says of each world alone.

Policies hold for everybody. So the worlds lie in seasons, 40 days apart; each season has two or three policies. They
come by their topic, in any order with all else: rule 1, which looks at a scan once, finds one tolerance in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.pipeline.answers import Found, Sent
from tests.pipeline.system import KEY
from tests.reference.answer import World
from tests.reference.codes import canonical, exposure_id, pseudonym
from tests.reference.fields import date_text, local_day
from tests.reference.messages import Case
from tests.reference.policies import Policy
from tests.reference.secondary import content, secondary
from tests.simulation import makers
from tests.simulation.makers import DAY, MIDNIGHT, Makers, Message, as_json, forms_of
from tests.simulation.policies import some_policies

SEASONS = 6
SEASON = 40 * DAY
HAVE_GATES = (0, 1)
"""Seasons in which the second F1 of a case waits for a decision."""
PUBLISH_F2 = (3, 4, 5)
"""Seasons whose policies publish F2. They have no gates: who is held, which the way decides, decides which F2 are."""

NUMBERS = 60
"""Of persons, in each world; a multiple of four, since a number's rest by four is its form (makers.forms_of)."""


@dataclass(frozen=True)
class History:
    """One world's messages, once each; `policies` = all that the system comes to know."""

    messages: list[Sent]
    policies: Sequence[Policy]

    def world(self) -> World:
        """What the brute force makes of these alone, wherever they lie in Kafka. Nothing is too old."""
        records = [Found(m.topic, 0, at, m.timestamp or 0, *m[1:3], m.headers) for at, m in enumerate(self.messages)]
        return World(records, KEY.encode(), self.policies, 0)


def seasons(seed: int) -> list[list[Policy]]:
    """The policies of each season. Cases of a season find one of its own: its first is there before they are."""
    found = []
    for season in range(SEASONS):
        rng = Random(f"{seed}/season {season}")
        day = local_day(MIDNIGHT + season * SEASON)
        figures: list[Policy] = []
        while len(figures) < 2:
            figures = some_policies(rng, day)
        figures[0]["in_force_from"] = date_text(day - 3)
        for policy in figures:
            policy["id"] = f"s{season}-{policy['id']}"
            policy["scan"]["clock_tolerance"] = 300
            policy["cluster"] = {"cases": 2, "days": rng.choice((1, 7))}
            policy["contact"]["approval_above"] = 1 if season in HAVE_GATES else 1000
            if season in HAVE_GATES or rng.random() < 0.5:
                policy["case"] = {"before_days": 2, "after_days": 10}
            if season in PUBLISH_F2:
                _lets_chains_be(rng, policy)
        found.append(figures)
    return found


def _lets_chains_be(rng: Random, policy: Policy) -> None:
    """Wide windows and long stays, or few are F1 and nobody F2 (tests/simulation/second.py)."""
    policy["contact"] |= {"publish_f2": True, "approval_above": 1000, "latency_hours": 0, "min_minutes": 1}
    policy["contact"]["crowd_limit"] = rng.choice((500, 500, 2))
    policy["case"] = {"before_days": 2, "after_days": 10}
    for of_type in policy["venue"].values():
        of_type["dwell"] = rng.choice((5, 8, 12))


def policy_messages(policies: Sequence[Policy]) -> list[Sent]:
    return [Sent("policies", policy["id"].encode(), as_json(policy)) for policy in policies]


def make_history(seed: int, number: int, of_season: list[Policy], season: int, policies: Sequence[Policy]) -> History:
    """World `number`, as tests/simulation/worlds.make_world draws one, and decisions on cases besides."""
    drawn = _Own(Random(f"{seed}/history {number}"), of_season, number, season)
    found = drawn.scans() + drawn.venues() + drawn.cases() + drawn.empty_records()
    if drawn.rng.random() < 0.6:
        found += drawn.people() + drawn.decisions()
    return History([_sent(message) for message in found + drawn.decisions_on_cases()], policies)


def _sent(message: Message) -> Sent:
    """Of the times of records only those of scans say anything; others are of now, or Kafka throws them away."""
    timestamp = message.timestamp if message.topic == "scans" else None
    return Sent(message.topic, message.key, message.value, timestamp, message.headers)


class _Own(Makers):
    """Draws messages with names that no other world has."""

    def __init__(self, rng: Random, figures: Sequence[Policy], number: int, season: int) -> None:
        super().__init__(rng, figures, tiny=rng.random() < 0.25)
        self.name = f"w{number}-"
        persons, places = len(self.persons), len(self.places)
        if rng.random() < (0.8 if season in PUBLISH_F2 else 0.3):  # room for chains
            persons, places, self.tiny = rng.randint(5, 9), rng.choice((3, 4)), False
            self.minutes = rng.choice((40, 90, 240))
        self.persons = [forms_of(number * NUMBERS + n) for n in rng.sample(range(NUMBERS), persons)]
        self.places = [f"{self.name}v{n}" for n in range(places)]
        self.begin += season * SEASON

    def cases(self) -> list[Message]:
        """Some are wrong by a field or cut short (near_miss), so the id is changed in the text."""
        own = b'"case_id": "' + self.name.encode() + b"c"
        return [self._keyed(m._replace(value=m.value.replace(b'"case_id": "c', own))) for m in super().cases()]

    def people(self) -> list[Message]:
        return [self._keyed(message) for message in super().people()]

    def decisions(self) -> list[Message]:
        """On exposures of this world's cases, under the key of the system."""
        ids = {}
        for code in {canonical(person[0]) for person in self.persons}:
            for case in ("c0", "c1"):
                theirs = exposure_id(case, pseudonym(code, makers.KEY))
                ids[theirs.encode()] = exposure_id(self.name + case, pseudonym(code, KEY.encode())).encode()
        found = []
        for message in super().decisions():
            (theirs_,) = [id_ for id_ in ids if id_ in message.value]
            found.append(self._keyed(message._replace(value=message.value.replace(theirs_, ids[theirs_]))))
        return found

    def decisions_on_cases(self) -> list[Message]:
        """None, one or several of one case, some at one moment."""
        found = []
        for number in range(self.rng.choice((0, 1, 1, 2, 3))):
            said: dict[str, Any] = {
                "case_id": f"{self.name}c{self.rng.choice((0, 0, 1))}",
                "decision": self.rng.choice(("release", "refuse")),
                "at": self.time(self.begin + 2 * DAY + self.rng.randrange(2)),
                "by": "tracer",
            }
            found.append(self._keyed(Message("decisions", b"g%d" % number, as_json(said), 0)))
        return found

    def empty_records(self) -> list[Message]:
        return [self._keyed(message) for message in super().empty_records()]

    def _keyed(self, message: Message) -> Message:
        return message._replace(key=self.name.encode() + (message.key or b""))


def second_contents(world: World, case: Case) -> dict[str, dict[str, Any]]:
    """Id → record of every F2 of a case whose policy publishes them."""
    if case.status != "confirmed" or not world.policy(case)["contact"]["publish_f2"]:
        return {}
    found = secondary(world, case)
    records = [content(world, case, person, found) for person in found.via]
    return {record["exposure_id"]: record for record in records}
