"""What a person is told: of a message that was refused, of a setting that is wrong, of a machine that lacks something.
Beside tests/console/test_words.py, which asks the parts: here the real processes are asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from streams.ports import Call, StoreDown
from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.redis import RedisStore
from tests.pipeline.answers import Sent, records, send
from tests.pipeline.system import KEY, ROOT, Servers, System

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("TRUYVET_")}
NOW = int(time.time()) * 1000
SECRET = "079222333444"  # in every bad field: no detail may repeat it
SCAN = {"scan_id": "s", "venue_id": "v", "person": SECRET, "scanned_at": NOW, "gateway_id": "g"}
CASE = {
    "case_id": "c",
    "person": SECRET,
    "status": "confirmed",
    "sampled_at": NOW,
    "reported_at": NOW,
    "reported_by": "desk",
}
VENUE = {"venue_id": "v", "name": "Quán", "type": "bar", "registered_at": NOW}
LINK = {"op": "link", "code": SECRET, "same_as": "079222333445", "at": NOW, "by": "desk"}
RELEASE = {"case_id": "c", "decision": "release", "at": NOW, "by": "desk"}

# topic, message, reason, how the detail begins, index
REFUSED: list[tuple[str, Any, str, str, int | None]] = [
    ("scans", b'{"person": "' + SECRET.encode(), "not_json", ": expected JSON in UTF-8", None),
    ("scans", b'{"scanned_at": NaN}', "not_json", ": expected JSON", None),
    ("scans", b'"\xff"', "not_json", ": expected JSON", None),
    ("scans", json.dumps(SECRET).encode(), "schema", ": expected", None),
    ("scans", {**SCAN, "person": ""}, "schema", "/person: expected", None),
    ("scans", {**SCAN, "person": "x" * 1025}, "schema", "/person: expected", None),
    ("scans", {**SCAN, "venue_id": f" {SECRET}"}, "schema", "/venue_id: expected", None),
    ("scans", {**SCAN, "scanned_at": SECRET}, "schema", "/scanned_at: expected", None),
    ("scans", {**SCAN, "direction": SECRET}, "schema", "/direction: expected", None),
    ("scans", {**SCAN, "void": SECRET}, "schema", "/void: expected", None),
    ("scans", {k: v for k, v in SCAN.items() if k != "gateway_id"}, "schema", "/gateway_id: expected", None),
    ("scans", [{**SCAN, "venue_id": "v2"}, {**SCAN, "role": SECRET}], "schema", "/1/role: expected", 1),
    ("scans", [SCAN] * 1001, "schema", ": expected", None),
    ("scans", {**SCAN, "scanned_at": NOW + 30 * 86_400_000}, "future", "/scanned_at: expected", None),
    ("scans", {**SCAN, "scanned_at": NOW - 22 * 86_400_000}, "expired", "/scanned_at: expected", None),
    ("cases", {**CASE, "status": SECRET}, "schema", "/status: expected", None),
    ("cases", {**CASE, "onset_at": True}, "schema", "/onset_at: expected", None),
    ("venues", {**VENUE, "dwell_minutes": 0}, "schema", "/dwell_minutes: expected", None),
    ("venues", {**VENUE, "linger_minutes": 61}, "schema", "/linger_minutes: expected", None),
    ("people", {**LINK, "same_as": [SECRET]}, "schema", "/same_as: expected", None),
    ("people", {**LINK, "op": SECRET}, "schema", "/op: expected", None),
    ("decisions", {**RELEASE, "at": SECRET}, "schema", "/at: expected", None),
    ("decisions", {**RELEASE, "decision": SECRET}, "schema", "/decision: expected", None),
    ("policies", {"id": "p"}, "schema", "", None),
]


def test_each_refusal_has_its_reason_and_its_field(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        system.worker()
        send(system, [Sent(t, b"k", m if isinstance(m, bytes) else json.dumps(m).encode()) for t, m, *_ in REFUSED])
        system.settle()
        came = {(r.topic, r.partition, r.offset): r.value for r in records(system, *{t for t, *_ in REFUSED})}
        assert len(came) == len(REFUSED)
        found: dict[tuple[str, bytes | None], list[dict[str, Any]]] = {}
        for record in records(system, "rejects"):
            reject = json.loads(record.value or b"")
            found.setdefault(
                (reject["topic"], came[reject["topic"], reject["partition"], reject["offset"]]), []
            ).append(reject)
        for topic, message, reason, detail, index in REFUSED:
            value = message if isinstance(message, bytes) else json.dumps(message).encode()
            rejects = found.pop((topic, value), [])
            said = [(r["reason"], r["index"], r["detail"]) for r in rejects]
            assert len(said) == 1 and said[0][:2] == (reason, index), (topic, value[:200], said)
            assert said[0][2].startswith(detail) and SECRET not in said[0][2], said
        assert not found

        listed = system.run("rejects", "--reason", "future")
        assert listed.returncode == 0 and b"future" in listed.stdout and b"scanned_at" in listed.stdout


def truyvet(folder: Path, *args: str, prefix: tuple[str, ...] = (), **environment: str) -> tuple[int, str]:
    """Exit code and standard error; nothing may be on standard output."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "console.main", *args],
        cwd=folder,
        env={**CLEAN, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "" and "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("TRUYVET_BATCH_SECONDS", "0", "a whole number from 1 to 3600"),
        ("TRUYVET_SESSION_SECONDS", "soon", "a whole number from 1 to 300"),
        ("TRUYVET_OPS_PUBLIC", "c2hvcnQ=", "32 bytes in base64"),
        ("TRUYVET_OPS_KEY_FILE", "/nowhere", "a file that is there"),
        ("TRUYVET_VAULT_PUBLIC", "%", "32 bytes in base64"),
        ("TRUYVET_VAULT_KEY_FILE", "/nowhere", "a file that is there"),
        ("TRUYVET_ESCROW_PUBLIC", "AAAA", "32 bytes in base64"),
        ("TRUYVET_KAFKA_SECURITY_PROTOCOL", "TLS", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
    ],
)
def test_a_worker_names_the_setting_that_is_wrong(tmp_path: Path, name: str, value: str, right: str) -> None:
    code, words = truyvet(tmp_path, "worker", TRUYVET_KEY=KEY, **{name: value})
    assert code == 2 and words.startswith(f"truyvet: {name}: {right}") and len(words.splitlines()) == 1, words


