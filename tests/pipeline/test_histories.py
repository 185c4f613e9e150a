"""A hundred small worlds through one real system: scans, registries, cases, people, decisions, policies in any order,
some of them twice, while workers die. Then everything is what the brute force says of each world: exposures (F1, and F2
where a policy publishes them), how many are held, alerts, clusters, follow-ups, status of cases, F2 on demand, rejects.

The same in thousands, with faults at any instant: tests/simulation. A run is repeated by the seed that it prints:
TRUYVET_TEST_HISTORIES=123456 .venv/bin/pytest -s tests/pipeline/test_histories.py (fewer: TRUYVET_TEST_WORLDS=20)
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from console.asking import asking
from streams.steps.f2 import Chain, f2_of
from tests.pipeline.answers import (
    INPUTS,
    POLICY,
    bare,
    check_revisions,
    differences,
    in_redis,
    last_records,
    records,
    send,
    standing,
)
from tests.pipeline.crew import Crew
from tests.pipeline.histories import make_history, policy_messages, seasons, second_contents
from tests.pipeline.system import KEY, Servers, System
from tests.pipeline.test_deaths import taken_in, wait_for_work
from tests.reference.answer import World
from tests.reference.codes import exposure_id
from tests.reference.fields import time_text
from tests.reference.life import clusters, decision_on, gate_is_closed, venue_alerts
from tests.reference.messages import Case
from tests.reference.secondary import Crowd, Secondary, secondary
from tests.reference.spans import overlap
from tests.reference.window import infectious_window

SEED = int(os.environ.get("TRUYVET_TEST_HISTORIES") or random.randrange(1_000_000))
WORLDS = int(os.environ.get("TRUYVET_TEST_WORLDS") or 100)
BATCHES = 6
DEATHS_AFTER = (1, 3, 5)
ABOUT = (
    *("F1 stand", "F2", "F2 stand", "gates", "held F1", "withdrawn", "alerts", "clusters"),
    *("decided", "link", "unlink", "erase"),
)
"""What must come up in a hundred worlds, or they test less than they say. How much, the seed decides."""

Contents = dict[str, dict[str, Any]]


def test_a_hundred_histories(servers: Servers, tmp_path: Path) -> None:
    print(f"\nTRUYVET_TEST_HISTORIES={SEED}", end="")
    rng = random.Random(f"{SEED}/order")
    of_season = seasons(SEED)
    policies = [POLICY, *(policy for some in of_season for policy in some)]
    histories = []
    for number in range(WORLDS):
        season = number % len(of_season)
        histories.append(make_history(SEED, number, of_season[season], season, policies))
    messages = policy_messages(policies[1:]) + [message for history in histories for message in history.messages]
    messages += rng.sample(messages, len(messages) * 15 // 100)
    rng.shuffle(messages)

    env = {"TRUYVET_RETENTION_DAYS": "0", "TRUYVET_SESSION_SECONDS": "2", "TRUYVET_BATCH_SECONDS": "150"}
    system = System(servers, tmp_path, env=env)
    # The records bear the times of their scans: with a topic's ordinary retention Kafka would throw them away.
    forever = {"cleanup.policy": "delete", "retention.ms": "-1", "message.timestamp.type": "CreateTime"}
    system.kafka.make_topic(system.prefix + "scans", **forever)
    with system:
        crew = Crew(system, 2)
        for turn in range(BATCHES):
            before = taken_in(system)
            send(system, messages[turn::BATCHES])
            wait_for_work(system, before)
            time.sleep(rng.random() * 2)
            crew.look()
            if turn in DEATHS_AFTER:
                crew.kill(rng.choice(crew.living))
        crew.settle(300.0)
        worlds = [history.world() for history in histories]
        whole = World(records(system, *INPUTS), KEY.encode(), policies, 0)
        compared = _Compared(system, worlds)
        wrong = list(compared.differences())
        assert not wrong, f"{len(wrong)} differences, {SEED=}:\n" + "\n".join(wrong[:30])
        said = {(r.key or b"").decode(): json.loads(r.value or b"{}")["reason"] for r in records(system, "rejects")}
        assert said == whole.rejects
        check_revisions(system)
        counts = _counts(compared, said)
        print(f": {len(messages)} messages, {crew.again} workers began again, {dict(sorted(counts.items()))}", end="")
        for name in ABOUT:
            assert counts[name] > 0 or WORLDS < 100, f"none came up: {name}"


class _Compared:
    """What the system says of these worlds, against them."""

    def __init__(self, system: System, worlds: list[World]) -> None:
        self.system, self.worlds = system, worlds
        self.cases = [(world, case) for world in worlds for case in world.cases.values()]
        self.exposures = last_records(system)
        self.stands = standing(self.exposures)
        self.status = self._status()

    def differences(self) -> Iterator[str]:
        """In words, each with where it is."""
        for where, have, want in (
            ("exposures", self.stands, self._exposures()),
            ("Redis", standing(in_redis(self.system)), self.stands),
            ("case-status", self._said("case-status", "state", "policy", "f1", "held"), self.status),
            ("venue-alerts", self._said("venue-alerts"), self._alerts()),
            ("followups", self._said("followups"), self._followups()),
            ("clusters", self._said("clusters"), self._clusters()),
            ("f2", *self._chains()),
        ):
            yield from (f"{where}: {text}" for text in differences(have, want))

    def _said(self, topic: str, *fields: str) -> Contents:
        """Id → the last record of it on the topic, unless that takes it back; without its path."""
        last = {r.key.decode(): json.loads(r.value) if r.value else {} for r in records(self.system, topic) if r.key}
        there = {key: body for key, body in last.items() if body and body.get("status") != "withdrawn"}
        bodies = {key: {n: v for n, v in bare(body).items() if n in (fields or body)} for key, body in there.items()}
        return {key: {n: v for n, v in body.items() if n != "evaluated_at"} for key, body in bodies.items()}

    def _exposures(self) -> Contents:
        """F1 of a case whose gate is closed may be held, or stand since before: which of them, the way decides."""
        wanted: Contents = {}
        for world in self.worlds:
            wanted |= world.exposures()
        for world, case in self.cases:
            wanted |= second_contents(world, case)
            if gate_is_closed(world, case):
                for key in _f1_ids(world, case) - self.stands.keys():
                    del wanted[key]
        return wanted

    def _status(self) -> Contents:
        found = {}
        for world, case in self.cases:
            f1, state = _f1_ids(world, case), "open"
            if case.status != "confirmed":
                state = "withdrawn"
            elif gate_is_closed(world, case):
                state = "refused" if decision_on(world, case) == "refuse" else "held"
            held = len(f1 - self.stands.keys())
            found[case.case] = {"state": state, "policy": world.policy(case)["id"], "f1": len(f1), "held": held}
        return found

    def _alerts(self) -> Contents:
        return {key: alert for world, case in self.cases for key, alert in venue_alerts(world, case).items()}

    def _clusters(self) -> Contents:
        return {key: cluster for world in self.worlds for key, cluster in clusters(world).items()}

    def _followups(self) -> Contents:
        """Of what stands (which is compared above): one notice a person, the strongest band, the latest dates."""
        of: dict[str, list[dict[str, Any]]] = {}
        for content in self.stands.values():
            if content["level"] == "F1":
                of.setdefault(content["person"], []).append(content)
        return {
            person: {
                "person": person,
                "exposures": sorted(content["exposure_id"] for content in some),
                "band": min((content["band"] for content in some), key=("high", "medium", "low").index),
                "follow_up_until": max(content["advice"]["follow_up_until"] for content in some),
                "test_on": max(content["advice"]["test_on"] for content in some),
            }
            for person, some in of.items()
        }

    def _chains(self) -> tuple[Contents, Contents]:
        """`truyvet f2` of every case, and what it must say."""
        have, want = {}, {}
        for (world, case), chain in zip(self.cases, asyncio.run(self._ask()), strict=True):
            assert chain is not None, case.case
            have[case.case] = {
                "f1": chain.f1,
                "via": {f2.person: f2.via for f2 in chain.f2},
                "crowds": sorted((c.person, c.venue_id, c.start, c.end) for c in chain.crowds),
            }
            found = secondary(world, case)
            want[case.case] = {
                "f1": sorted(world.f1(case)),
                "via": found.via,
                "crowds": sorted((c.person, c.venue, *map(time_text, c.span)) for c in _told(world, case, found)),
            }
        return have, want

    async def _ask(self) -> list[Chain | None]:
        async with asking(self.system.settings()) as worker:
            return [await f2_of(worker, case.case) for _, case in self.cases]


def _told(world: World, case: Case, found: Secondary) -> list[Crowd]:
    """The brute force lists every crowd that an F1 was in, also long before it could carry anything."""
    window, latency = infectious_window(case, world.policy(case)), world.policy(case)["contact"]["latency_hours"] * 3600
    begins = {person: episodes[0].start + latency for person, episodes in world.f1(case).items()}
    return [c for c in found.crowds if window and overlap(c.span, (begins[c.person], window[1]))]


def _f1_ids(world: World, case: Case) -> set[str]:
    return {exposure_id(case.case, person) for person in world.f1(case)}


def _counts(compared: _Compared, rejects: dict[str, str]) -> Counter[str]:
    """Of what came up."""
    found = Counter(f"{content['level']} stand" for content in compared.stands.values())
    for _, case in compared.cases:
        found["cases"] += 1
        found[compared.status[case.case]["state"]] += 1
        found["gates"] += compared.status[case.case]["state"] in ("held", "refused")
        found["held F1"] += compared.status[case.case]["held"]
    found["withdrawn exposures"] = len(compared.exposures) - len(compared.stands)
    found["decided"] = sum(content["certainty"] != "co-presence" for content in compared.stands.values())
    for world in compared.worlds:
        found.update(f"{record.op}" for record in world.people)
        found["alerts"] += sum(len(venue_alerts(world, case)) for case in world.cases.values())
        found["clusters"] += len(clusters(world))
        found["F2"] += sum(len(secondary(world, case).via) for case in world.cases.values())
    found["rejects"] = len(rejects)
    return found
