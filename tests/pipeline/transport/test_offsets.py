"""Where reading starts, what is not there any more, and what the transport refuses."""

from __future__ import annotations

from pathlib import Path

from streams.runtime.exits import FAILED
from tests.pipeline.system import Servers, wait_until
from tests.pipeline.transport.scene import Scene


def test_start_at_has_the_last_word(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(8_000)
        assert scene.committed() == {}
        first = scene.start(concurrency=4)
        scene.wait_seen()
        scene.wait_committed()
        assert first.terminate() == 0
        second = scene.start(start_at=1_500)
        wait_until(lambda: sum(scene.seen(1).values()) >= 2_000)
        assert second.terminate() == 0
        assert {p: sorted(offsets) for p, offsets in scene.order(1).items()} == {
            p: list(range(1_500, 2_000)) for p in range(4)
        }
        third = scene.start(start_at=0)
        wait_until(lambda: sum(scene.seen(2).values()) >= 8_000)
        assert third.terminate() == 0
        assert scene.twice() == 2_000 + 8_000


def test_the_log_begins_after_the_committed_offset(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(4_000)
        first = scene.start(faust={"broker_max_poll_records": 100}, seconds=0.3)
        wait_until(lambda: len(scene.said("END")) >= 4 and len(scene.committed()) == 4)
        assert first.terminate() == 0
        committed = scene.committed()
        scene.kafka.delete_before(scene.topic, {p: 900 for p in range(4)})
        second = scene.start(concurrency=4)
        wait_until(lambda: sum(scene.seen(1).values()) >= 400)
        scene.wait_committed()
        assert second.terminate() == 0
        assert second.words().count("GAP") == 4
        assert f"expected offset {committed[0]}, the next record is 900" in second.words()
        assert scene.lost() == {i for i in range(4_000) if committed[i % 4] <= i // 4 < 900}


def test_a_topic_without_batch_schema_is_refused(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(400)
        worker = scene.start(ready=False, wrong_schema=True)
        assert worker.wait(20) == FAILED
        assert "needs schema=BatchSchema()" in worker.words()
        assert scene.committed() == {}
        assert not scene.seen()


def test_a_codec_that_is_not_installed_ends_the_worker(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.produce(400, compression="lz4")
        worker = scene.start(ready=False, without_codec="lz4")
        assert worker.wait(30) == FAILED
        assert "UnsupportedCodec" in worker.words()
        assert scene.committed() == {}
        assert not scene.seen()
