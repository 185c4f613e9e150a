"""What a worker tells Prometheus, and that nobody is measured for where nobody asks."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agents.registry import _timed
from streams.ports import NoMeters, Out
from streams.runtime.metrics import METRICS, TRIES, Timed, Watched, listen
from streams.runtime.settings import SettingError, Settings
from tests.simulation.kafka import Record
from tests.simulation.process import SimulatedBatch


def settings(**values: str) -> Settings:
    return Settings.load(values, dotenv=Path("/nonexistent"), run_file=None)


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def free_ports() -> int:
    """A port with `TRIES` free ones from it on, as far as anybody can say."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return min(int(probe.getsockname()[1]), 65_000)


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def records(*stamps: int) -> list[Record]:
    return [Record("scans", 0, i, stamp, None, b"{}") for i, stamp in enumerate(stamps)]


def test_two_workers_of_one_machine_answer_on_two_ports() -> None:
    port = free_ports()
    wanted = settings(TRUYVET_METRICS_PORT=str(port))
    first, second = Watched(), Watched()
    closes = [listen(wanted, first), listen(wanted, second)]
    try:
        first.took_in(7)
        first.took_in(5)
        first.refused("scans", ["schema", "future", "schema"])
        first.sent([Out("rejects", b"k", b"v")] * 3 + [Out("evaluate", b"k", b"v")])
        first.lag(12)
        first.batch_done(SimulatedBatch(records(1_000_000, 1_004_000)), 0.2, 1_006.0)
        found = values(scrape(port))
        assert found["truyvet_scans_accepted_total", ()] == 12
        assert found["truyvet_rejects_total", (("reason", "schema"), ("topic", "scans"))] == 2
        assert found["truyvet_published_total", (("topic", "rejects"),)] == 3
        assert (found["truyvet_lag_records", ()], found["truyvet_lag_known", ()]) == (12, 1)
        # The oldest record's age, not the newest one's.
        assert found["truyvet_batch_age_seconds_sum", (("topic", "scans"),)] == 6
        assert found["truyvet_batch_age_seconds_bucket", (("le", "5.0"), ("topic", "scans"))] == 0
        assert found["truyvet_batch_records_sum", (("topic", "scans"),)] == 2
        assert found["truyvet_batch_seconds_count", (("topic", "scans"),)] == 1
        assert any(name == "process_resident_memory_bytes" for name, _ in found)
        first.lag(None)
        assert values(scrape(port))["truyvet_lag_known", ()] == 0
        assert values(scrape(port))["truyvet_lag_records", ()] == 12
        assert any(
            values(scrape(other)).get(("truyvet_scans_accepted_total", ())) == 0 for other in (port + 1, port + 2)
        )
    finally:
        for close in closes:
            assert close is not None
            close()
    with pytest.raises(OSError):
        scrape(port)


def test_a_worker_works_where_no_port_is_free(caplog: pytest.LogCaptureFixture) -> None:
    held = []
    port = free_ports()
    for number in range(port, port + TRIES):
        one = socket.socket()
        try:
            one.bind(("127.0.0.1", number))
            one.listen()
        except OSError:
            pass
        held.append(one)
    try:
        assert listen(settings(TRUYVET_METRICS_PORT=str(port)), Watched()) is None
        assert f"no metrics: the ports {port} to {port + TRIES - 1} are taken" in caplog.text
        # An address of the documentation (RFC 5737): no machine has it.
        elsewhere = settings(TRUYVET_METRICS_PORT="9400", TRUYVET_METRICS_ADDRESS="192.0.2.1")
        assert listen(elsewhere, Watched()) is None
        assert "no metrics at 192.0.2.1" in caplog.text
    finally:
        for one in held:
            one.close()


async def test_a_step_is_timed_only_for_somebody() -> None:
    class Step:
        failed = False

        async def handle(self, batch: Any) -> None:
            if self.failed:
                raise RuntimeError

    class Worker:
        meters: Any = NoMeters()

    step, worker = Step(), Worker()
    assert _timed(step, worker) is step
    worker.meters = Watched()
    timed = _timed(step, worker)
    assert isinstance(timed, Timed)
    batch = SimulatedBatch(records(1))
    await timed.handle(batch)
    step.failed = True
    with pytest.raises(RuntimeError):
        await timed.handle(batch)
    read = worker.meters.registry.get_sample_value
    assert read("truyvet_batch_seconds_count", {"topic": "scans"}) == 1


def test_every_metric_is_described_and_well_named() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith("truyvet_") and len(metric.says) > 20, metric.name
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert bool(metric.buckets) == (metric.kind == "histogram") and list(metric.buckets) == sorted(metric.buckets)
        # Values of these are from closed lists; a label of another kind could carry somebody's code.
        assert set(metric.labels) <= {"topic", "reason"}, metric.name


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("TRUYVET_METRICS_PORT", "0", "from 1 to 65535"),
        ("TRUYVET_METRICS_PORT", "http", "a whole number"),
        ("TRUYVET_METRICS_ADDRESS", "localhost", "an IP address"),
    ],
)
def test_a_wrong_setting_ends_with_its_name(name: str, value: str, right: str) -> None:
    with pytest.raises(SettingError, match=right) as wrong:
        settings(**{name: value})
    assert wrong.value.name == name
    assert settings().metrics_port is None