def test_a_policy_file_is_named_with_its_field(servers: Servers, tmp_path: Path) -> None:
    text = (ROOT / "tests" / "reference" / "policy.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("min_minutes = 15", "min_minutes = -1"))
    with System(servers, tmp_path, env={"TRUYVET_POLICIES": str(tmp_path)}) as system:
        code, words = truyvet(tmp_path, "worker", **system.environment())
        assert code == 2 and "mine.toml" in words and "min_minutes" in words, words


def test_a_worker_without_kafka_or_redis(servers: Servers, tmp_path: Path) -> None:
    """Settings are right, and nobody is there: the address, and the setting to look at."""
    with System(servers, tmp_path) as system:
        for setting, value in (("TRUYVET_KAFKA", "127.0.0.1:9"), ("TRUYVET_REDIS", "redis://:hidden@127.0.0.1:9/0")):
            code, words = truyvet(tmp_path, "worker", **{**system.environment(), setting: value})
            last = words.splitlines()[-1]
            assert code in (1, 75) and "127.0.0.1:9" in last and setting in last and "hidden" not in words, words


@pytest.mark.parametrize(
    ("lacks", "line"),
    [
        ("java", "java is missing: run `apt-get install -y openjdk-17-jre-headless`"),
        ("redis-server", "redis-server is missing: run `apt-get install -y redis-server`"),
    ],
)
def test_up_without_a_program_says_the_line_to_run(tmp_path: Path, lacks: str, line: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in {"java", "redis-server"} - {lacks}:
        (programs / name).symlink_to(shutil.which(name) or name)
    code, words = truyvet(tmp_path, "up", PATH=str(programs))
    assert code == 1 and words.startswith(f"truyvet: {line}") and len(words.splitlines()) == 1, words


def small_disk(folder: Path, size: str) -> tuple[str, ...]:
    """What to put before a command so that `folder` is a disk of this size for it, and for nobody else."""
    folder.mkdir()
    how = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
    script = f"mount -t tmpfs -o size={size} none '{folder}' && exec \"$@\""
    return (*how, "sh", "-c", script, "sh")


def test_up_on_a_full_disk_says_so(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    prefix = small_disk(disk, "300k")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        code, words = truyvet(tmp_path, "up", "--data", str(disk / "data"), prefix=prefix)
        assert "the disk is full" in words or "No space left" in words, words
    else:  # no right to mount: files that cannot grow are the next best thing
        limit = ("sh", "-c", 'ulimit -f 4; exec "$@"', "sh")
        code, words = truyvet(tmp_path, "up", "--data", str(disk / "data"), prefix=limit)
    assert code == 1 and words.splitlines()[-1].startswith("truyvet: "), words
    assert str(disk / "data") in words, "the place is named"


async def test_a_redis_that_refuses_to_write_says_why(tmp_path: Path) -> None:
    redis = EmbeddedRedis(tmp_path)
    redis.start()
    try:
        store = await RedisStore.open(redis.url, patience=0.3)
        await store.client.config_set("maxmemory", "1000")
        with pytest.raises(StoreDown, match=r"Redis refuses to write \(OOM\): its memory \(maxmemory\) is full$"):
            await store.run([Call("SET", ("k",), (SECRET,))])
        await store.close()
    finally:
        redis.stop()
