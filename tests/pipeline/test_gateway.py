"""The gateway as a process: HTTPS, a full disk, what is no HTTP, wrong use, and what hours in its spool do to scans."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from console.gateway.frames import Record
from console.gateway.spool import Spool
from streams.ports import Read
from streams.runtime.process import free_port
from tests.pipeline.broker import Kafka
from tests.pipeline.gateways import CODE, TRUYVET, Gateway, make_topics, scan
from tests.pipeline.system import Servers, System, wait_until
from tests.pipeline.test_words import small_disk


def test_https_and_an_end_without_kafka(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    made += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    options = ("--tls-cert", str(certificate), "--tls-key", str(key))
    gateway = Gateway(tmp_path, f"127.0.0.1:{free_port()}", "", *options).start()
    try:
        trusted = ssl.create_default_context(cafile=str(certificate))
        request = urllib.request.Request(
            f"https://127.0.0.1:{gateway.port}/scans", json.dumps(scan(1)).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
            assert answer.status == 202
        assert f"https://127.0.0.1:{gateway.port}" in gateway.program.words()  # type: ignore[union-attr]
        began = time.monotonic()
        assert gateway.program.terminate() == 0  # type: ignore[union-attr]
        assert time.monotonic() - began < 5, "a Kafka that is away keeps nobody from ending"
        assert len(list(gateway.spool.glob("*.seg"))) == 1
    finally:
        gateway.end()


def test_a_full_disk(servers: Servers, tmp_path: Path) -> None:
    """A real one, of 2 MiB: 507, nothing lost, and scans are taken again when Kafka has got the first ones."""
    prefix = small_disk(tmp_path / "disk", "2m")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a file system")
    name = servers.name()
    env = {
        **os.environ,
        "TRUYVET_KAFKA": servers.kafka.address,
        "TRUYVET_TOPIC_PREFIX": name,  # whose topics are not made yet: nothing can be published
        "TRUYVET_GATEWAY_SPOOL": str(tmp_path / "disk" / "spool"),
    }
    gateway = Gateway(tmp_path, servers.kafka.address)
    words = [*prefix, TRUYVET, "gateway", "--port", str(gateway.port), "--rate", "0"]
    with gateway.log.open("wb") as log:
        process = subprocess.Popen(words, env=env, stdout=log, stderr=log)
    try:
        wait_until(gateway.answers)
        taken = 0
        while (status := gateway.post(*(scan(taken * 100 + i) for i in range(100)))) == 202:
            taken += 1
        assert status == 507 and taken > 50
        assert gateway.health()["state"] == "full" and "No space left" in gateway.health()["spool_trouble"]
        assert gateway.post(scan(-1)) in (202, 507), "one may still find room"
        make_topics(servers.kafka, name)
        gateway.drained()
        assert gateway.post(scan(10**6)) == 202
        wait_until(lambda: gateway.health()["state"] == "ready")
        gateway.drained()
        found = [json.loads(r.value or b"") for r in Kafka(servers.kafka.address).read(name + "scans")]
        ids = [int(s["scan_id"]) for value in found for s in value]
        assert [i for i in ids if i >= 0] == [*range(taken * 100), 10**6]
        process.terminate()
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_what_is_no_http_is_quoted_nowhere(servers: Servers, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, servers.kafka.address, servers.name()).start()
    try:
        for words in (
            f"POST /scans HTTP/1.1\r\nHost: x\r\nContent-Length: {CODE}x\r\n\r\n",
            f"{CODE}\r\n\r\n",
            f"POST /{CODE} HTTP/9.{CODE}\r\n\r\n",
            f"POST /scans HTTP/1.1\r\nHost: x\r\n{CODE} {CODE}\r\n\r\n{CODE}",
            f"POST /scans HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{CODE}\r\n{CODE}\r\n",
            f"POST /scans HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n{CODE}",
        ):
            with socket.create_connection(("127.0.0.1", gateway.port), 10) as s:
                s.sendall(words.encode())
                s.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: s.recv(65536), b""))
            assert CODE.encode() not in answer, answer
        assert gateway.health()["accepted"] == 0
        assert gateway.program is not None and gateway.program.terminate() == 0
        assert CODE not in gateway.program.words()
    finally:
        gateway.end()


def test_a_second_one_on_the_same_spool_and_a_taken_port(servers: Servers, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, servers.kafka.address, servers.name()).start()
    try:
        for options, words in (
            (["--spool", str(gateway.spool), "--port", "0"], "another gateway works with"),
            (["--spool", str(tmp_path / "b"), "--port", str(gateway.port)], "that port is taken"),
            (["--spool", str(tmp_path / "b"), "--address", "192.0.2.1"], "is no address of this machine"),
            (["--spool", str(tmp_path / "b"), "--port", "many"], "TRUYVET_GATEWAY_PORT: a whole number"),
        ):
            done = subprocess.run(
                [TRUYVET, "gateway", *options], capture_output=True, text=True, check=False, timeout=30
            )
            assert done.returncode == (2 if "many" in options else 1)
            assert words in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    finally:
        gateway.end()


def test_hours_in_the_spool_change_nothing_of_rule_1(servers: Servers, tmp_path: Path) -> None:
    """Received five hours ago, published now: `expired`, `future` and `closed_gateway` are as they were then."""
    hour, day = 3_600_000, 86_400_000
    now = int(time.time() * 1000)
    received = now - 5 * hour
    scans = [
        {**scan(0), "scanned_at": received - 21 * day + hour},  # too old by now
        {**scan(1), "scanned_at": received + hour},  # in the past by now
        {**scan(2), "scanned_at": received, "gateway_id": "closed"},  # an hour ago
        {**scan(3), "scanned_at": received - 21 * day - hour},
    ]
    with System(servers, tmp_path) as system:
        gateway = Gateway(tmp_path, servers.kafka.address, system.prefix)
        asyncio.run(_received(gateway.spool, scans, received))
        system.worker()
        terms = {"gateway_id": "closed", "organisation": "o", "status": "revoked", "revoked_at": now - hour}
        system.publish("gateways", [{**terms, "registered_at": now - 30 * day}], key="gateway_id")
        system.settle()
        gateway.start()
        try:
            gateway.drained()
            system.settle()
            reasons = {r["offset"]: r["reason"] for r in system.records("rejects")}
            assert sorted(r["reason"] for r in system.records("rejects")) == ["expired", "future"]
        finally:
            gateway.end()
        sent = {r.offset: json.loads(r.value or b"") for r in scans_of(system) if r.key == b"g"}
        assert {sent[at]["scan_id"]: reason for at, reason in reasons.items()} == {"1": "future", "3": "expired"}
        assert [r.timestamp for r in scans_of(system)] == [received] * 4


def scans_of(system: System) -> list[Read]:
    return system.kafka.read(f"{system.prefix}scans")


async def _received(folder: Path, scans: Sequence[dict[str, Any]], at: int) -> None:
    """As a gateway leaves it that received them then and was stopped."""
    spool = Spool(folder, 1 << 30)
    spool.start()
    await spool.add([Record(s["gateway_id"].encode(), json.dumps(s).encode(), 1, at) for s in scans])
    await spool.close()
