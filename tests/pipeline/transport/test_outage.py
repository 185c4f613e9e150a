"""The broker goes away for a while: nothing lost, workers stay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.runtime.embedded import EmbeddedKafka
from tests.pipeline.system import Servers, wait_until
from tests.pipeline.transport.scene import Scene


@pytest.fixture
def own(tmp_path: Path, servers: Servers) -> Iterator[Servers]:
    """A Kafka of its own: the others must not notice."""
    kafka = EmbeddedKafka(tmp_path / "kafka", heap="256m")
    kafka.start()
    yield Servers(kafka, tmp_path)
    kafka.stop()


@pytest.mark.parametrize(("how", "seconds"), [("kill", 5), pytest.param("stop", 20, marks=pytest.mark.faults)])
def test_the_broker_is_away(own: Servers, tmp_path: Path, how: str, seconds: int) -> None:
    with Scene(own, tmp_path) as scene:
        scene.produce(4_000)
        options = {"seconds": 0.1, "concurrency": 4, "faust": {"broker_max_poll_records": 100}}
        workers = [scene.start(**options), scene.start(**options)]
        wait_until(lambda: len(scene.said("END")) >= 8)
        own.kafka.kill() if how == "kill" else own.kafka.stop()
        time.sleep(seconds)
        assert all(worker.alive for worker in workers)
        own.kafka.start()
        scene.produce(4_000)
        scene.wait_seen(patience=60)
        scene.wait_committed(patience=30)
        assert scene.lost() == set()
        assert all(worker.alive for worker in workers)
        for worker in workers:
            assert len(worker.words().splitlines()) < 100 + 10 * seconds, "aiokafka's flood is kept back"
            assert worker.terminate() == 0


def test_a_broker_that_did_not_know_its_topics_when_they_were_shared_out(servers: Servers, tmp_path: Path) -> None:
    """As one that was just killed and came up again: the group is at rest, and nobody owns anything."""
    with Scene(servers, tmp_path, topic=False) as scene:
        workers = [scene.start(ready=False), scene.start(ready=False)]
        for worker in workers:
            wait_until(lambda worker=worker: "No partition metadata" in worker.words() or " ready" in worker.words())
        time.sleep(3)  # the group has come to rest
        scene.kafka.make_topic(scene.topic)
        scene.produce(400)
        scene.wait_seen(patience=20)
        for worker in workers:
            assert worker.terminate() == 0
