"""No plain code leaks. A canary of each form is in every input, refused ones included; afterwards every topic, all of
Redis and its append-only file, the workers' output and what the commands print are searched for it, and for the ways in
which it could have been written down: JSON and percent escapes, base64, hexadecimal, UTF-16, other letter case."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from nacl.public import PrivateKey, SealedBox

from streams.runtime.topics import TOPICS
from tests.pipeline.answers import Found, Sent, client, records, send
from tests.pipeline.system import Servers, System

BASE = int(time.time()) - 7200
CARD, QID, INSURANCE, RAW = "079314159265", "27182818284590", "GD4020161803398", "thẻ của Nguyễn/Zquxx #7"
NAME = "Zqüxxine Đặng Thị"
QR = f"079|{NAME}|31121999|1|{QID}|x"
CODES = [CARD, QR, INSURANCE, RAW]
CANARIES = [CARD, QID, INSURANCE, RAW, NAME, "31121999"]
KEY = PrivateKey(bytes(range(32)))
# Topics that this test writes canaries to. Beside the three that may hold codes, only what was refused there.
REFUSED_AT = {"venues", "decisions", "policies"}


def forms(text: str) -> set[bytes]:
    """`text` as it might stand somewhere."""
    plain = text.encode()
    found = {plain, text.lower().encode(), text.upper().encode(), plain.hex().encode(), plain.hex().upper().encode()}
    found |= {json.dumps(text)[1:-1].encode(), quote(text).encode(), quote(text, safe="").encode()}
    found |= {text.encode("utf-16-le"), repr(plain)[2:-1].encode()}
    for shift in range(3):  # base64 of a longer text that holds it: cut off what its neighbours change
        coded = base64.b64encode(b"\0" * shift + plain)
        whole = coded[(0, 2, 3)[shift] : 8 * (shift + len(plain)) // 6]
        found |= {whole, whole.translate(bytes.maketrans(b"+/", b"-_"))}
    return {form for form in found if len(form) >= 8}


TRACE = re.compile(b"|".join(re.escape(form) for text in CANARIES for form in sorted(forms(text))))


def scan(person: str, minute: int, direction: str = "in", **more: Any) -> dict[str, Any]:
    content = {
        "scan_id": f"s{minute}",
        "venue_id": "pho",
        "person": person,
        "scanned_at": (BASE + 60 * minute) * 1000,
        "gateway_id": "g1",
        "direction": direction,
    }
    return {name: value for name, value in {**content, **more}.items() if value is not None}


def case(case_id: str, person: str, **more: Any) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "person": person,
        "status": "confirmed",
        "sampled_at": BASE * 1000,
        "reported_at": (BASE + 3600) * 1000,
        "reported_by": "desk",
        **more,
    }


def said(op: str, code: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "code": code, "at": (BASE + 3600) * 1000, "by": "desk", **more}


def as_bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()


def good() -> Iterator[Sent]:
    """What is taken in: all four at one place with a fifth, who will be the case; links, a vaccination, an erasure."""
    for person in (*CODES, "079000000001"):
        for minute, direction in ((0, "in"), (40, "out")):
            yield Sent("scans", None, as_bytes(scan(person, minute, direction, newer={"name": person})))
    yield Sent("scans", b"g1", json.dumps([scan(p, 50) for p in CODES]).encode(), None, (("ce_id", CARD.encode()),))
    yield Sent("scans", None, as_bytes(scan(CARD, 55, scan_id=CARD, proof=QR)))
    for number, person in enumerate(("079000000001", CARD, QR)):
        yield Sent("cases", b"c%d" % number, as_bytes(case(f"c{number}", person, note=QR)))
    yield Sent("people", b"p1", as_bytes(said("link", INSURANCE, same_as="079000000002")))
    yield Sent("people", b"p2", as_bytes(said("vaccination", RAW, doses=2, last_dose_on="2024-01-01")))
    yield Sent("people", b"p3", as_bytes(said("test", QR, sampled_at=BASE * 1000, result="positive")))
    yield Sent("people", b"p4", as_bytes(said("employ", CARD, organisation="o1", **{"from": "2024-01-01"})))
    yield Sent("people", b"p5", as_bytes(said("hold", RAW, ground="court")))
    yield Sent("people", b"p6", as_bytes(said("erase", RAW, by=CARD)))
    yield Sent("people", b"p7", as_bytes(said("erase", INSURANCE)))
    yield Sent("decisions", b"d1", as_bytes({"case_id": "c0", "decision": "release", "at": BASE * 1000, "by": "desk"}))


def bad() -> Iterator[Sent]:
    """What is refused, one reason or field each, with a canary in what is wrong, beside it, in headers."""
    yield Sent("scans", None, b'{"person": "' + CARD.encode() + b'", "scan_id": ')
    yield Sent("scans", None, json.dumps(scan(QR, 1)).encode()[:-2])
    yield Sent("scans", None, CARD.encode())
    yield Sent("scans", None, b"\xff" + RAW.encode() + b"\xfe")
    yield Sent("scans", None, b"[" * 5000 + CARD.encode())
    yield Sent("scans", None, json.dumps(CARD).encode())
    for code in CODES:
        yield Sent("scans", None, as_bytes(scan(code, 2, direction=code)))
        yield Sent("scans", None, as_bytes(scan(code, 3, role=code)))
        yield Sent("scans", None, as_bytes(scan(code, 4, scanned_at=code)))
        yield Sent("scans", None, as_bytes(scan(code, 5, gateway_id=f"{code} ")))
        yield Sent("scans", None, as_bytes(scan(code, 6, venue_id=code * 9)))
        yield Sent("scans", None, as_bytes(scan(code, 7, scan_id=[code])))
        yield Sent("scans", None, as_bytes(scan(code, 8, void=code)))
        yield Sent("scans", None, as_bytes(scan(code, 9, venue_id=None)))
        yield Sent("scans", None, as_bytes(scan(code, 9000)))
        yield Sent("scans", None, as_bytes(scan(code, -99 * 1440)))
        yield Sent(
            "scans", None, as_bytes([scan(code, 10, mode=3), {**scan(code, 11), "person": [code]}, code, {code: code}])
        )
        header = (("tv-schema", f"scan/{code}".encode()), ("tv-gateway", code.encode()))
        yield Sent("scans", None, as_bytes(scan(code, 12)), None, header)
        yield Sent("cases", b"c9", as_bytes(case("c9", code, status=code)))
        yield Sent("cases", b"c9", as_bytes(case("c9", code, sampled_at=code)))
        yield Sent("cases", b"c9", as_bytes(case(code * 9, code)))
        yield Sent("cases", b"c9", as_bytes(case("c9", code))[:-1], None, (("tv-schema", code.encode()),))
        yield Sent("people", b"p9", as_bytes(said(code, code)))
        yield Sent("people", b"p9", as_bytes(said("link", code, same_as=[code])))
        yield Sent("people", b"p9", as_bytes(said("vaccination", code, doses=code)))
        yield Sent("people", b"p9", as_bytes(said("erase", code, at=code)))
        yield Sent("people", b"p9", as_bytes(said("erase", code))[:-1])
        yield Sent("venues", b"v9", as_bytes({"venue_id": code * 9, "name": code, "type": code}))
        yield Sent("venues", b"v9", as_bytes({"venue_id": "v9", "name": code})[:-1])
        yield Sent("decisions", b"d9", as_bytes({"case_id": "c0", "decision": code, "at": BASE * 1000, "by": code}))
        yield Sent("policies", b"x9", as_bytes({"id": code, "scan": code}))
    yield Sent("scans", None, as_bytes([scan(CARD, 13)] * 1001))
    yield Sent("scans", None, as_bytes(scan(QR * 15_000, 14)))
    yield Sent("scans", None, as_bytes(scan(CARD, 15, proof=RAW * 100)))


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    public = base64.b64encode(bytes(KEY.public_key)).decode()
    with System(servers, tmp_path_factory.mktemp("canary"), env={"TRUYVET_OPS_PUBLIC": public}) as running:
        send(running, [*good(), *bad()])
        running.worker()
        running.settle(120)
        # Once more, now that all is known: other branches, and everybody's exposures again.
        send(running, [*bad(), *good()])
        send(
            running, [Sent("cases", b"c1", as_bytes(case("c1", CARD, status="withdrawn", updated_at=BASE * 1000 + 9)))]
        )
        running.settle(120)
        yield running


def refused(system: System) -> list[tuple[Found, dict[str, Any]]]:
    return [(record, json.loads(record.value or b"")) for record in records(system, "rejects")]


def test_the_search_finds_what_it_looks_for() -> None:
    for text in CANARIES:
        for wrapped in (text, json.dumps({"x": text}), quote(text), f'"{text.upper()}"'):
            assert TRACE.search(wrapped.encode()), (text, wrapped)
        for shift in range(4):
            assert TRACE.search(base64.b64encode(b"a" * shift + text.encode() + b"b" * shift)), (text, shift)
    assert not TRACE.search(b'{"person": "p1abcdefghijklmnopqrstuvwx", "minutes": 40}')


def test_topics(system: System) -> None:
    assert len({r.key for r in records(system, "exposures")}) >= 4, "nobody was exposed: this test would find nothing"
    for topic in TOPICS:
        for record in records(system, topic.name, committed=False):
            where = f"{topic.name}/{record.partition}/{record.offset}"
            assert not TRACE.search(record.key or b""), f"a code in the key of {where}"
            if topic.name not in {"scans", "cases", "people"} | REFUSED_AT:
                held = b"\n".join([record.value or b"", *(n.encode() + b"=" + v for n, v in record.headers)])
                assert not TRACE.search(held), f"a code in {where}"


def test_redis(system: System) -> None:
    with client(system) as store:
        for key in store.scan_iter("*", 1000):
            kind = store.type(key)
            if kind == b"hash":
                parts = [part for pair in store.hgetall(key).items() for part in pair]
            elif kind == b"string":
                parts = [store.get(key) or b""]
            elif kind == b"set":
                parts = list(store.smembers(key))
            elif kind == b"zset":
                parts = store.zrange(key, 0, -1)
            else:
                raise AssertionError(f"{key!r} is a {kind!r}: this test does not look into it")
            assert not TRACE.search(b"\n".join([key, *parts])), f"a code in {key!r}"
    files = [file for file in system.redis.data.rglob("*") if file.is_file()]
    assert any(file.suffix == ".aof" and file.stat().st_size > 10_000 for file in files)
    for file in files:
        assert not TRACE.search(file.read_bytes()), f"a code in {file.name}"


def test_what_is_printed(system: System) -> None:
    assert system.workers[0].alive and " ready" in system.workers[0].words()
    for worker in system.workers:
        assert not TRACE.search(worker.log.read_bytes())
    for words in (("exposures", "--json"), ("rejects", "--json"), ("status", "--json"), ("audit", "show", "--json")):
        done = system.run(*words)
        assert done.returncode == 0 and done.stdout, done.stderr.decode()
        assert not TRACE.search(done.stdout + done.stderr), f"a code in what `truyvet {' '.join(words)}` prints"


def test_what_was_refused_opens_to_its_bytes(system: System) -> None:
    """With the operations key, and only so; each bad message is there, with its reason."""
    came = {(r.topic, r.partition, r.offset): r for r in records(system, "scans", "cases", "people", *REFUSED_AT)}
    opened = SealedBox(KEY)
    found = refused(system)
    for _, content in found:
        source = came[content["topic"], content["partition"], content["offset"]].value or b""
        if content["index"] is not None:
            elements = json.loads(source)
            whole = json.loads(opened.decrypt(base64.b64decode(content["payload"])))
            assert whole == elements[content["index"]]
            continue
        payload = opened.decrypt(base64.b64decode(content["payload"]))
        assert payload == source[: 64 * 1024]
        assert (content["payload_bytes"], content["truncated"]) == (len(source), len(source) > 64 * 1024)
        assert not TRACE.search(content["detail"].encode())
    places = {(c["topic"], c["partition"], c["offset"]) for _, c in found}
    sent = {one.value for one in bad()}
    assert {place for place, record in came.items() if record.value in sent} == places
    assert {c["reason"] for _, c in found} >= {"not_json", "schema", "future", "expired"}
    assert any(c["truncated"] for _, c in found)
