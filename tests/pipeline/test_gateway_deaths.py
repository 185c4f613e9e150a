"""The gateway dies by kill -9 under load, Kafka comes late, goes, hangs: what was answered with 202 is in the topic."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.runtime.embedded import EmbeddedKafka
from tests.pipeline.broker import Kafka
from tests.pipeline.gateways import Gateway, make_topics
from tests.pipeline.system import Servers, wait_until
from tests.pipeline.terminals import Terminals


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """One that may be killed; not started."""
    kafka = EmbeddedKafka(tmp_path / "kafka", heap="256m")
    yield kafka
    kafka.stop()


def rounds(gateway: Gateway, load: Terminals, rng: random.Random, many: int) -> None:
    """kill -9 at a random instant, each time after scans were confirmed since the last."""
    for _ in range(many):
        before = load.confirmed
        wait_until(lambda before=before: load.confirmed > before, what="scans are confirmed")
        time.sleep(rng.random() * rng.choice((0.02, 0.2, 0.6)))
        gateway.kill()
        gateway.launch()


def finish(gateway: Gateway, load: Terminals, kafka: EmbeddedKafka, prefix: str = "") -> None:
    load.stop()
    gateway.drained()
    health = gateway.health()
    assert health["state"] == "ready" and health["damaged_bytes"] == 0
    scans, again = load.check(Kafka(kafka.address).read(prefix + "scans"))
    wait_until(lambda: not list(gateway.spool.glob("*.seg")), what="published segments are deleted")
    assert gateway.program is not None and gateway.program.terminate() == 0
    print(f" {load.confirmed} confirmed, {scans} in the topic, {again} again, answers {load.answers}", end="")


def test_killed_under_load_and_kafka_comes_late_and_goes(servers: Servers, tmp_path: Path) -> None:
    """The Kafka of all tests, to save a start: at first without the topic, later stopped for a while."""
    seed = random.randrange(1_000_000)
    print(f"\nseed {seed}", end="")
    rng = random.Random(seed)
    kafka, prefix = servers.kafka, servers.name()
    gateway = Gateway(tmp_path, kafka.address, prefix)
    try:
        gateway.start()
        with Terminals(gateway.url, 6, seed) as load:
            rounds(gateway, load, rng, 2)
            wait_until(gateway.answers)
            assert not gateway.health()["published"]
            make_topics(kafka, prefix)
            wait_until(lambda: gateway.health()["published"], what="something is published")
            rounds(gateway, load, rng, 2)
            kafka.stop()
            rounds(gateway, load, rng, 1)
            kafka.start()
            rounds(gateway, load, rng, 1)
            wait_until(gateway.answers)
            finish(gateway, load, kafka, prefix)
    finally:
        gateway.end()
        if not kafka.running():
            kafka.start()


@pytest.mark.faults
def test_thirty_deaths_and_a_minute_without_kafka(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"\nseed {seed}", end="")
    rng = random.Random(seed)
    gateway = Gateway(tmp_path, own_kafka.address)
    try:
        own_kafka.start()
        make_topics(own_kafka)
        gateway.start()
        with Terminals(gateway.url, 8, seed) as load:
            rounds(gateway, load, rng, 10)
            own_kafka.stop()
            away = time.monotonic()
            rounds(gateway, load, rng, 3)
            # The last one lives through the rest of the minute: past the time after which it gives its producer up.
            time.sleep(max(0.0, away + 60 - time.monotonic()))
            health = gateway.health()
            assert not health["kafka"] and health["state"] == "waiting" and health["oldest_waiting_seconds"] >= 50
            own_kafka.start()
            rounds(gateway, load, rng, 10)
            for _ in range(2):
                own_kafka.kill()
                rounds(gateway, load, rng, 2)
                own_kafka.start()
                rounds(gateway, load, rng, 2)
            _paused(own_kafka, 45)
            rounds(gateway, load, rng, 2)
            wait_until(gateway.answers)
            finish(gateway, load, own_kafka)
    finally:
        gateway.end()


def _paused(kafka: EmbeddedKafka, seconds: float) -> None:
    """A broker that hangs, and goes on with what it had in hand."""
    os.kill(kafka.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(kafka.pid, signal.SIGCONT)


@pytest.mark.faults
def test_one_that_lives_through_an_outage_publishes_once(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """The idempotent producer: what Kafka had taken before it died is not written again."""
    own_kafka.start()
    make_topics(own_kafka)
    gateway = Gateway(tmp_path, own_kafka.address).start()
    try:
        with Terminals(gateway.url, 4, 1) as load:
            wait_until(lambda: gateway.health()["published"] > 50)
            own_kafka.kill()
            wait_until(lambda: not gateway.health()["kafka"], what="it notices")
            own_kafka.start()
            load.stop()
            gateway.drained()
            scans, again = load.check(Kafka(own_kafka.address).read("scans"))
            assert scans == load.confirmed and again == 0
    finally:
        gateway.end()
