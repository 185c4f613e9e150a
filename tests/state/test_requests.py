"""What an outsider writes to the internal topics ends no worker and makes no second owner of a case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.combine import Combine
from schemas.decoding import decode_combine, decode_evaluate
from schemas.evaluate import Evaluate
from streams.steps.people import People
from streams.steps.requests import requests_of
from tests.simulation.kafka import Kafka
from tests.simulation.redis import RedisServer, private_server
from tests.state.test_reidentify import Batch, Surroundings

PERSON = "p1aaaaaaaaaaaaaaaaaaaaaaaaaa"
BAD: dict[str, list[Any]] = {
    "evaluate": [
        {}, {"case_id": ""}, {"case_id": " c"}, {"case_id": "c\u0000"}, {"case_id": 5}, {"case_id": "c" * 65}, [], 5,
        None, {"case_id": "c", "persons": "p"}, {"case_id": "c", "persons": [PERSON, None]},
        {"case_id": "c", "persons": ["079000000001"]},
        {"case_id": "c", "persons": [PERSON.upper()]},
        {"case_id": "c", "persons": [PERSON[:-1] + "b"]},  # decodes to the same 16 bytes
    ],
    "combine": [
        {}, {"person": None}, {"person": PERSON, "venue_id": "v"}, {"person": "079000000001"}, {"person": ""},
        {"venue_id": ""}, {"venue_id": "v "}, {"venue_id": ["v"]}, [], 5, None,
    ],
}  # fmt: skip
READ: dict[str, Any] = {
    "evaluate": (decode_evaluate, Evaluate.key, [{"case_id": f"c{n}"} for n in range(40)]),
    "combine": (decode_combine, Combine.key, [{"venue_id": f"v{n}"} for n in range(40)]),
}
"""How it is read, its key, good ones."""


class Around(Surroundings):
    """With as many partitions as a Kafka of tests."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(server)
        self.kafka = Kafka({"evaluate": 4, "combine": 4})

    def partition_of(self, topic: str, key: bytes) -> int:
        return self.kafka.partition_of(topic, key)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


@pytest.mark.parametrize("topic", ["evaluate", "combine"])
async def test_what_is_no_request_is_refused(server: RedisServer, topic: str) -> None:
    around = Around(server)
    decode, key, _ = READ[topic]
    batch = Batch(topic, [*BAD[topic], *[None] * 4])
    for message, value in zip(batch[-4:], (b"\xff", b"{", b"[" * 5000, b"NaN"), strict=True):
        message.value = value
    assert await requests_of(around.worker(), batch, decode, key) == []  # type: ignore[arg-type]
    said = [json.loads(out.value or b"") for out in around.sent]
    assert [reject["offset"] for reject in said] == list(range(len(batch)))
    assert [reject["reason"] for reject in said] == ["schema"] * len(BAD[topic]) + ["not_json"] * 4
    assert all(reject["topic"] == topic and ": expected" in reject["detail"] for reject in said)
    assert not any("079000000001" in reject["detail"] for reject in said)


@pytest.mark.parametrize("topic", ["evaluate", "combine"])
async def test_in_another_partition_than_its_keys_it_is_refused(server: RedisServer, topic: str) -> None:
    around = Around(server)
    decode, key, values = READ[topic]
    found = await requests_of(around.worker(), Batch(topic, values), decode, key)  # type: ignore[arg-type]
    assert 0 < len(found) < 40 and len(found) + len(around.sent) == 40
    assert {around.kafka.partition_of(topic, key(one).encode()) for one in found} == {0}


async def test_a_registry_says_that_it_goes_forward(server: RedisServer) -> None:
    """36 records of `people` beside a flood of scans took longer than a batch may be in hand without a word, and so did
    each next worker for them."""
    around = Surroundings(server)
    batch = Batch(
        "people", [{"op": "unlink", "code": f"{n:012}", "at": 1_767_600_000_000, "by": "An"} for n in range(36)]
    )
    await People(around.worker()).handle(batch)
    assert batch.steps_forward >= 36
