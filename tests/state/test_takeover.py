"""What a former owner reserved and never published, and nothing asks for any more: it must not stay begun for ever.

It happened: a worker was stopped between the two (SIGSTOP), what its follow-up rested on ended meanwhile, and
`truyvet wait` waited for that publication until its time was over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.rules.codes import pseudonym_text
from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.redis import RedisStore
from streams.state.standing import ALERT, CLUSTER, EXPOSURE, FOLLOWUP, Head, Standing
from streams.steps.combine import Combining
from streams.steps.evaluation import Evaluation
from tests.fuzz.workbench import Workbench
from tests.pipeline.answers import Sent
from tests.simulation.checks import OUTPUTS, appended
from tests.simulation.test_forgetting import report, scan
from tests.simulation.worlds import MIDNIGHT

NOBODY = b"n" * 16
RESERVED = Head(1, 0, b"-", b"\0" * 16)
"""Number 1 is used, nothing was ever published."""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Workbench]:
    """A case that nobody met, evaluated."""
    redis = EmbeddedRedis(tmp_path)
    redis.start()
    try:
        store = await RedisStore.open(redis.url)
        bench = Workbench(store, 1, partitions=1)
        bench.now = MIDNIGHT * 1000
        await bench.start()
        for message in (scan(1, "v1", MIDNIGHT - 7200), report("c1", 1, MIDNIGHT - 43_200)):
            bench.put(Sent(*message))
        await bench.work()
        yield bench
        await store.close()
    finally:
        redis.stop()


def _outputs(bench: Workbench) -> int:
    return sum(len(appended(bench.kafka, output.topic)) for output in OUTPUTS)


@pytest.mark.parametrize(
    ("line", "of", "entry"),
    [
        ("c", pseudonym_text(NOBODY), FOLLOWUP + NOBODY),
        ("c", "v1", CLUSTER + NOBODY),
        ("e", "c1", ALERT + NOBODY),
        ("e", "c1", EXPOSURE + NOBODY),
    ],
)
async def test_what_was_reserved_and_is_not_wanted_is_done(bench: Workbench, line: str, of: str, entry: bytes) -> None:
    former = Standing(bench.store, 0, line)
    await former.own()
    await former.reserve(of, {entry: RESERVED})
    assert await former.unconfirmed() == [of]

    heir = Combining(bench.worker) if line == "c" else Evaluation(bench.worker)
    before = _outputs(bench)
    await heir.take_over(0)
    standing = Standing(bench.store, 0, line)
    assert await standing.unconfirmed() == []
    # An exposure's raising may have been seen by somebody who does not wait for commits: its withdrawal says more.
    assert _outputs(bench) - before == (1 if entry[:1] == EXPOSURE else 0)
    assert (await standing.heads(of, [entry]))[entry].last >= 1, "the number must not be used again"
