"""Codes and the audit log end to end, on a real Kafka and Redis, through the worker process and the command line."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.audit import AuditLine
from streams.ports import Call, Read
from streams.rules.auditchain import line_bytes, read_line
from streams.rules.codes import Pseudonymiser, pseudonym_text
from streams.runtime.topics import TOPICS
from tests.house.privacy import kind_of_key, table
from tests.pipeline.system import KEY, Servers, System

NOW = int(time.time()) - 3600
CASE, CONTACT = "079001990001", "079001990002"
QR = "079|Trần Thị Bưởi|01011990|1|98765432109876|"
RAW = "the-card-of-Bưởi"
# What must be nowhere but where the table says `plain`: the codes, and every other field of what was read.
TRACES = [CASE, CONTACT, "98765432109876", "Trần Thị Bưởi", "01011990", RAW, "Tr\\u1ea7n", "GI-SECRET"]


def scan(person: str, minute: int, direction: str = "in", **more: Any) -> dict[str, Any]:
    return {
        "scan_id": f"{minute}-{direction}",
        "venue_id": "pho",
        "person": person,
        "scanned_at": (NOW + 60 * minute) * 1000,
        "gateway_id": "g1",
        "direction": direction,
        **more,
    }


def name(code: str) -> str:
    return pseudonym_text(Pseudonymiser(KEY.encode()).digest(code))


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Four people at one place, one of them a case, and three messages that are refused; all of it done."""
    with System(servers, tmp_path_factory.mktemp("audit")) as running:
        people = [CASE, CONTACT, QR, RAW]
        scans = [scan(p, m, d) for p in people for m, d in ((0, "in"), (40, "out"))]
        bad = [scan("079001990003-GI-SECRET", 0, scanned_at=f"{CASE}"), scan(CONTACT, 0, direction=QR), scan(RAW, 9000)]
        case = {
            "case_id": "c1",
            "person": CASE,
            "status": "confirmed",
            "sampled_at": NOW * 1000,
            "reported_at": (NOW + 3000) * 1000,
            "reported_by": "desk",
        }
        running.publish("scans", [*scans, *bad])
        running.publish("cases", [case, {**case, "case_id": "c2", "status": CASE}], key="case_id")
        running.worker()
        running.settle()
        assert len(running.exposures()) == 3 and len(running.records("rejects")) == 4
        yield running


def reidentify(system: System, *words: str) -> tuple[int, str, str]:
    done = system.run("reidentify", *words)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def log(system: System) -> list[Read]:
    return system.kafka.read(system.prefix + "audit", partitions=system.partitions)


def verify(system: System, *words: str) -> tuple[int, dict[str, Any]]:
    done = system.run("audit", "verify", "--json", *words)
    return done.returncode, json.loads(done.stdout)


def test_contacts_are_called_back(system: System) -> None:
    asked = sorted(e["person"] for e in system.exposures().values())
    code, out, err = reidentify(system, *asked, "--by", "An", "--reason", "call back", "--case", "c1")
    assert code == 0, err
    codes = {CONTACT: f"cccd:{CONTACT}", QR: "qid:98765432109876", RAW: f"raw:{RAW}"}
    assert out.splitlines() == [f"{name(c)} {text}" for c, text in sorted(codes.items(), key=lambda i: name(i[0]))]


def test_no_code_anywhere_but_where_the_page_says(system: System) -> None:
    """The table of docs/privacy.md against every record, every key and value, and the worker's log."""
    reidentify(system, name(CASE), "--by", "An", "--reason", "call back")
    places = table()
    pattern = re.compile("|".join(map(re.escape, TRACES)).encode())
    held = set()
    for topic in TOPICS:
        for read in system.kafka.read(system.prefix + topic.name, partitions=system.partitions):
            assert not pattern.search(read.key or b""), f"a code in a key of {topic.name}"
            if pattern.search(read.value or b""):
                held.add(f"topic {topic.name}")
    assert held == {"topic scans", "topic cases"}
    assert {places[place] for place in held} == {"plain"}
    for key, value in redis(system):
        assert kind_of_key(key) in places, f"docs/privacy.md has no row for {kind_of_key(key)}"
        assert not pattern.search(key + value), f"a code in {kind_of_key(key)}"
    assert system.workers[0].words().strip()
    assert not pattern.search(system.workers[0].log.read_bytes())


