"""What the gateway answers: how much it took, what it refused and why, and never a word of what was sent."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from console.gateway import committing
from console.gateway import server as serving
from console.gateway.buckets import Buckets
from console.gateway.frames import Record
from console.gateway.intake import take_in
from console.gateway.options import Options
from console.gateway.server import Server
from console.gateway.spool import Spool
from schemas.scan import MAX_BATCH_BYTES, decode_scans
from streams.runtime.settings import SettingError

CODE = "079203001234"


class NoKafka:
    """A publisher that reaches nothing."""

    reachable, trouble, published = False, "no Kafka answers at kafka:9092", 0


class Scene:
    """A gateway without Kafka, and a client of it."""

    def __init__(self, folder: Path, *, rate: int = 0, limit: int = 1 << 20, gateway_id: str | None = None) -> None:
        self.spool = Spool(folder, limit)
        self.spool.start()
        server = Server(self.spool, NoKafka(), Buckets(rate), gateway_id)  # type: ignore[arg-type]
        self._http = TestServer(server.app())
        self.client = TestClient(self._http)

    async def __aenter__(self) -> Scene:
        await self._http.start_server(access_log=None)  # as the gateway itself has it
        await self.client.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        await self.spool.close()

    async def post(self, body: Any, **headers: str) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.client.post("/scans", data=data, headers=headers)
        return answer.status, await answer.json()

    async def spooled(self) -> list[Record]:
        """What is in the spool; it counts as published then."""
        found: list[Record] = []
        while not self.spool.empty:
            found += [frame.record for frame in await self.spool.take()]
            await self.spool.done()
        return found


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path / "spool", gateway_id="town") as made:
        yield made


def scan(number: int = 1, **fields: Any) -> dict[str, Any]:
    made = {
        "scan_id": str(number),
        "venue_id": "cafe-1",
        "person": CODE,
        "scanned_at": 1_764_000_000_000 + number,
        "gateway_id": "gate-1",
        **fields,
    }
    return {name: value for name, value in made.items() if value is not ...}


async def test_one_scan_goes_as_it_came(scene: Scene) -> None:
    body = json.dumps(scan(unknown=[1]), indent=2).encode()
    assert await scene.post(body) == (202, {"taken": 1, "refused": []})
    (found,) = await scene.spooled()
    assert (found.key, found.value, found.scans) == (b"gate-1", body, 1)


async def test_a_batch_is_parted_by_gateway_and_keeps_its_order(scene: Scene) -> None:
    batch = [scan(i, gateway_id=("a", "b", ...)[i % 3]) for i in range(300)]
    assert await scene.post(batch) == (202, {"taken": 300, "refused": []})
    found = await scene.spooled()
    assert [r.key for r in found] == [b"a", b"b", b"town"]
    for record, wanted in zip(found, (0, 1, 2), strict=True):
        scans, problems = decode_scans(record.value)
        assert not problems and record.scans == len(scans) == 100
        assert [int(s.scan_id) for _, s in scans] == list(range(wanted, 300, 3))
        assert {s.gateway_id.encode() for _, s in scans} == {record.key}


async def test_bad_ones_are_refused_alone_and_named(scene: Scene) -> None:
    batch = [scan(0), scan(1, direction="up"), scan(2, venue_id=...), 7, scan(4, person=" "), scan(5, gateway_id=None)]
    status, answer = await scene.post(batch)
    assert (status, answer["taken"]) == (202, 1)
    assert [(r["index"], r["reason"], r["field"]) for r in answer["refused"]] == [
        (1, "schema", "/direction"),
        (2, "schema", "/venue_id"),
        (3, "schema", ""),
        (4, "schema", "/person"),
        (5, "schema", "/gateway_id"),
    ]
    assert [r.value for r in await scene.spooled()] == [b"[" + json.dumps(scan(0)).encode() + b"]"]


async def test_nothing_taken_is_no_success(scene: Scene) -> None:
    status, answer = await scene.post(scan(scanned_at="yesterday"))
    assert status == 422 and answer["taken"] == 0
    assert answer["refused"][0]["field"] == "/scanned_at" and "RFC 3339" in answer["refused"][0]["expected"]
    assert (await scene.post([scan(), scan()], **{"tv-schema": "scan/2"}))[0] == 422
    assert (await scene.post(scan(), **{"tv-schema": "scan/1"}))[0] == 202
    assert await scene.post([]) == (202, {"taken": 0, "refused": []})


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 5000, f'{{"person":"{CODE}"'.encode()])
async def test_not_json(scene: Scene, body: bytes) -> None:
    status, answer = await scene.post(body)
    assert (status, answer["error"]) == (400, "not_json")


async def test_too_big(scene: Scene) -> None:
    assert (await scene.post([scan()] * 1000))[0] == 202
    status, answer = await scene.post([scan()] * 1001)
    assert (status, answer["error"]) == (413, "too_many")
    status, answer = await scene.post(json.dumps(scan()).encode() + b" " * MAX_BATCH_BYTES)
    assert (status, answer["error"]) == (413, "too_long")


def test_a_batch_that_grows_by_our_gateway_id_stays_within_the_limit() -> None:
    batch = [scan(i, gateway_id=..., proof="x" * 256, more="y" * 400) for i in range(1000)]
    body = json.dumps(batch).encode()
    assert MAX_BATCH_BYTES - 20_000 < len(body) <= MAX_BATCH_BYTES
    found = take_in(body, 1, gateway_id="ố" * 64)
    assert (found.scans, found.refused) == (1000, [])
    assert len(found.records) == 2 and all(len(r.value) <= MAX_BATCH_BYTES for r in found.records)
    scans = [s for r in found.records for _, s in decode_scans(r.value)[0]]
    assert [int(s.scan_id) for s in scans] == list(range(1000)) and {s.gateway_id for s in scans} == {"ố" * 64}


@pytest.mark.parametrize(
    "fields",
    [
        {"direction": CODE},
        {"scanned_at": CODE},
        {"person": [CODE]},
        {"person": {CODE: CODE}},
        {"venue_id": CODE * 9},
        {"void": CODE},
        {"mode": {CODE: [CODE]}},
        {CODE: ..., "gateway_id": CODE + " "},
        {"role": f"x at `$.{CODE}`"},
        {"proof": "\x00" + CODE},
    ],
)
async def test_no_answer_and_no_log_line_quotes_a_code(
    scene: Scene, fields: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)

    def broken(*_: Any) -> None:
        raise ValueError(f"not a code: {CODE}")

    said = [str(await scene.post(body)) for body in (scan(**fields), [scan(**fields)], [[scan(**fields)], scan()])]
    with monkeypatch.context() as wrong:
        wrong.setattr(serving, "take_in", broken)
        status, answer = await scene.post(scan())
        assert status == 500
        said.append(str(answer))
    said.append(await (await scene.client.get("/health")).text())
    said.append(await (await scene.client.get("/")).text())
    said.append(await (await scene.client.get(f"/{CODE}?person={CODE}")).text())
    assert CODE not in "".join(said) + caplog.text
    assert "ValueError at " in caplog.text


async def test_who_is_too_fast_waits(tmp_path: Path) -> None:
    async with Scene(tmp_path / "spool", rate=10) as scene:  # a burst of 100
        assert (await scene.post([scan(i) for i in range(250)]))[0] == 202, "a batch may overdraw"
        answer = await scene.client.post("/scans", json=scan())
        assert (answer.status, (await answer.json())["error"]) == (429, "too_fast")
        assert int(answer.headers["Retry-After"]) in (14, 15)
        state = await (await scene.client.get("/health")).json()
        assert (state["requests_limited"], state["accepted"]) == (1, 250)


def test_buckets() -> None:
    now = 0.0
    buckets = Buckets(10, 10.0, lambda: now)
    buckets.spend("1.2.3.4", 100)
    assert buckets.wait("1.2.3.4") == 0
    buckets.spend("1.2.3.4", 0)  # what held no scan costs as much as one
    assert buckets.wait("1.2.3.4") == pytest.approx(0.1)
    assert buckets.wait("::ffff:1.2.3.4") == pytest.approx(0.1) and buckets.wait("::ffff:1.2.3.5") == 0
    now = 0.1
    assert buckets.wait("1.2.3.4") == 0
    buckets.spend("2001:db8::1", 200)
    assert buckets.wait("2001:db8::ffff:1") == pytest.approx(10), "one machine has many addresses"
    assert buckets.wait("2001:db8:0:1::1") == 0
    now = 1000.0
    for number in range(30_000):
        buckets.spend(f"client-{number}", 1)
        now += 0.001
    assert len(buckets._levels) <= 10_002
    assert Buckets(0).wait("1.2.3.4") == 0


async def test_a_full_spool_says_so_and_takes_again(tmp_path: Path) -> None:
    async with Scene(tmp_path / "spool", limit=MAX_BATCH_BYTES + 1000) as scene:
        taken = 0
        while (await scene.post([scan(i, proof="x" * 200) for i in range(100)]))[0] == 202:
            taken += 1
        answer = await scene.client.post("/scans", json=[scan(i) for i in range(1000)])
        assert (answer.status, (await answer.json())["error"]) == (507, "spool_full")
        assert int(answer.headers["Retry-After"]) > 0
        health = await scene.client.get("/health")
        assert (health.status, (await health.json())["state"]) == (503, "full")
        assert "Không nhận thêm được" in await (await scene.client.get("/")).text()
        assert len(await scene.spooled()) == taken
        assert (await scene.post(scan()))[0] == 202


async def test_a_disk_that_was_full_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer sends nothing to who answers 503: that must end by itself."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(committing, "FORGIVE", 0.5)
    with monkeypatch.context() as wrong:
        wrong.setattr(committing, "write_all", full)
        status, answer = await scene.post(scan())
        assert (status, answer["error"]) == (507, "disk_full")
    health = await scene.client.get("/health")
    assert (health.status, (await health.json())["spool_trouble"]) == (503, "No space left on device")
    await asyncio.sleep(0.6)
    assert (await scene.client.get("/health")).status == 200
    with monkeypatch.context() as wrong:
        wrong.setattr(committing, "write_all", _broken)
        status, answer = await scene.post(scan())
        assert (status, answer["error"]) == (503, "disk")
        wrong.setattr(committing, "MEMORY_BYTES", 10)
        status, answer = await scene.post(scan())
        assert (status, answer["error"]) == (503, "busy")
    assert (await scene.post(scan()))[0] == 202
    assert len(await scene.spooled()) == 1


def _broken(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


async def test_gzip_is_taken_and_a_bomb_is_not(scene: Scene) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert await scene.post(gzip.compress(json.dumps(scan()).encode()), **headers) == (202, {"taken": 1, "refused": []})
    assert (await scene.post(gzip.compress(b" " * 200_000_000), **headers))[0] == 413


async def test_health_and_page(scene: Scene) -> None:
    await scene.post([scan(i) for i in range(30)])
    await scene.post(scan(person=""))
    health = await scene.client.get("/health")
    state = await health.json()
    assert health.status == 200, "a gateway without Kafka takes scans"
    assert state | {"spool_bytes": 0} == {
        "state": "waiting",
        "spool_bytes": 0,
        "spool_limit_bytes": 1 << 20,
        "spool_trouble": "",
        "records_waiting": 1,
        "oldest_waiting_seconds": 0,
        "damaged_bytes": 0,
        "kafka": False,
        "kafka_trouble": NoKafka.trouble,
        "accepted": 30,
        "refused": 1,
        "published": 0,
        "requests_limited": 0,
    }
    assert state["spool_bytes"] > 1000
    page = await scene.client.get("/")
    text = await page.text()
    for words in ("Cổng nhận lượt quét", "Scan gateway", "hiện chưa liên lạc được với Kafka", "Nothing is lost"):
        assert words in text
    assert not re.search(r"https?://|<script|url\(|@import", text), "nothing from elsewhere"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_half_a_request_ends(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "BODY_SECONDS", 0.1)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(1)

    async with ClientSession() as client:
        answer = await client.post(scene.client.make_url("/scans"), data=slowly())
        assert answer.status == 408
    assert scene.spool.empty


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "70000"),
        ("ADDRESS", "localhost"),
        ("RATE", "-1"),
        ("MAX_SPOOL_MIB", "0"),
        ("ID", " a"),
        ("ID", "a" * 65),
        ("TLS_CERT", "/nowhere"),
        ("TLS_KEY", __file__),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match="TRUYVET_GATEWAY_"):
        Options.of({"TRUYVET_GATEWAY_" + name: value})
    assert Options.of({}) == Options()
