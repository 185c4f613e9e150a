"""The main job end to end, on a real Kafka and Redis: venues, scans, a case → exposures, with an answer worked by hand.

All at a restaurant (dwell 60 min, no lingering air, setting 1.2), yesterday, times of day in Việt Nam:

    case     in 12:00  out 13:00
    binh     in 12:20  out 13:10      40 min together, 12:20-13:00: 40 x 1.0 x 1.2 = 48.00, medium
    dung     in 12:50  out 13:30      10 min: fewer than 15
    giang    in 12:30  (no out)       assumed until 13:30; 30 min, inferred: 30 x 1.0 x 1.2 = 36.00, medium
    hoa      in 12:00  out 13:00      at the market
"""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

from streams.rules.codes import Pseudonymiser, pseudonym_text
from tests.pipeline.system import KEY, Servers, System, wait_until

LOCAL = datetime.timezone(datetime.timedelta(hours=7))
YESTERDAY = datetime.datetime.now(LOCAL).date() - datetime.timedelta(days=1)
CASE, BINH, DUNG, GIANG, HOA = (f"0790010000{n:02}" for n in range(1, 6))


def at(clock: str) -> str:
    return f"{YESTERDAY}T{clock}:00+07:00"


def utc(clock: str) -> str:
    moment = datetime.datetime.fromisoformat(at(clock)).astimezone(datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def scan(person: str, venue: str, clock: str, direction: str = "in") -> dict[str, Any]:
    return {
        "scan_id": f"{person[-2:]}-{venue}-{clock}-{direction}",
        "venue_id": venue,
        "person": person,
        "scanned_at": at(clock),
        "gateway_id": "g1",
        "direction": direction,
    }


def pseudonym(code: str) -> str:
    return pseudonym_text(Pseudonymiser(KEY.encode()).digest(code))


VENUES = [
    {"venue_id": "pho", "name": "Phở", "type": "restaurant", "commune": "27000", "province": "79", "lat": 10.7,
     "lon": 106.7, "status": "open", "registered_at": "2021-01-01T00:00:00Z"},
    {"venue_id": "cho", "name": "Chợ", "type": "market", "commune": "27000", "province": "79", "lat": 10.7,
     "lon": 106.7, "status": "open", "registered_at": "2021-01-01T00:00:00Z"},
]  # fmt: skip
SCANS = [
    scan(CASE, "pho", "12:00"),
    scan(CASE, "pho", "13:00", "out"),
    scan(BINH, "pho", "12:20"),
    scan(BINH, "pho", "13:10", "out"),
    scan(DUNG, "pho", "12:50"),
    scan(DUNG, "pho", "13:30", "out"),
    scan(GIANG, "pho", "12:30"),
    scan(HOA, "cho", "12:00"),
    scan(HOA, "cho", "13:00", "out"),
]
REPORT = {
    "case_id": "c1",
    "person": CASE,
    "status": "confirmed",
    "sampled_at": at("18:00"),
    "onset_at": at("08:00"),
    "reported_at": at("19:00"),
    "reported_by": "desk",
    "updated_at": at("19:00"),
}


def by_person(system: System) -> dict[str, Any]:
    return {record["person"]: record for record in system.exposures().values()}


def test_the_main_job(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        system.publish("venues", VENUES, key="venue_id")
        system.publish("scans", SCANS)
        system.settle()
        began = time.monotonic()
        system.publish("cases", [REPORT], key="case_id")
        wait_until(lambda: len(system.records("exposures")) >= 2, 20)
        print(f"\nfrom the report to both exposures: {time.monotonic() - began:.2f} s (with the test's own polling)")
        system.settle()

        found = by_person(system)
        assert set(found) == {pseudonym(BINH), pseudonym(GIANG)}
        binh, giang = found[pseudonym(BINH)], found[pseudonym(GIANG)]
        assert (binh["status"], binh["revision"], binh["case_id"], binh["level"]) == ("raised", 1, "c1", "F1")
        assert (binh["minutes"], binh["direct_minutes"], binh["indirect_minutes"]) == (40, 40, 0)
        assert (binh["first_at"], binh["last_at"]) == (utc("12:20"), utc("13:00"))
        assert (binh["score"], binh["band"], binh["policy"]) == (48.0, "medium", "vn-11042")
        assert [(e["venue_id"], e["inferred"]) for e in binh["episodes"]] == [("pho", False)]
        assert binh["advice"]["follow_up_until"] == str(YESTERDAY + datetime.timedelta(days=14))
        assert (giang["minutes"], giang["score"], giang["band"]) == (30, 36.0, "medium")
        assert [(e["start"], e["inferred"]) for e in giang["episodes"]] == [(utc("12:30"), True)]

        # A scan that comes late: giang left at 12:40, and so was there for 10 minutes.
        system.publish("scans", [scan(GIANG, "pho", "12:40", "out")])
        system.settle()
        assert by_person(system)[pseudonym(GIANG)]["status"] == "withdrawn"
        assert by_person(system)[pseudonym(BINH)] == binh, "nothing changed, so nothing was written"

        system.publish("cases", [{**REPORT, "status": "withdrawn", "updated_at": at("20:00")}], key="case_id")
        system.settle()
        after = by_person(system)[pseudonym(BINH)]
        assert (after["status"], after["revision"], after["reason"]) == ("withdrawn", 2, "case_withdrawn")
        assert system.records("rejects") == []
        assert worker.terminate() == 0


def test_no_code_leaves_the_input_topics(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        system.publish("scans", [*SCANS, {**SCANS[0], "venue_id": ""}, b"not json " + CASE.encode()])
        system.publish("cases", [REPORT], key="case_id")
        system.settle()
        assert worker.terminate() == 0
        for topic in ("exposures", "evaluate", "registry", "rejects"):
            for read in system.kafka.read(system.prefix + topic):
                assert not any(code.encode() in (read.key or b"") + (read.value or b"") for code in (CASE, BINH)), topic
        assert [record["reason"] for record in system.records("rejects")].count("schema") == 1
        assert not any(code in worker.words() for code in (CASE, BINH))
        assert not any(
            code.encode() in file.read_bytes() for code in (CASE, BINH) for file in system.redis.data.rglob("*.aof")
        )
