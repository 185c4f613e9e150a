"""A case with many contacts is withdrawn while another case has a tenth of them: exactly the right ones are taken back.

The same with 3,000 and 300, and how long it takes: `truyvet bench case`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from console.publishing import Publisher
from streams.rules.codes import exposure_id
from tests.pipeline.answers import check_answer, check_revisions
from tests.pipeline.system import Servers, System
from tests.pipeline.test_spine import CASE, REPORT, SCANS, VENUES, at, pseudonym, scan

CONTACTS = int(os.environ.get("TRUYVET_TEST_CONTACTS", "300"))
SHARED = CONTACTS // 10
OTHER = "079001000099"
PEOPLE = [f"079002{n:06}" for n in range(CONTACTS)]


def stay(code: str, venue: str, begin: str, end: str) -> list[dict[str, Any]]:
    return [scan(code, venue, begin), scan(code, venue, end, "out")]


async def publish(system: System) -> None:
    import orjson

    scans = [*stay(CASE, "pho", "12:00", "13:00"), *stay(OTHER, "cho", "15:00", "16:00")]
    for n, code in enumerate(PEOPLE):
        scans += stay(code, "pho", "12:10", "12:50")
        if n < SHARED:
            scans += stay(code, "cho", "15:10", "15:40")
    async with Publisher(system.settings(), "scans") as out:
        for first in range(0, len(scans), 50):
            await out.add(orjson.dumps(scans[first : first + 50]))


def test_exactly_the_contacts_of_the_withdrawn_case(servers: Servers, tmp_path: Path) -> None:
    assert SCANS  # times and places are those of the spine
    with System(servers, tmp_path) as system:
        system.worker()
        system.publish("venues", VENUES, key="venue_id")
        asyncio.run(publish(system))
        other = {**REPORT, "case_id": "c2", "person": OTHER}
        decision = {"case_id": "c1", "decision": "release", "by": "An", "at": at("20:00")}
        system.publish("decisions", [decision], key="case_id")  # as many as wait for one, by the gate of rule 8
        system.publish("cases", [REPORT, other], key="case_id")
        system.settle()
        before = system.exposures()
        mine = {exposure_id("c1", pseudonym(code)) for code in PEOPLE}
        theirs = {exposure_id("c2", pseudonym(code)) for code in PEOPLE[:SHARED]}
        assert {key for key, record in before.items() if record["status"] == "raised"} == mine | theirs

        system.publish("cases", [{**REPORT, "status": "withdrawn", "updated_at": at("21:00")}], key="case_id")
        system.settle()
        after = system.exposures()
        assert {key for key, record in after.items() if record["status"] == "withdrawn"} == mine
        assert {record["reason"] for key, record in after.items() if key in mine} == {"case_withdrawn"}
        assert {key: after[key] for key in theirs} == {key: before[key] for key in theirs}
        check_answer(system)
        check_revisions(system)
