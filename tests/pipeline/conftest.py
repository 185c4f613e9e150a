"""One real Kafka for all pipeline tests of a run; a Redis is started by whoever needs one (it is up in 50 ms)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.runtime.embedded import EmbeddedKafka
from tests.pipeline.mishaps import own_kafka
from tests.pipeline.system import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("servers")
    kafka = EmbeddedKafka(folder / "kafka")
    kafka.start()
    yield Servers(kafka, folder)
    kafka.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Servers]:
    """One of the test's own, to be stopped and killed."""
    kafka = own_kafka(tmp_path)
    yield Servers(kafka, tmp_path)
    kafka.stop()
