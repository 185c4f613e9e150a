"""Erasures, holds, decisions and policies are in the audit log before they count, and once (rule 10)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.rules.policy import load_policies
from streams.state.people import PeopleTable
from streams.state.policies import PolicyTable
from streams.state.said import DECISIONS
from streams.steps.audit import Auditor, NotAudited
from streams.steps.decisions import Decisions
from streams.steps.people import People
from streams.steps.policies import Policies
from streams.steps.reidentify import linked
from streams.steps.worker import Worker
from tests.simulation.redis import RedisServer, private_server
from tests.state.test_reidentify import CARD, NOW, QR, Batch, Surroundings, name

AT = NOW // 1000
SAID = {"code": CARD, "by": "An", "at": NOW}
POLICY = {**tomllib.loads((Path(__file__).parents[1] / "reference" / "policy.toml").read_text()), "id": "new"}
RELEASE = {"case_id": "c-1", "decision": "release", "by": "An", "at": NOW}
CONFIRM = {"exposure_id": "0123456789abcdef" * 2, "decision": "confirm", "by": "An", "at": NOW}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


@pytest.fixture
def around(server: RedisServer) -> Surroundings:
    return Surroundings(server)


class Refusing:
    """An audit log that takes nothing."""

    async def write(self, *_: Any, **__: Any) -> Any:
        raise NotAudited("no Kafka")


def step(kind: type, around: Surroundings, auditor: Any = None) -> Any:
    """A step of a worker of its own: it knows nothing but what Redis holds."""
    worker: Worker = around.worker(auditor=auditor or Auditor(around, around))
    return kind(worker)


def said(around: Surroundings) -> list[tuple[str, str, str, str]]:
    return [(line.action, line.by, line.subject, line.outcome) for line in around.lines()]


MESSAGES = [
    (People, "people", {**SAID, "op": "erase"}, ("erase", "An", name(CARD), "done")),
    (People, "people", {**SAID, "op": "hold", "ground": "court"}, ("hold", "An", name(CARD), "done")),
    (People, "people", {**SAID, "op": "unhold", "ground": "court"}, ("hold", "An", name(CARD), "done")),
    (Decisions, "decisions", RELEASE, ("decision", "An", "c-1", "done")),
    (Decisions, "decisions", CONFIRM, ("decision", "An", CONFIRM["exposure_id"], "done")),
    (Policies, "policies", POLICY, ("policy", "truyvet worker", "new", "done")),
]


async def facts(around: Surroundings) -> int:
    """How many facts, decisions and policies are known."""
    people, policies = PeopleTable(), PolicyTable()
    await people.refresh(around)
    await policies.refresh(around)
    fields = [b"case/c-1", bytes.fromhex(str(CONFIRM["exposure_id"]))]
    return len(people.rows) + len(policies.rows) + len(await DECISIONS.read_many(around, fields))


@pytest.mark.parametrize(("kind", "topic", "message", "line"), MESSAGES)
async def test_a_message_is_on_record_once_however_often_it_comes(
    around: Surroundings, kind: type, topic: str, message: dict[str, Any], line: tuple[str, ...]
) -> None:
    for _ in range(2):
        await step(kind, around).handle(Batch(topic, [message, message]))
    assert said(around) == [line] and await facts(around) == 1


@pytest.mark.parametrize(("kind", "topic", "message", "line"), MESSAGES)
async def test_no_audit_no_effect(
    around: Surroundings, kind: type, topic: str, message: dict[str, Any], line: tuple[str, ...]
) -> None:
    with pytest.raises(NotAudited):
        await step(kind, around, Refusing()).handle(Batch(topic, [message]))
    assert await facts(around) == 0
    await step(kind, around).handle(Batch(topic, [message]))
    assert said(around) == [line] and await facts(around) == 1


async def test_an_erasure_under_a_hold_is_on_record_as_refused(around: Surroundings) -> None:
    hold, erase = {**SAID, "op": "hold", "ground": "court"}, {**SAID, "op": "erase"}
    await step(People, around).handle(Batch("people", [hold, erase]))
    assert [line[3] for line in said(around)] == ["done", "refused"]


async def test_who_typed_a_number_as_who_decides_stops_nobody(around: Surroundings) -> None:
    await step(Decisions, around).handle(Batch("decisions", [{**RELEASE, "by": "0912345678"}]))
    await step(People, around).handle(Batch("people", [{**SAID, "op": "erase", "by": "0912345678"}]))
    assert {line[1] for line in said(around)} == {"withheld: it looked like a personal code"}
    assert await facts(around) == 2


async def test_a_policy_in_conflict_is_no_policy_change(around: Surroundings) -> None:
    known = next(iter(load_policies(None))).id
    await step(Policies, around).handle(Batch("policies", [{**POLICY, "id": known, "in_force_from": "2030-01-01"}]))
    assert said(around) == [] and await facts(around) == 0
    assert [out.topic for out in around.sent] == ["rejects"]


async def test_linked_codes_are_looked_up_together_until_they_are_parted(around: Surroundings) -> None:
    def digests(*codes: str) -> list[bytes]:
        return sorted(around.worker().pseudonymiser.digest(code) for code in codes)

    both, (one,) = digests(CARD, QR), digests(CARD)
    await step(People, around).handle(Batch("people", [{**SAID, "op": "link", "same_as": QR}]))
    assert await (await linked(around))([one]) == {one: both}
    await step(People, around).handle(Batch("people", [{**SAID, "op": "unlink", "at": NOW + 1000}]))
    assert await (await linked(around))([one]) == {one: [one]}
