"""The batch transport on a real broker: what works when nothing goes wrong. Each test counts ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.system import Servers
from tests.pipeline.transport.scene import Scene


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_everything_is_seen_once_and_committed(servers: Servers, tmp_path: Path, compression: str | None) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(20_000, compression=compression, batch=2_500)
        worker = scene.start(faust={"broker_max_poll_records": 1000})
        scene.wait_seen()
        scene.wait_committed()
        assert worker.terminate() == 0
        assert scene.lost() == set()
        assert scene.twice() == 0
        assert scene.committed() == scene.ends()
        assert max(batch[3] for batch in scene.said("END")) == 1000, "a fetch is cut at the cap, compressed or not"


def test_batches_of_four_partitions_at_once_and_in_order(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(8_000)
        worker = scene.start(concurrency=4, seconds=0.1, faust={"broker_max_poll_records": 200})
        scene.wait_seen()
        assert worker.terminate() == 0
        assert scene.said("TWICE") == [], "two batches of one partition at once"
        assert max(most for (most,) in scene.said("MOST")) == 4
        for offsets in scene.order().values():
            assert offsets == list(range(2_000))
