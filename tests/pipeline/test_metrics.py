"""A worker watched by Prometheus, on a real Kafka and Redis: the figures are what happened, and name nobody."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator

import pytest

from streams.runtime.process import free_port
from tests.pipeline.system import Servers, System, wait_until
from tests.runtime.test_metrics import values

NOW = int(time.time()) - 3600
CODES = [f"0790019900{n:02d}" for n in range(10)]


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(servers, tmp_path_factory.mktemp("metrics")) as running:
        yield running


def test_a_worker_tells_what_it_took_in_refused_published_and_how_late(system: System) -> None:
    scans = [
        {"scan_id": f"{m}", "venue_id": "pho", "person": code, "gateway_id": "g", "direction": way}
        | {"scanned_at": (NOW + 60 * m) * 1000}
        for code in CODES
        for m, way in ((0, "in"), (30, "out"))
    ]
    bad = [{**scans[0], "scanned_at": (NOW + 90_000) * 1000}, {**scans[0], "direction": CODES[0]}]
    case = {"case_id": "c1", "person": CODES[0], "status": "confirmed", "sampled_at": NOW * 1000}
    system.publish("scans", [*scans, *bad])
    system.publish("cases", [{**case, "reported_at": (NOW + 3000) * 1000, "reported_by": "desk"}], key="case_id")
    port = free_port()
    system.worker(TRUYVET_METRICS_PORT=str(port))
    system.settle()

    def scrape() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    wait_until(lambda: values(scrape()).get(("truyvet_lag_records", ())) == 0, what="a lag of 0")
    text = scrape()
    found = values(text)
    assert found["truyvet_scans_accepted_total", ()] == len(scans)
    reasons = {labels: many for (name, labels), many in found.items() if name == "truyvet_rejects_total"}
    assert reasons == {
        (("reason", "future"), ("topic", "scans")): 1,
        (("reason", "schema"), ("topic", "scans")): 1,
    }
    assert found["truyvet_published_total", (("topic", "exposures"),)] == len(CODES) - 1
    assert found["truyvet_published_total", (("topic", "rejects"),)] == 2
    assert found["truyvet_batch_records_sum", (("topic", "scans"),)] == len(scans) + len(bad)
    evaluated = found["truyvet_batch_age_seconds_count", (("topic", "evaluate"),)]
    assert evaluated >= 1
    assert found["truyvet_batch_age_seconds_sum", (("topic", "evaluate"),)] < 30 * evaluated
    assert not [code for code in CODES if code in text] and "pho" not in text


def test_nothing_listens_where_nobody_asked(system: System) -> None:
    import psutil

    worker = system.worker()
    assert [c for c in psutil.Process(worker.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN] == []
