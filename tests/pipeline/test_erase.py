"""Erasing a person, end to end on a real Kafka and Redis with two workers: what goes, how fast, and that it stays gone.

An, with two codes, met ten cases at the phở place and one at the market, among 200,000 scans of others.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pytest

from streams.rules.codes import Pseudonymiser, pseudonym_digest, pseudonym_text, venue_token
from streams.runtime.redis import RedisStore
from streams.state import vault
from streams.state.graph import read_persons, read_venues
from streams.state.layout import tokens_of
from streams.state.shards import read_days
from streams.state.vault import Entry
from tests.pipeline.system import KEY, Servers, System, wait_until
from tests.pipeline.test_spine import VENUES, at, scan

QUICK = ["079001990111", "079001990112", "079001990113"]
AN, CARD, HELD = "079001990101", "the-card-of-Ẩn", "079001990102"
CASES = [f"0790019902{n:02}" for n in range(10)]
SELLER = "079001990300"
OTHERS = 200_000
TRACES = (AN, CARD, CARD.encode().decode("latin-1"))
ALLOWED = 0.3  # seconds (issue 4)


def digest(code: str) -> bytes:
    return Pseudonymiser(KEY.encode()).digest(code)


def name(code: str) -> str:
    return pseudonym_text(digest(code))


def report(case_id: str, code: str) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "person": code,
        "status": "confirmed",
        "sampled_at": at("18:00"),
        "onset_at": at("08:00"),
        "reported_at": at("19:00"),
        "reported_by": "desk",
    }


def stay(code: str, venue: str, begin: str, end: str) -> list[dict[str, Any]]:
    return [scan(code, venue, begin), scan(code, venue, end, "out")]


def crowd() -> Iterator[bytes]:
    """Scans of others elsewhere, 500 a record, over fourteen days: shards and days as full as in earnest."""
    now = int(time.time())
    for first in range(0, OTHERS, 500):
        yield orjson.dumps(
            [
                {
                    "scan_id": "s",
                    "venue_id": f"v{n % 997}",
                    "person": f"{200_000_000_000 + n % 61_001}",
                    "scanned_at": (now - 7200 - n % (14 * 86400)) * 1000,
                    "gateway_id": "g",
                }
                for n in range(first, first + 500)
            ]
        )


def people(op: str, code: str, moment: int, **more: Any) -> dict[str, Any]:
    return {"op": op, "code": code, "at": moment * 1000, "by": "desk", **more}


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(servers, tmp_path_factory.mktemp("erase")) as running:
        running.publish("venues", VENUES, key="venue_id")
        running.kafka.produce(running.prefix + "scans", crowd(), partitions=running.partitions, batch=1)
        scans = [s for code in CASES for s in stay(code, "pho", "12:00", "13:00")]
        scans += stay(AN, "pho", "12:20", "13:10") + stay(HELD, "pho", "12:10", "13:10")
        scans += [s for code in QUICK for s in stay(code, "pho", "12:15", "13:00")]
        scans += stay(SELLER, "cho", "09:00", "11:00") + stay(CARD, "cho", "09:30", "10:30")
        running.publish("scans", scans)
        running.publish("cases", [report(f"c{n}", c) for n, c in enumerate(CASES)], key="case_id")
        running.publish("cases", [report("seller", SELLER)], key="case_id")
        now = int(time.time())
        running.publish("people", [people("link", AN, now - 600, same_as=CARD)])
        running.publish("people", [people("hold", HELD, now - 600, ground="a court's")])
        for _ in range(2):
            running.worker()
        running.settle(120)
        yield running


def of_person(system: System, *codes: str) -> dict[str, list[Any]]:
    """Topic key → records (None: a tombstone) of exposures that ever named one of these codes."""
    return _named(system, "exposures", {name(code) for code in codes})


def _named(system: System, topic: str, names: set[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for read in system.kafka.read(system.prefix + topic, partitions=system.partitions):
        content = orjson.loads(read.value) if read.value else None
        found.setdefault((read.key or b"").decode(), []).append(content)
    return {key: values for key, values in found.items() if any(v and v["person"] in names for v in values)}


def stamps(system: System, topic: str, wanted: Any) -> list[int]:
    """Timestamps (ms, of whoever produced it, all on this machine's clock) of the records that are `wanted`."""
    reads = system.kafka.read(system.prefix + topic, partitions=system.partitions)
    return [read.timestamp for read in reads if wanted(read)]


async def _dump(system: System) -> dict[bytes, bytes]:
    """Every key of Redis, with all it holds."""
    store = await RedisStore.open(system.redis.url, patience=5.0)
    try:
        client, found = store.client, {}
        keys = [key async for key in store.client.scan_iter("*", count=5000)]
        for at in range(0, len(keys), 2000):
            some = keys[at : at + 2000]
            pipe = client.pipeline(transaction=False)
            for key in some:
                pipe.type(key)
            kinds = await pipe.execute()
            for key, kind in zip(some, kinds, strict=True):
                read = {b"hash": pipe.hgetall, b"string": pipe.get, b"set": pipe.smembers}.get(kind)
                read(key) if read is not None else pipe.zrange(key, 0, -1)
            for key, value in zip(some, await pipe.execute(), strict=True):
                found[key] = _joined(value)
        return found
    finally:
        await store.close()


def _joined(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"\0".join(part for pair in value.items() for part in pair)
    return value if isinstance(value, bytes) else b"\0".join(value or ())


def scans_in_redis(system: System, code: str) -> int:
    """Records of this code, on both sides of the graph, of the places where the test's own people were."""

    async def count() -> int:
        store = await RedisStore.open(system.redis.url, patience=5.0)
        try:
            days = np.array(sorted(await read_days(store)), np.int64)
            person = tokens_of(digest(code)[:8])
            mine = await read_persons(store, np.repeat(person, len(days)), days)
            places = tokens_of(venue_token("pho") + venue_token("cho"))
            there = await read_venues(store, np.repeat(places, len(days)), np.tile(days, 2))
            return len(mine) + int((there.other == person[0]).sum())
        finally:
            await store.close()

    return asyncio.run(count())


def vault_entry(system: System, code: str) -> Entry | None:
    async def ask() -> Entry | None:
        store = await RedisStore.open(system.redis.url, patience=5.0)
        try:
            return (await vault.read(store, [digest(code)])).get(digest(code))
        finally:
            await store.close()

    return asyncio.run(ask())


def test_erase(system: System) -> None:
    began_with = of_person(system, AN, CARD)
    assert sum(values[-1]["status"] != "withdrawn" for values in began_with.values()) == 11
    assert scans_in_redis(system, AN) > 0 and scans_in_redis(system, CARD) > 0
    moment = int(time.time())
    system.publish("people", [people("erase", AN, moment)])
    wait_until(lambda: all(v[-1] is None for v in of_person(system, AN, CARD).values()), 30)
    system.settle()

    after = of_person(system, AN, CARD)
    assert len(after) == 11
    for key, values in after.items():
        withdrawn = [v for v in values if v and v["status"] == "withdrawn"]
        assert values[-1] is None and withdrawn and withdrawn[-1]["reason"] == "erased", (key, values)
        assert "episodes" not in withdrawn[-1] or not withdrawn[-1]["episodes"]
    assert scans_in_redis(system, AN) == scans_in_redis(system, CARD) == 0
    assert all((entry := vault_entry(system, code)) and entry.destroyed and entry.desk is None for code in (AN, CARD))
    followups = system.kafka.read(system.prefix + "followups", partitions=system.partitions)
    last = {read.key: read.value for read in followups}
    assert {last[name(code).encode()] for code in (AN, CARD) if name(code).encode() in last} == {None}
    lines = [line for line in system.records("audit") if line["subject"] == name(AN)]
    assert [(line["action"], line["outcome"]) for line in lines] == [("erase", "done")]


def test_how_long_it_takes(system: System) -> None:
    """From the time stamp of the request in Kafka to that of the last tombstone, ten exposures each; scans and code go
    before. On a machine that is busy with something else it may take longer, as everything does there."""
    took = []
    for code in QUICK:
        assert len(of_person(system, code)) == 10
        system.publish("people", [people("erase", code, int(time.time()))])
        system.settle()
        assert all(values[-1] is None for values in of_person(system, code).values())
        assert scans_in_redis(system, code) == 0
        asked = max(stamps(system, "people", lambda r: b'"erase"' in r.value))
        on_record = max(stamps(system, "audit", lambda r: b'"erase"' in r.value)) - asked
        destroyed = min(at for at in stamps(system, "evaluate", lambda r: True) if at >= asked) - asked
        done = max(stamps(system, "exposures", lambda r: r.value is None)) - asked
        print(
            f"\nerase, ms after the request: on record {on_record}, scans and code gone {destroyed}, tombstones {done}"
        )
        took.append(done / 1000)
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert min(took) < ALLOWED * busy, (took, busy)


def test_what_is_delivered_later_neither_counts_nor_lies_there(system: System) -> None:
    system.publish("scans", [*stay(AN, "pho", "12:20", "13:10"), *stay(CARD, "cho", "09:30", "10:30")])
    system.publish("scans", [scan(CARD, "pho", "12:05")])
    system.settle()
    assert all(values[-1] is None for values in of_person(system, AN, CARD).values())
    assert scans_in_redis(system, AN) == scans_in_redis(system, CARD) == 0
    assert all((entry := vault_entry(system, code)) and entry.destroyed for code in (AN, CARD))


def test_nothing_of_the_codes_is_anywhere_but_in_the_inputs(system: System) -> None:
    """Canaries: the codes in no form; the pseudonyms in no scan, exposure or follow-up that is still kept."""
    names = [name(code).encode() for code in (AN, CARD)]
    tokens = [digest(code)[1:8] for code in (AN, CARD)]  # as fields have them
    for key, value in asyncio.run(_dump(system)).items():
        assert not any(trace.encode() in key + value for trace in TRACES), key
        if key.startswith((b"tv:p:", b"tv:v:")):
            assert not any(token in value for token in tokens), key
        if key.startswith((b"tv:body:", b"tv:shelf:exp", b"tv:todo:", b"tv:pend:")):
            assert not any(text in value for text in names), key
        if key.startswith(b"tv:said:") and any(pseudonym_digest(text.decode()).hex().encode() in key for text in names):
            assert b"exposure_id" not in value, key
    for worker in system.workers:
        assert not any(trace in worker.words() for trace in TRACES)


def test_a_scan_after_the_erasure_counts_and_its_code_is_kept_again(system: System) -> None:
    moment = int(time.time()) + 200  # within what a clock may be ahead
    for _ in range(3):  # whichever worker has the partition, and whatever it remembers
        system.publish("scans", [{**scan(AN, "pho", "12:00"), "scanned_at": (moment + 1) * 1000}] * 2)
    system.settle()
    assert scans_in_redis(system, AN) == 2, "one scan, on both sides"
    entry = vault_entry(system, AN)
    assert entry is not None and not entry.destroyed and entry.second == moment + 1
    assert vault_entry(system, CARD).destroyed  # type: ignore[union-attr]
    # Asked again for the same moment (a message that is delivered twice): what came after stays.
    first = next(r for r in system.records("people") if r["op"] == "erase")
    system.publish("people", [first])
    system.settle()
    assert scans_in_redis(system, AN) == 2
    assert not vault_entry(system, AN).destroyed  # type: ignore[union-attr]


def test_a_link_that_comes_late_brings_its_code_under_the_erasure(system: System) -> None:
    third = "079001990103"
    system.publish("scans", stay(third, "pho", "12:10", "13:00"))
    system.settle()
    assert sum(v[-1]["status"] != "withdrawn" for v in of_person(system, third).values()) == 10
    erased = next(r for r in system.records("people") if r["op"] == "erase")["at"] // 1000
    system.publish("people", [people("link", third, erased - 3600, same_as=AN)])
    system.settle()
    assert all(values[-1] is None for values in of_person(system, third).values())
    assert scans_in_redis(system, third) == 0


def test_while_a_hold_stands_an_erasure_is_refused_and_that_is_on_record(system: System) -> None:
    before = of_person(system, HELD)
    assert before
    now = int(time.time())
    system.publish("people", [people("erase", HELD, now)])
    system.settle()
    assert of_person(system, HELD) == before and scans_in_redis(system, HELD) > 0
    assert [x["outcome"] for x in system.records("audit") if x["subject"] == name(HELD) and x["action"] == "erase"] == [
        "refused"
    ]
    system.publish("people", [people("unhold", HELD, now + 1, ground="a court's"), people("erase", HELD, now + 2)])
    system.settle()
    assert all(values[-1] is None for values in of_person(system, HELD).values())
    assert scans_in_redis(system, HELD) == 0


def test_when_a_case_is_erased_all_that_rested_on_it_goes(system: System) -> None:
    def of_case(topic: str) -> list[Any]:
        found: dict[bytes | None, list[Any]] = {}
        for read in system.kafka.read(system.prefix + topic, partitions=system.partitions):
            found.setdefault(read.key, []).append(orjson.loads(read.value) if read.value else None)
        return [v for v in found.values() if any(r and r["case_id"] == "c0" for r in v)]

    assert any(v[-1] and v[-1]["status"] != "withdrawn" for v in of_case("exposures"))
    assert any(v[-1] and v[-1]["status"] != "withdrawn" for v in of_case("venue-alerts"))
    system.publish("people", [people("erase", CASES[0], int(time.time()))])
    system.settle()
    for topic in ("exposures", "venue-alerts"):
        assert of_case(topic) and all(v[-1] is None for v in of_case(topic)), topic


def test_a_rebuild_does_not_bring_back_what_was_erased(system: System) -> None:
    counted = len(system.kafka.read(system.prefix + "exposures", partitions=system.partitions))
    for worker in system.workers:
        worker.terminate()
    done = system.run("rebuild", "--yes", patience=180)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert scans_in_redis(system, AN) == 2, "the one after the erasure"
    assert scans_in_redis(system, CARD) == scans_in_redis(system, HELD) == 0
    system.worker()
    system.settle(120)
    assert scans_in_redis(system, CARD) == 0
    assert all((entry := vault_entry(system, code)) and entry.destroyed for code in (CARD, HELD))
    assert len(system.kafka.read(system.prefix + "exposures", partitions=system.partitions)) == counted