def redis(system: System) -> Iterator[tuple[bytes, bytes]]:
    import redis as client

    of = client.Redis.from_url(system.redis.url)
    for key in of.keys("*"):
        kind = of.type(key)
        if kind == b"hash":
            value = b"\n".join(k + b" " + v for k, v in of.hgetall(key).items())
        elif kind == b"string":
            value = of.get(key) or b""
        elif kind == b"set":
            value = b"\n".join(of.smembers(key))
        else:
            assert kind == b"zset", kind
            value = b"\n".join(member for member, _ in of.zrange(key, 0, -1, withscores=True))
        yield key, value
    of.close()


def test_no_answer_without_a_line(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log cannot be written: exit 1, and nothing of a code on the terminal."""
    before = len(log(system))
    with monkeypatch.context() as away:
        away.setitem(system._env, "TRUYVET_KAFKA", "127.0.0.1:9")
        code, out, err = reidentify(system, name(CONTACT), "--by", "An", "--reason", "call back")
    assert (code, out) == (1, "") and "no Kafka answers" in err
    code, out, err = reidentify(system, name(CONTACT), "--by", "An", "--reason", f"is it {CONTACT}?")
    assert (code, out) == (2, "") and "--reason" in err and CONTACT not in err
    code, out, err = reidentify(system, CONTACT, "--by", "An", "--reason", "call back")
    assert (code, out) == (2, "") and CONTACT not in err
    assert len(log(system)) == before


def test_each_look_is_shown_and_the_log_is_whole(system: System) -> None:
    code, out, err = reidentify(system, name(CONTACT), name("nobody"), "--by", "Bình", "--reason", "letter came back")
    assert code == 1 and f"cccd:{CONTACT}" in out and "does not know it" in err
    shown = system.run("audit", "show", "--json")
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    mine = [line for line in lines if line["by"] == "Bình"]
    assert [(m["subject"], m["outcome"], m["seq"]) for m in mine] == [
        (name(CONTACT), "done", 1),
        (name("nobody"), "unknown", 2),
    ]
    code, report = verify(system)
    assert code == 0 and report["broken"] == [] and report["lines"] == len(lines)


def test_a_log_that_was_tampered_with_is_named_by_line(servers: Servers, tmp_path: Path) -> None:
    """The topic as somebody with a right to write could leave it: the same lines, but for one thing."""
    with System(servers, tmp_path) as system:
        for _ in range(3):
            assert reidentify(system, name("x"), name("y"), "--by", "An", "--reason", "call back")[0] == 1
        noted = json.loads(system.run("audit", "anchor", "--json").stdout)["digest"]
        whole = log(system)
        assert verify(system, "--anchor", noted)[0] == 0
        victim = next(r for r in whole if _line(r).seq == 1 and _line(r).by == "An")  # the anchor's line is one too

    def forged(read: Read) -> bytes:
        return line_bytes(_changed(_line(read)))[0]

    cases: dict[str, list[Read]] = {
        "was changed": [
            r._replace(value=(r.value or b"").replace(b'"An"', b'"Nam"')) if r is victim else r for r in whole
        ],
        "follows another line 1": [r._replace(value=forged(r)) if r is victim else r for r in whole],
        "the lines before it are missing": [r for r in whole if r is not victim],
        "there twice": [r for read in whole for r in ([read, read] if read is victim else [read])],
        "the chain ends at line 1": [r for r in whole if not (r.key == victim.key and _line(r).seq == 2)],
        "the whole chain is missing": [r for r in whole if r.key != victim.key],
    }
    for n, (why, records) in enumerate(cases.items()):
        with System(servers, tmp_path / str(n)) as system:
            system.kafka.send(system.prefix + "audit", [(r.key, r.value or b"") for r in records])
            code, report = verify(system)
            assert code == 1, why
            first = report["broken"][0]
            assert why in first["why"] and first["chain"] == (victim.key or b"").decode(), (why, report["broken"])
            if n == 0:
                refused = system.run("audit", "anchor")
                assert refused.returncode == 1 and len(log(system)) == len(records)


def _line(read: Read) -> AuditLine:
    line = read_line(read.value or b"")
    assert line is not None
    return line


def _changed(line: AuditLine) -> AuditLine:
    return msgspec.structs.replace(line, by="Nam")


def test_a_log_that_age_cut_is_whole(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        reidentify(system, name("x"), name("y"), "--by", "An", "--reason", "call back")
        system.run("audit", "anchor")
        place = next(p for p, end in system.kafka.ends(system.prefix + "audit").items() if end >= 2)
        system.kafka.delete_before(system.prefix + "audit", {place: 1})
        code, report = verify(system)
        assert code == 0 and report["beginning_no_longer_kept"] == 1, report


async def test_destroyed_codes_are_not_answered(system: System) -> None:
    from streams.state import vault

    store = await system.store()
    try:
        digest = Pseudonymiser(KEY.encode()).digest(RAW)
        assert await vault.forget(store, {digest: NOW + 7200}) == 1
        assert (await store.run([Call("EXISTS", ("tv:gen",))])) == [1]
    finally:
        await store.close()
    code, out, err = reidentify(system, name(RAW), "--by", "An", "--reason", "call back")
    assert (code, out) == (1, "") and "was erased" in err


def test_a_pair_of_keys_of_its_own_closes_the_vault_to_workers(servers: Servers, tmp_path: Path) -> None:
    """Workers hold the printed half; the private half opens; the pseudonym key alone does not any more."""
    with System(servers, tmp_path) as system:
        made = system.run("vault", "keys", "--out", str(tmp_path / "desk.key"))
        setting, public = made.stdout.decode().strip().split("=", 1)
        assert system.run("vault", "keys", "--out", str(tmp_path / "desk.key")).returncode == 1
        assert (tmp_path / "desk.key").stat().st_mode & 0o077 == 0
        system._env[setting] = public
        long_ago = -71 * 1440
        # In one partition: Kafka may take away a segment whose newest record is so old before a worker comes.
        old = (NOW + 60 * long_ago) * 1000
        system.publish("scans", [scan(CONTACT, long_ago)], key="gateway_id", at_ms=old)
        system.publish("scans", [scan(RAW, 0)], key="gateway_id")
        worker = system.worker()
        system.settle()
        code, out, err = reidentify(system, name(CONTACT), "--by", "An", "--reason", "call back")
        assert (code, out) == (2, "") and "TRUYVET_VAULT_KEY_FILE" in err
        system._env["TRUYVET_VAULT_KEY_FILE"] = str(tmp_path / "desk.key")
        code, out, err = reidentify(system, name(CONTACT), "--by", "An", "--reason", "call back")
        assert (code, out) == (0, f"{name(CONTACT)} cccd:{CONTACT}\n"), err
        assert worker.alive

        def sweep(**env: str) -> Any:
            system._env.update(env)
            return json.loads(system.run("vault", "sweep", "--json").stdout)

        assert sweep() == {"gone": 0, "kept_days": 90}
        assert sweep(TRUYVET_RETENTION_DAYS="0") == {"gone": 0, "kept_days": None}
        assert sweep(TRUYVET_RETENTION_DAYS="1", TRUYVET_RETENTION_CLOCK="stream") == {"gone": 1, "kept_days": 70}
        asked = [name(CONTACT), name(RAW), "--by", "An", "--reason", "call back"]
        assert reidentify(system, *asked)[:2] == (1, f"{name(RAW)} raw:{RAW}\n")
