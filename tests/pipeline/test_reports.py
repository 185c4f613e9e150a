"""Coverage, reports, posters and exports on a real Kafka and Redis, through the command line."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from console.times import LOCAL
from streams.rules.auditchain import read_line
from streams.rules.poster import poster_key, poster_text
from tests.console import town
from tests.console.decoder import pages, read
from tests.pipeline.system import KEY, Servers, System


def _start() -> int:
    """Six hours ago, and earlier where most of the town's scans would be after the local midnight."""
    begin = datetime.fromtimestamp(int(time.time()) - 6 * 3600, LOCAL)
    return int(begin.replace(hour=min(begin.hour, 18)).timestamp()) * 1000


START = _start()
"""ms; the town's scans are shifted so that they begin here."""
SHIFT = START - town.MORNING
HOUR = 3_600_000
CASE = f"{999_000_000_000}"


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(servers, tmp_path_factory.mktemp("reports")) as running:
        for topic, key, records in (
            ("coverage", "area", [{**area, "as_of": "2026-01-01"} for area in town.AREAS]),
            ("organisations", "organisation", [{**b, "registered_at": town.REGISTERED} for b in town.ORGANISATIONS]),
            ("venues", "venue_id", [{**v, "province": "44", "registered_at": town.REGISTERED} for v in town.VENUES]),
            ("gateways", "gateway_id", [{"gateway_id": "g1", "registered_at": town.REGISTERED}]),
        ):
            running.publish(topic, records, key=key)
        scans = [{**scan, "scanned_at": scan["scanned_at"] + SHIFT} for scan in town.scans()]
        running.publish("scans", scans)
        case = {"case_id": "c1", "person": CASE, "status": "confirmed", "reported_by": "desk"}
        running.publish(
            "cases", [{**case, "sampled_at": START + 5 * HOUR, "reported_at": START + 5 * HOUR}], key="case_id"
        )
        running.worker()
        running.settle()
        yield running


def run(system: System, *words: str) -> str:
    done = system.run(*words)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_coverage_counts_what_was_published(system: System) -> None:
    day = f"{datetime.fromtimestamp(START / 1000, LOCAL):%Y-%m-%d}"
    found = json.loads(run(system, "coverage", "--day", day, "--json"))
    assert (found["settling"], found["state"], found["lag_records"]) == (True, "ready", 0)
    areas = {row["area"]: row for row in found["areas"]}
    scans = [scan for scan in town.scans() if scan["venue_id"] != "quan-la"]
    midnight = datetime.fromtimestamp(START / 1000, LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    that_day = [s for s in scans if s["scanned_at"] + SHIFT < (midnight.timestamp() + 86_400) * 1000]
    assert areas["44"]["scans"] == len(that_day) > 10
    assert [row["id"] for row in found["without"] if row["kind"] == "commune"] == ["19366"]
    assert found["unregistered"][0]["venue_id"] == "quan-la"
    assert found["without"][-1] == {"kind": "venue", "id": "lop-1", "name": "Lớp 1", "last_scan": "never"}
    assert next(g for g in found["gateways"] if g["gateway"] == "g1")["trouble"] == "late"
    assert len(found["trend"]) == 14 and found["trend"][-1]["date"] == day


def test_a_report_of_the_newest_day_is_a_page_and_a_paper(system: System, tmp_path: Path) -> None:
    for name in ("r.html", "r.pdf"):
        assert run(system, "report", "--area", "19363", "--out", str(tmp_path / name)) == f"{tmp_path / name}\n"
    assert "Đồng Hới" in (tmp_path / "r.html").read_text()
    assert pages((tmp_path / "r.pdf").read_bytes(), 1)


def test_posters_of_all_open_venues(system: System, tmp_path: Path) -> None:
    run(system, "poster", "--all", "--out", str(tmp_path / "p.pdf"))
    key = poster_key(KEY.encode())
    assert [read(page) for page in pages((tmp_path / "p.pdf").read_bytes())] == [
        [poster_text(venue_id, key)] for venue_id in ("benh-vien", "cho", "lop-1")
    ]


def test_an_export_is_on_record_and_names_nobody(system: System, tmp_path: Path) -> None:
    who = ("--by", "An", "--reason", "weekly hand-over")
    run(system, "export", "godata", "--case", "c1", "--out", str(tmp_path / "g.csv"), *who)
    exposures: dict[str, Any] = {e["person"]: e for e in system.exposures().values()}
    with (tmp_path / "g-relationships.csv").open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    assert {pair["targetPerson"] for pair in pairs} == set(exposures) and len(pairs) == 5, (
        "within 15 minutes of the case"
    )
    assert {pair["sourcePerson"] for pair in pairs} == {"c1"}
    text = "".join(path.read_text() for path in tmp_path.glob("*.csv"))
    assert CASE[:9] not in text
    lines = [
        read_line(kept.value or b"")
        for kept in system.kafka.read(system.prefix + "audit", partitions=system.partitions)
    ]
    (line,) = [line for line in lines if line is not None and line.action == "export"]
    assert (line.by, line.subject, line.reason) == ("An", "c1", "weekly hand-over (godata)")
    run(system, "audit", "verify")
