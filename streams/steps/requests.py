"""What is asked for on the internal topics, `evaluate` and `combine`: what an outsider wrote there goes to `rejects`.

These topics are ours, but whoever reaches Kafka can write to them. A record that cannot be read would end its worker,
and each next one for the same record, for ever. One in another partition than its key's would make a second owner of
its case: two ledgers, two rows of revisions for one exposure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from schemas.decoding import Problem
from schemas.problem import SCHEMA
from schemas.reading import Headers
from streams.ports import Batch
from streams.state import refusals
from streams.steps.rejects import refusal, reject
from streams.steps.worker import Worker

Request = TypeVar("Request")


async def requests_of(
    worker: Worker,
    batch: Batch,
    decode: Callable[[bytes | None, Headers], Request | Problem | None],
    key: Callable[[Request], str],
) -> list[Request]:
    """The requests of a batch; what is none has its reject when this returns."""
    good: list[Request] = []
    bad = []
    for message in batch:
        found = decode(message.value, message.headers)
        if found is None:
            continue
        if not isinstance(found, Problem):
            if worker.log.partition_of(batch.topic, key(found).encode()) == batch.partition:
                good.append(found)
                continue
            found = Problem(SCHEMA, ": expected to be in the partition of its key", None, message.value or b"")
        bad.append((found, message))
    if bad:
        worker.meters.refused(batch.topic, [problem.reason for problem, _ in bad])
        await refusals.add(worker.store, [refusal(problem, message, batch.topic) for problem, message in bad])
        now_ms = worker.clock.now_ms()
        await worker.log.send([reject(p, message, batch.topic, now_ms, worker.seal) for p, message in bad])
    return good
