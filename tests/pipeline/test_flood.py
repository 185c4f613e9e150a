"""A gateway gone mad, or a joke: floods that a plain implementation answers with time or memory that grows as the
square. The answer stays the brute force's, and a case that hangs on a flood is answered in seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.pipeline.answers import Sent, check_answer, send
from tests.pipeline.system import Servers, System

SCANS = 10_000
NOON = (int(time.time()) // 86_400 - 2) * 86_400 + 5 * 3_600  # seconds: noon in Việt Nam, two days ago
PATIENCE = 10.0  # seconds from the report to the last exposure, on two busy cores
ROOM = 200.0  # MiB


def one_code_one_place() -> Iterator[tuple[str, str, int]]:
    """A scan each second or two for hours: over `shared_code_limit`, so it makes no piece (rule 2)."""
    return (("079400000001", "cho", NOON + n) for n in range(SCANS))


def one_code_many_places() -> Iterator[tuple[str, str, int]]:
    return (("079400000001", f"place-{n}", NOON + n) for n in range(SCANS))


def many_codes_one_place() -> Iterator[tuple[str, str, int]]:
    """A crowd within a minute, all of it in contact with the case."""
    return ((f"{79_400_000_001 + n:012}", "cho", NOON + n % 60) for n in range(SCANS // 4))


def some_scans_a_day_of_one_code() -> Iterator[tuple[str, str, int]]:
    """Just as many a day as make pieces still, for a fortnight, in different places."""
    return (("079400000001", f"place-{n % 50}", NOON - n // 50 * 86_400 + n % 50 * 60) for n in range(50 * 14))


FLOODS = [
    pytest.param(one_code_one_place, marks=pytest.mark.faults),
    pytest.param(one_code_many_places, marks=pytest.mark.faults),
    many_codes_one_place,
    some_scans_a_day_of_one_code,
]


def records(scans: Iterable[tuple[str, str, int]]) -> Iterator[Sent]:
    """In batches of 500, as a gateway sends what it kept."""
    batch: list[dict[str, object]] = []
    for number, (person, venue, second) in enumerate(scans):
        batch.append(
            {
                "scan_id": f"f{number}",
                "venue_id": venue,
                "person": person,
                "scanned_at": second * 1000,
                "gateway_id": "mad",
            }
        )
        if len(batch) == 500:
            yield Sent("scans", None, json.dumps(batch).encode())
            batch = []
    if batch:
        yield Sent("scans", None, json.dumps(batch).encode())


def company() -> Iterator[tuple[str, str, int]]:
    """A few who were at some of the places in the same hour."""
    for n in range(8):
        yield f"{79_500_000_001 + n:012}", ("cho", "place-9999", "place-49")[n % 3], NOON + 2_880 + 10 * n


@pytest.mark.parametrize("flood", FLOODS)
def test_flood(servers: Servers, tmp_path: Path, flood) -> None:  # type: ignore[no-untyped-def]
    with System(servers, tmp_path) as system:
        worker = system.worker()
        send(system, records(company()))
        system.settle(30)
        before = psutil.Process(worker.pid).memory_info().rss
        send(system, records(flood()))
        system.settle(60)
        case = {
            "case_id": "c1",
            "person": "079400000001",
            "status": "confirmed",
            "sampled_at": (NOON + 3_600) * 1000,
            "reported_at": (NOON + 86_400) * 1000,
            "reported_by": "desk",
        }
        # With more than a thousand contacts a case is held; a decision that comes before its case waits for it.
        release = {"case_id": "c1", "decision": "release", "at": (NOON + 86_400) * 1000, "by": "desk"}
        send(system, [Sent("decisions", b"d1", json.dumps(release).encode())])
        system.settle(30)
        began = time.monotonic()
        send(system, [Sent("cases", b"c1", json.dumps(case).encode())])
        system.settle(60)
        took = time.monotonic() - began
        grown = (psutil.Process(worker.pid).memory_info().rss - before) / 2**20
        wanted = check_answer(system)
        print(f"\n{flood.__name__}: {took:.1f} s, {len(wanted.exposures)} exposures, {grown:.0f} MiB more", end="")
        assert took < PATIENCE and grown < ROOM
