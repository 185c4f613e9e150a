"""From a scan to a code and back, on a real Redis: what ingest keeps, and that no audit means no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from nacl.public import PrivateKey, SealedBox

from schemas.audit import AuditLine
from streams.ports import Call, Out
from streams.rules.auditchain import read_line
from streams.rules.codes import Pseudonymiser, pseudonym_digest, pseudonym_text
from streams.rules.policy import load_policies
from streams.state import vault
from streams.state.generation import FORM
from streams.state.vault import Seals, WrongKey
from streams.steps.audit import Auditor, CodeInAudit, NotAudited
from streams.steps.cases import Cases
from streams.steps.clearing import clear
from streams.steps.ingest import Ingest
from streams.steps.reidentify import reidentify
from streams.steps.worker import Worker
from tests.simulation.redis import RedisServer, private_server

KEY = b"k" * 40
DESK = PrivateKey.generate()
NOW = 1_767_600_000_000
CARD, QR = "001099012345", "001|Trần Thị Bưởi|01011990|1|98765432101234|"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Surroundings:
    """Store, log and clock in one; `order` = what happened to the outside, in order."""

    def __init__(self, server: RedisServer) -> None:
        server.begin()
        self.server, self.sent, self.order, self.down = server, list[Out](), list[str](), False

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        self.order += [call.name for call in calls]
        return [self.server.call(call) for call in calls]

    async def send(self, records: Sequence[Out]) -> None:
        if self.down:
            raise ConnectionError("no Kafka")
        self.order += [f"send {out.topic}" for out in records]
        self.sent += records

    def now_ms(self) -> int:
        return NOW

    def worker(self, **more: Any) -> Worker:
        options: dict[str, Any] = {
            "store": self,
            "log": self,
            "clock": self,
            "pseudonymiser": Pseudonymiser(KEY),
            "policies": load_policies(None),
            "seal": lambda payload: payload,
            "generation": "g",
            "vault": Seals(SealedBox(DESK.public_key).encrypt),
        }
        self.server.call(Call("HSET", ("tv:gen",), ("id", "g", "state", "ready", "form", FORM)))
        self.server.call(Call("HSET", ("tv:off",), ("generation", "g")))
        return Worker(**{**options, **more})

    def lines(self) -> list[AuditLine]:
        return [line for out in self.sent if out.topic == "audit" and (line := read_line(out.value or b""))]


@pytest.fixture
def around(server: RedisServer) -> Surroundings:
    return Surroundings(server)


class Batch(list[Any]):
    """Messages of one partition."""

    def __init__(self, topic: str, values: Sequence[Any]) -> None:
        super().__init__(
            SimpleNamespace(
                topic=topic, partition=0, offset=n, timestamp=NOW, key=None, value=json.dumps(v).encode(), headers=()
            )
            for n, v in enumerate(values)
        )
        self.topic, self.partition, self.first_offset, self.last_offset = topic, 0, 0, len(values) - 1
        self.steps_forward = 0

    def alive(self) -> None:
        self.steps_forward += 1


def scan(person: str, at: int = NOW) -> dict[str, Any]:
    return {"scan_id": "s", "venue_id": "v", "person": person, "scanned_at": at, "gateway_id": "g"}


CASE = {
    "case_id": "c-1",
    "person": CARD,
    "status": "confirmed",
    "sampled_at": NOW,
    "reported_at": NOW,
    "reported_by": "An",
}


def opener(box: bytes) -> bytes:
    return bytes(SealedBox(DESK).decrypt(box))


def name(code: str) -> str:
    return pseudonym_text(Pseudonymiser(KEY).digest(code))


async def ask(around: Surroundings, *codes: str, **more: Any) -> list[tuple[tuple[str, ...], str | None]]:
    options: dict[str, Any] = {"by": "An", "reason": "call back", "case_id": "c-1", **more}
    answers = await reidentify(around, Auditor(around, around), opener, [name(c) for c in codes], **options)
    return [(answer.codes, answer.trouble) for answer in answers]


async def test_a_scanned_code_comes_back_in_canonical_form(around: Surroundings) -> None:
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD), [scan(QR), scan(f" {CARD} ")]]))
    assert await ask(around, CARD, QR, "never scanned") == [
        ((f"cccd:{CARD}",), None),
        (("qid:98765432101234",), None),
        ((), "the vault does not know it"),
    ]


async def test_the_code_is_kept_before_any_fact(around: Surroundings) -> None:
    """A worker that dies between the two must not leave a person whom nobody can call back."""
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD)]))
    assert around.order.index("vault_put") < around.order.index("add_person")


async def test_who_is_refused_leaves_no_code(around: Surroundings) -> None:
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD, NOW + 3_600_000), scan(QR)]))
    assert [found[0] for found in await ask(around, CARD, QR)] == [(), ("qid:98765432101234",)]


async def test_a_refused_scan_makes_nobody_younger(around: Surroundings) -> None:
    """An erasure would not reach whoever has a scan from a clock that is a year ahead."""
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD), scan(CARD, NOW + 86_400_000)]))
    digest = Pseudonymiser(KEY).digest(CARD)
    assert (await vault.read(around, [digest]))[digest].second == NOW // 1000


async def test_a_worker_asks_and_seals_once_for_a_person(around: Surroundings) -> None:
    ingest = Ingest(around.worker())
    await ingest.handle(Batch("scans", [scan(CARD)]))
    around.order.clear()
    await ingest.handle(Batch("scans", [scan(CARD)]))
    assert not [call for call in around.order if call.startswith("vault")]
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD)]))  # another worker asks, and seals nothing
    assert "vault_look" in around.order and "vault_put" not in around.order


async def test_who_is_met_again_another_week_is_kept_longer(around: Surroundings) -> None:
    """One long-lived worker, two weeks: in the second it tells the vault again, which lets codes go by that."""
    week = 7 * 86_400_000
    ingest = Ingest(around.worker())
    await ingest.handle(Batch("scans", [scan(CARD, NOW - 2 * week), scan(QR, NOW - 2 * week)]))
    await ingest.handle(Batch("scans", [scan(CARD, NOW - week)]))
    await ingest.handle(Batch("scans", [scan(CARD, NOW + week)]))  # refused: the worker's week does not follow it
    await ingest.handle(Batch("scans", [scan(CARD, NOW - week)]))
    assert await vault.sweep(around, (NOW - week) // 1000) == 1
    await ingest.handle(Batch("scans", [scan(CARD)]))
    assert await vault.sweep(around, NOW // 1000) == 0
    assert await ask(around, CARD, QR) == [((f"cccd:{CARD}",), None), ((), "the vault does not know it")]


async def test_a_case_whom_nobody_scanned_can_be_called_back(around: Surroundings) -> None:
    await Cases(around.worker()).handle(Batch("cases", [CASE]))
    assert await ask(around, CARD) == [((f"cccd:{CARD}",), None)]


async def test_a_rebuild_keeps_codes_and_erasures(around: Surroundings) -> None:
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD), scan(QR)]))
    await vault.forget(around, {Pseudonymiser(KEY).digest(QR): NOW // 1000})
    await clear(around, "g", 1)
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD), scan(QR)]))
    assert await ask(around, CARD, QR) == [((f"cccd:{CARD}",), None), ((), "its code was erased")]


async def test_each_look_is_a_line(around: Surroundings) -> None:
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD), scan(QR)]))
    await vault.forget(around, {Pseudonymiser(KEY).digest(QR): NOW // 1000})
    await ask(around, CARD, QR, "nobody")
    lines = around.lines()
    assert [(line.subject, line.outcome) for line in lines] == [
        (name(CARD), "done"),
        (name(QR), "destroyed"),
        (name("nobody"), "unknown"),
    ]
    assert {(line.action, line.by, line.reason, line.case_id) for line in lines} == {
        ("reidentify", "An", "call back", "c-1")
    }
    assert not any(text in (out.value or b"") for out in around.sent for text in (CARD.encode(), b"98765432101234"))


async def test_no_audit_no_answer(around: Surroundings) -> None:
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD)]))
    opened = []

    def watched(box: bytes) -> bytes:
        opened.append(box)
        return opener(box)

    asked = {"by": "An", "reason": "call back"}
    around.down = True
    with pytest.raises(NotAudited):
        await reidentify(around, Auditor(around, around), watched, [name(CARD)], **asked)
    around.down = False
    with pytest.raises(CodeInAudit):
        await reidentify(around, Auditor(around, around), watched, [name(CARD)], by="An", reason=f"for {CARD}")
    with pytest.raises(ValueError, match="not a pseudonym"):
        await reidentify(around, Auditor(around, around), watched, [name(CARD), CARD], **asked)
    assert opened == [] and around.lines() == []
    await reidentify(around, Auditor(around, around), watched, [name(CARD)], **asked)
    assert len(opened) == 1


async def test_the_escrow_answers_too_where_there_was_one(around: Surroundings) -> None:
    seal = SealedBox(DESK.public_key).encrypt
    offline = PrivateKey.generate()
    escrowed = around.worker(vault=Seals(seal, SealedBox(offline.public_key).encrypt))
    await Ingest(escrowed).handle(Batch("scans", [scan(CARD)]))
    await Ingest(around.worker()).handle(Batch("scans", [scan(QR)]))
    open_ = SealedBox(offline).decrypt
    auditor, asked = Auditor(around, around), [name(CARD), name(QR)]
    answers = await reidentify(around, auditor, open_, asked, by="An", reason="the desk's key is lost", escrow=True)
    assert [a.codes for a in answers] == [(f"cccd:{CARD}",), ()]
    assert answers[1].trouble == "its code was kept while no escrow key was set"


async def test_another_key_answers_nothing_and_says_so(around: Surroundings) -> None:
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD)]))

    def other(box: bytes) -> bytes:
        raise WrongKey("sealed to another key than the one at hand")

    (answer,) = await reidentify(around, Auditor(around, around), other, [name(CARD)], by="An", reason="call back")
    assert answer.codes == () and "another key" in (answer.trouble or "")


async def test_all_codes_of_a_person_come_back_together(around: Surroundings) -> None:
    """Links make several codes one person; whoever looks for one of them is answered with all that are kept."""
    await Ingest(around.worker()).handle(Batch("scans", [scan(CARD), scan(QR)]))
    members = sorted([pseudonym_digest(name(CARD)), pseudonym_digest(name(QR))])

    async def linked(digests: Sequence[bytes]) -> dict[bytes, Sequence[bytes]]:
        return dict.fromkeys(digests, members)

    assert await ask(around, QR, members=linked) == [((f"cccd:{CARD}", "qid:98765432101234"), None)]
    await vault.forget(around, {pseudonym_digest(name(QR)): NOW // 1000})
    assert await ask(around, QR, members=linked) == [((f"cccd:{CARD}",), None)]
