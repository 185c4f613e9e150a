"""One real Kafka for all pipeline tests of a run; a Redis is started by whoever needs one (it is up in 50 ms)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.runtime.embedded import EmbeddedKafka
from tests.pipeline.system import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("servers")
    kafka = EmbeddedKafka(folder / "kafka")
    kafka.start()
    yield Servers(kafka, folder)
    kafka.stop()
