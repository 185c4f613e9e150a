"""What Prometheus may ask of a worker: every metric there is, in one place, and how it is measured.

Off unless TRUYVET_METRICS_PORT is set. Measured a batch at a time: a scan costs nothing. Labels are topics and reasons
of rejects, both from closed lists; nothing of a person, a venue or a gateway is in a name, a label or a value.

`METRICS` is the list that deploy/grafana goes by (tests/house/test_grafana.py). Counters end in `_total`; histograms
give `_bucket`, `_sum` and `_count`. `process_…` (memory, CPU, open files) come from prometheus_client itself. A batch
that fails ends its worker and comes again: what a second delivery does is counted a second time.
"""

from __future__ import annotations

import errno
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, start_http_server
from prometheus_client import Counter as PromCounter

from streams.ports import Batch, Out

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

logger = logging.getLogger("truyvet.metrics")

TRIES = 16
"""Ports from the set one on that are tried: several workers on one machine have the same settings."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_AGES = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 7200, 86_400)
_COUNTS = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000)


class Metric(NamedTuple):
    """`kind`: counter, gauge or histogram; `buckets`: of a histogram."""

    name: str
    kind: str
    labels: tuple[str, ...]
    says: str
    buckets: tuple[float, ...] = ()


METRICS = (
    Metric("truyvet_batch_records", "histogram", ("topic",), "Records in a batch that was worked off.", _COUNTS),
    Metric("truyvet_batch_seconds", "histogram", ("topic",), "How long a batch was in hand.", _SECONDS),
    Metric(
        "truyvet_batch_age_seconds",
        "histogram",
        ("topic",),
        "From the oldest record's timestamp until its batch was done. Of the topic `evaluate` that is the time from a "
        "scan, case or correction that was taken in to the exposures that follow from it.",
        _AGES,
    ),
    Metric(
        "truyvet_scans_accepted_total", "counter", (), "Scans accepted (rule 1); one that comes again counts again."
    ),
    Metric("truyvet_rejects_total", "counter", ("topic", "reason"), "Records or scans refused, by reason (rule 1)."),
    Metric("truyvet_published_total", "counter", ("topic",), "Records sent and acknowledged, by topic."),
    Metric("truyvet_lag_records", "gauge", (), "Records of all inputs and internal topics that nobody worked off yet."),
    Metric("truyvet_lag_known", "gauge", (), "1 while Kafka says what the lag is, else 0: truyvet_lag_records is old."),
)
_MAKE: dict[str, Callable[..., Any]] = {"counter": PromCounter, "gauge": Gauge, "histogram": Histogram}


class Watched:
    """The meters of one worker process; `streams.ports.Meters` and more."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._of: dict[str, Any] = {}
        for metric in METRICS:
            more = {"buckets": metric.buckets} if metric.buckets else {}
            self._of[metric.name] = _MAKE[metric.kind](
                metric.name, metric.says, metric.labels, registry=self.registry, **more
            )

    def took_in(self, scans: int) -> None:
        self._of["truyvet_scans_accepted_total"].inc(scans)

    def refused(self, topic: str, reasons: Iterable[str]) -> None:
        for reason, many in Counter(reasons).items():
            self._of["truyvet_rejects_total"].labels(topic, reason).inc(many)

    def sent(self, records: Sequence[Out]) -> None:
        """Acknowledged by Kafka."""
        for topic, many in Counter(record.topic for record in records).items():
            self._of["truyvet_published_total"].labels(topic).inc(many)

    def lag(self, records: int | None) -> None:
        self._of["truyvet_lag_known"].set(records is not None)
        if records is not None:
            self._of["truyvet_lag_records"].set(records)

    def batch_done(self, batch: Batch, seconds: float, now: float) -> None:
        """`seconds` it was in hand; `now` in seconds UTC."""
        oldest = min((message.timestamp for message in batch), default=0) / 1000
        self._of["truyvet_batch_records"].labels(batch.topic).observe(len(batch))
        self._of["truyvet_batch_seconds"].labels(batch.topic).observe(seconds)
        # A broker's clock may be ahead of ours.
        self._of["truyvet_batch_age_seconds"].labels(batch.topic).observe(max(0.0, now - oldest))


class Timed:
    """A step whose batches are measured. One that fails is not: it ends the worker and comes again."""

    def __init__(self, step: Any, meters: Watched) -> None:
        self._step, self._meters = step, meters

    async def handle(self, batch: Batch) -> None:
        began = time.perf_counter()
        await self._step.handle(batch)
        self._meters.batch_done(batch, time.perf_counter() - began, time.time())


def listen(settings: Settings, meters: Watched) -> Callable[[], None] | None:
    """Answer Prometheus from a thread of its own; what ends that. None where no port of the sixteen is free.

    A worker that cannot be watched traces all the same.
    """
    assert settings.metrics_port is not None
    for port in range(settings.metrics_port, min(settings.metrics_port + TRIES, 65_536)):
        try:
            server, thread = start_http_server(port, settings.metrics_address, meters.registry)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            logger.warning("no metrics at %s port %d: %s", settings.metrics_address, port, error.strerror)
            return None
        logger.info("metrics at http://%s:%d/metrics", settings.metrics_address, port)
        return partial(_close, server, thread)
    logger.warning("no metrics: the ports %d to %d are taken", settings.metrics_port, settings.metrics_port + TRIES - 1)
    return None


def _close(server: WSGIServer, thread: Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join()
