"""`truyvet up` and `truyvet status` as a person runs them: one folder, one process, everything below it."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest

from tests.house.test_readme import example

PATIENCE = 120.0
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("TRUYVET_")}


class Up:
    """A `truyvet up` in a folder of its own."""

    def __init__(self, folder: Path, *args: str, **environment: str) -> None:
        self.folder = folder
        self._err = (folder / "up.err").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console.main", "up", *args],
            cwd=folder,
            env={**CLEAN, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._err,
        )

    def ready(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.words()
        return json.loads(line)

    def words(self) -> str:
        return (self.folder / "up.err").read_text()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(60)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._err.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def make(*args: str, **environment: str) -> Up:
        started.append(Up(tmp_path, *args, **environment))
        return started[-1]

    yield make
    for up in started:
        up.close()


def truyvet(folder: Path, *args: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.main", *args],
        cwd=folder,
        env=CLEAN,
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def status(folder: Path) -> dict[str, Any]:
    done = truyvet(folder, "status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def until(what: Callable[[], bool], words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, words
        time.sleep(0.1)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def page_of(ready: dict[str, Any]) -> dict[str, Any]:
    try:
        with urlopen(ready["page"] + "/healthz", timeout=30) as answer:
            return json.load(answer)
    except HTTPError as refused:  # 503 with the same body
        return json.load(refused)


SCAN = {
    "scan_id": "s1",
    "venue_id": "V1",
    "person": "999000000001",
    "scanned_at": "2026-01-05T08:00:00+07:00",
    "gateway_id": "G1",
}


def test_a_day_with_up(start: Callable[..., Up], tmp_path: Path) -> None:
    """Start, look, send, lose a worker, lose Redis, stop; start again and find everything."""
    up = start("--workers", "2", "--partitions", "3")
    ready = up.ready()

    assert ready["ready"] is True
    assert ready["kafka"].startswith("127.0.0.1:") and ready["redis"] == f"redis://127.0.0.1:{ready['redis'][18:-2]}/0"
    assert len(ready["pids"]["workers"]) == 2
    below = {child.pid for child in up.children()}
    assert {ready["pids"]["kafka"], ready["pids"]["redis"], *ready["pids"]["workers"]} <= below

    # The key and the run file are nobody else's to read.
    for private in (tmp_path / ".truyvet/data/key", tmp_path / ".truyvet/truyvet.env"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    key = (tmp_path / ".truyvet/data/key").read_bytes()
    assert len(key.strip()) == 64

    # Other commands in this folder find it without a setting.
    told = status(tmp_path)
    assert told["state"] == "ready" and told["pids"] == ready["pids"]
    assert told["lag"]["scans"] == 0 and len(told["generation"]) == 32
    assert page_of(ready)["state"] == "ready"
    with urlopen(ready["page"], timeout=30) as answer:
        assert b"<!doctype html>" in answer.read()
    assert truyvet(tmp_path, "topics", "--partitions", "3").returncode == 0

    assert truyvet(tmp_path, "replay", "-", text=json.dumps(SCAN) + "\n").returncode == 0
    assert truyvet(tmp_path, "wait", "--timeout", "60").returncode == 0
    assert status(tmp_path)["lag"]["scans"] == 0

    # The example of the README, on the settings that it says to use.
    (tmp_path / "example.py").write_text(example())
    shown = subprocess.run(
        ["bash", "-c", f"set -a; . .truyvet/truyvet.env; exec {sys.executable} example.py"],
        cwd=tmp_path,
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert re.fullmatch(r"raised p1[a-z2-7]{26} 60 min, score \d+\.\d+ \w+\n", shown.stdout), shown.stderr

    # A worker that dies is started again, and `status` has its new number.
    lost = ready["pids"]["workers"][0]
    os.kill(lost, signal.SIGKILL)
    until(
        lambda: len(found := status(tmp_path)["pids"]["workers"]) == 2 and lost not in found,
        f"no new worker: {up.words()}",
    )
    assert "worker 1 ended (killed by SIGKILL)" in up.words()

    # So is Redis, with what it held; the workers go on with it.
    os.kill(ready["pids"]["redis"], signal.SIGKILL)
    until(lambda: page_of(ready).get("generation") == told["generation"], f"no Redis: {up.words()}")

    everything = up.children()
    assert up.stop() == 0
    assert gone(everything)
    assert not (tmp_path / ".truyvet/truyvet.env").exists()
    assert truyvet(tmp_path, "status").returncode == 1

    other = start("--partitions", "5")
    assert other.process.wait(PATIENCE) == 2
    assert f"--partitions: {tmp_path}/.truyvet/data was begun with 3, and that cannot be changed" in other.words()

    # What was in the folder is there again: topics, records, state, key.
    again = start("--workers", "1")
    ready = again.ready()
    assert page_of(ready)["generation"] == told["generation"]
    assert (tmp_path / ".truyvet/data/key").read_bytes() == key
    assert truyvet(tmp_path, "topics", "--partitions", "3").returncode == 0
    assert truyvet(tmp_path, "wait", "--timeout", "60").returncode == 0
    assert again.stop(signal.SIGINT) == 0


def test_kill_9_leaves_nothing_running_and_the_next_start_works(start: Callable[..., Up], tmp_path: Path) -> None:
    up = start()
    generation = page_of(up.ready())["generation"]
    everything = up.children()
    assert len(everything) >= 3
    up.process.kill()
    up.process.wait()
    until(lambda: gone(everything), "something survived its supervisor")

    # The run file is still there, and nobody believes it.
    assert (tmp_path / ".truyvet/truyvet.env").exists()
    refused = truyvet(tmp_path, "status")
    assert refused.returncode == 1
    assert "no Kafka answers at 127.0.0.1:9092 (TRUYVET_KAFKA)" in refused.stderr

    again = start()
    assert page_of(again.ready())["generation"] == generation
    assert again.stop() == 0


def test_only_one_at_a_time_in_a_data_folder(start: Callable[..., Up], tmp_path: Path) -> None:
    first = start()
    first.ready()
    second = start()
    assert second.process.wait(PATIENCE) == 1
    assert f"`truyvet up` (pid {first.process.pid}) uses {tmp_path}/.truyvet/data already" in first.words()
    assert status(tmp_path)["state"] == "ready"
    assert first.stop() == 0


def test_a_taken_port_is_named_and_everything_is_taken_down(start: Callable[..., Up], tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for option, words in (("--redis-port", "redis"), ("--kafka-port", "kafka")):
            up = start(option, str(port))
            assert up.process.wait(PATIENCE) == 1
            assert f"truyvet: port {port} for {words} is taken on 127.0.0.1" in up.words()
            assert "Traceback" not in up.words()


def test_a_worker_that_cannot_start_ends_it_with_its_reason(start: Callable[..., Up], tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "wrong.toml").write_text("id = 3")
    up = start(TRUYVET_POLICIES=str(tmp_path / "policies"))
    assert up.process.wait(PATIENCE) == 1
    assert "worker 1 does not start: truyvet: " in up.words()
    assert "Traceback" not in up.words()


def test_sigterm_while_starting_is_an_end_like_any_other(start: Callable[..., Up], tmp_path: Path) -> None:
    up = start()
    until(lambda: len(up.children()) >= 2, "Kafka was not started")
    everything = up.children()
    assert up.stop() == 0
    assert gone(everything)
