"""The Faust app of a worker, on the batch transport, and Faust's settings (transport.md, section 7)."""

from __future__ import annotations

import tempfile
from typing import Any

import faust
from faust.types import TP

from streams.runtime.batch import Batching, BatchSchema
from streams.runtime.settings import Settings

MAX_RECORDS = 5000  # of one batch
FETCH_BYTES = 1 << 20  # of one partition, compressed: both limits are needed, a fetch of small records holds 100,000
METADATA_MS = 5000
DAY = 86400.0


class BatchApp(faust.App):
    """A Faust app whose agents take batches. It keeps nothing on disk. `failure`: what the first batch failed with."""

    def __init__(self, *args: Any, batching: Batching, **kwargs: Any) -> None:
        self.batching = batching
        self.failure: BaseException | None = None
        super().__init__(*args, **kwargs)

    def _create_directories(self) -> None:
        """Faust's would hold tables, and there are none."""


def make_app(settings: Settings, batching: Batching, *, group: str = "truyvet", **more: Any) -> BatchApp:
    """`group` gets the topic prefix in front: systems that share a Kafka are told apart by it. `more`: Faust's own."""
    servers = [server.strip() for server in settings.kafka.split(",")]
    options: dict[str, Any] = {
        "broker": [f"batch://{server}" for server in servers],
        "broker_max_poll_records": MAX_RECORDS,
        "consumer_max_fetch_size": FETCH_BYTES,
        "broker_max_poll_interval": DAY,
        "broker_commit_interval": 1.0,
        "broker_session_timeout": settings.session_seconds,
        "broker_heartbeat_interval": min(3.0, settings.session_seconds / 4),
        "broker_request_timeout": max(40.0, settings.session_seconds + 10.0),
        "broker_rebalance_timeout": 2.0 * batching.timeout,
        "consumer_auto_offset_reset": "earliest",
        # A broker that was killed and comes up knows no topics for a moment. Where the group shares its partitions out
        # in that moment, nobody gets any; and who fetches nothing asks again only when what it knows is this old.
        "consumer_metadata_max_age_ms": METADATA_MS,
        "stream_wait_empty": True,
        "table_standby_replicas": 0,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "autodiscover": False,
        "web_enabled": False,
        "store": "memory://",
        "datadir": tempfile.gettempdir(),
        "producer_linger": 0.0,
    }
    return BatchApp(f"{settings.topic_prefix}{group}", batching=batching, **{**options, **more})


def batches_of(app: BatchApp, topic: str) -> Any:
    """The topic (without prefix) for an agent that takes batches."""
    return app.topic(app.batching.topic_prefix + topic, schema=BatchSchema())


def place_of(tp: TP, prefix: str) -> tuple[str, int]:
    """(topic without prefix, partition)."""
    return tp.topic.removeprefix(prefix), tp.partition
