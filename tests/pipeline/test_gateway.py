"""The gateway as a process: kill -9 under load, Kafka away, a full disk; what was answered with 202 is in the topic."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from streams.runtime.embedded import EmbeddedKafka
from streams.runtime.process import free_port
from streams.runtime.settings import Settings
from streams.runtime.topics import ensure_topics
from tests.pipeline.broker import Kafka
from tests.pipeline.system import Program, Servers, wait_until
from tests.pipeline.terminals import Terminals
from tests.pipeline.test_words import small_disk

CODE = "079203001234"


class Gateway:
    """A gateway on one port and one spool, to be started and killed again and again."""

    def __init__(self, folder: Path, kafka: str, prefix: str = "", *options: str, before: Sequence[str] = ()) -> None:
        self.folder, self.port = folder, free_port()
        self.spool, self.log = folder / "spool", folder / "gateway.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {"TRUYVET_KAFKA": kafka, "TRUYVET_TOPIC_PREFIX": prefix, "TRUYVET_GATEWAY_SPOOL": str(self.spool)}
        self._options = ("--port", str(self.port), "--rate", "0", *options)
        self.program: Program | None = None

    def start(self) -> Gateway:
        self.launch()
        wait_until(self.answers, what="the gateway answers")
        return self

    def launch(self) -> None:
        self.program = Program(["-m", "console.main", "gateway", *self._options], self.log, self._env)

    def answers(self) -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=10) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:  # 503: it takes nothing
            return dict(json.loads(error.read()))

    def post(self, *scans: dict[str, Any]) -> int:
        request = urllib.request.Request(self.url + "/scans", json.dumps(scans).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def kill(self) -> None:
        assert self.program is not None
        self.program.kill()

    def drained(self, patience: float = 60.0) -> None:
        wait_until(lambda: self.health()["records_waiting"] == 0, patience, what="all is published")

    def end(self) -> None:
        if self.program is not None and self.program.alive:
            self.program.kill()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """One that may be killed; not started."""
    kafka = EmbeddedKafka(tmp_path / "kafka", heap="256m")
    yield kafka
    kafka.stop()


def make_topics(kafka: EmbeddedKafka, prefix: str = "") -> None:
    settings = Settings.load({"TRUYVET_KAFKA": kafka.address, "TRUYVET_TOPIC_PREFIX": prefix})
    asyncio.run(ensure_topics(settings, 4))


def rounds(gateway: Gateway, load: Terminals, rng: random.Random, many: int) -> None:
    """kill -9 at a random instant, each time after scans were confirmed since the last."""
    for _ in range(many):
        before = load.confirmed
        wait_until(lambda before=before: load.confirmed > before, what="scans are confirmed")
        time.sleep(rng.random() * rng.choice((0.02, 0.2, 0.6)))
        gateway.kill()
        gateway.launch()


def finish(gateway: Gateway, load: Terminals, kafka: EmbeddedKafka, prefix: str = "") -> None:
    load.stop()
    gateway.drained()
    health = gateway.health()
    assert health["state"] == "ready" and health["damaged_bytes"] == 0
    scans, again = load.check(Kafka(kafka.address).read(prefix + "scans"))
    wait_until(lambda: not list(gateway.spool.glob("*.seg")), what="published segments are deleted")
    assert gateway.program is not None and gateway.program.terminate() == 0
    print(f" {load.confirmed} confirmed, {scans} in the topic, {again} again, answers {load.answers}", end="")


def test_killed_under_load_and_kafka_comes_late_and_goes(servers: Servers, tmp_path: Path) -> None:
    """The Kafka of all tests, to save a start: at first without the topic, later stopped for a while."""
    seed = random.randrange(1_000_000)
    print(f"\nseed {seed}", end="")
    rng = random.Random(seed)
    kafka, prefix = servers.kafka, servers.name()
    gateway = Gateway(tmp_path, kafka.address, prefix)
    try:
        gateway.start()
        with Terminals(gateway.url, 6, seed) as load:
            rounds(gateway, load, rng, 2)
            wait_until(gateway.answers)
            assert not gateway.health()["published"]
            make_topics(kafka, prefix)
            wait_until(lambda: gateway.health()["published"], what="something is published")
            rounds(gateway, load, rng, 2)
            kafka.stop()
            rounds(gateway, load, rng, 1)
            kafka.start()
            rounds(gateway, load, rng, 1)
            wait_until(gateway.answers)
            finish(gateway, load, kafka, prefix)
    finally:
        gateway.end()
        if not kafka.running():
            kafka.start()


@pytest.mark.faults
def test_thirty_deaths_and_a_minute_without_kafka(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"\nseed {seed}", end="")
    rng = random.Random(seed)
    gateway = Gateway(tmp_path, own_kafka.address)
    try:
        own_kafka.start()
        make_topics(own_kafka)
        gateway.start()
        with Terminals(gateway.url, 8, seed) as load:
            rounds(gateway, load, rng, 10)
            own_kafka.stop()
            away = time.monotonic()
            rounds(gateway, load, rng, 3)
            # The last one lives through the rest of the minute: past the time after which it gives its producer up.
            time.sleep(max(0.0, away + 60 - time.monotonic()))
            health = gateway.health()
            assert not health["kafka"] and health["state"] == "waiting" and health["oldest_waiting_seconds"] >= 50
            own_kafka.start()
            rounds(gateway, load, rng, 10)
            for _ in range(2):
                own_kafka.kill()
                rounds(gateway, load, rng, 2)
                own_kafka.start()
                rounds(gateway, load, rng, 2)
            _paused(own_kafka, 45)
            rounds(gateway, load, rng, 2)
            wait_until(gateway.answers)
            finish(gateway, load, own_kafka)
    finally:
        gateway.end()


def _paused(kafka: EmbeddedKafka, seconds: float) -> None:
    """A broker that hangs, and goes on with what it had in hand."""
    os.kill(kafka.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(kafka.pid, signal.SIGCONT)


@pytest.mark.faults
def test_one_that_lives_through_an_outage_publishes_once(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """The idempotent producer: what Kafka had taken before it died is not written again."""
    own_kafka.start()
    make_topics(own_kafka)
    gateway = Gateway(tmp_path, own_kafka.address).start()
    try:
        with Terminals(gateway.url, 4, 1) as load:
            wait_until(lambda: gateway.health()["published"] > 50)
            own_kafka.kill()
            wait_until(lambda: not gateway.health()["kafka"], what="it notices")
            own_kafka.start()
            load.stop()
            gateway.drained()
            scans, again = load.check(Kafka(own_kafka.address).read("scans"))
            assert scans == load.confirmed and again == 0
    finally:
        gateway.end()


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


def scan(number: int) -> dict[str, Any]:
    scanned_at = int(time.time() * 1000)
    return {"scan_id": str(number), "venue_id": "v", "person": CODE, "scanned_at": scanned_at, "gateway_id": "g"}


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
    words = [*prefix, gateway_command(), "gateway", "--port", str(gateway.port), "--rate", "0"]
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


def gateway_command() -> str:
    return str(Path(__file__).resolve().parents[2] / ".venv" / "bin" / "truyvet")


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
                [gateway_command(), "gateway", *options], capture_output=True, text=True, check=False, timeout=30
            )
            assert done.returncode == (2 if "many" in options else 1)
            assert words in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    finally:
        gateway.end()
