"""A gateway as a process of its own, for tests: started, killed, asked."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from streams.runtime.embedded import EmbeddedKafka
from streams.runtime.process import free_port
from streams.runtime.settings import Settings
from streams.runtime.topics import ensure_topics
from tests.pipeline.system import Program, wait_until

CODE = "079203001234"
TRUYVET = str(Path(__file__).resolve().parents[2] / ".venv" / "bin" / "truyvet")


class Gateway:
    """A gateway on one port and one spool, to be started and killed again and again."""

    def __init__(self, folder: Path, kafka: str, prefix: str = "", *options: str) -> None:
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


def make_topics(kafka: EmbeddedKafka, prefix: str = "") -> None:
    settings = Settings.load({"TRUYVET_KAFKA": kafka.address, "TRUYVET_TOPIC_PREFIX": prefix})
    asyncio.run(ensure_topics(settings, 4))


def scan(number: int) -> dict[str, Any]:
    scanned_at = int(time.time() * 1000)
    return {"scan_id": str(number), "venue_id": "v", "person": CODE, "scanned_at": scanned_at, "gateway_id": "g"}
