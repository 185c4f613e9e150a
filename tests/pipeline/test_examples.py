"""The examples for subscribers, on a real Kafka: highest revision wins, whatever order and however often."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.standing import Standing
from tests.pipeline.system import Servers, System

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def record(exposure_id: str, revision: int, status: str = "raised") -> dict[str, Any]:
    return {
        "exposure_id": exposure_id,
        "revision": revision,
        "status": status,
        "case_id": "C1",
        "person": "p1" + "a" * 26,
        "minutes": revision,
        "band": "low",
    }


HISTORY = [
    *(record("a", n, "raised" if n == 1 else "updated") for n in (1, 2, 5)),
    record("b", 3),
    record("b", 7, "withdrawn"),
    *(record(f"c{i}", i + 1) for i in range(20)),
]
STANDS = {"a": 5, **{f"c{i}": i + 1 for i in range(20)}}


@pytest.mark.parametrize("seed", range(20))
def test_order_and_repetition_change_nothing(seed: int) -> None:
    rng = random.Random(seed)
    records = HISTORY + rng.sample(HISTORY, 10)
    rng.shuffle(records)
    standing = Standing()
    news = [standing.take(r["exposure_id"], json.dumps(r)) for r in records]
    assert {r["exposure_id"]: r["revision"] for r in standing.records()} == STANDS
    told = [(r["exposure_id"], r["revision"]) for r in news if r is not None]
    assert len(told) == len(set(told)) and told.count(("b", 7)) == 1
    assert standing.take("a", None) == {"exposure_id": "a", "status": "ended"}
    assert standing.take("a", None) is None
    assert {r["exposure_id"] for r in standing.records()} == set(STANDS) - {"a"}


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with System(servers, tmp_path_factory.mktemp("examples")) as running:
        records = HISTORY + HISTORY[:5]
        random.Random(1).shuffle(records)
        running.publish("exposures", records, key="exposure_id")
        yield running


def consume(system: System, folder: Path, *words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "follow_exposures.py"), "--db", str(folder / "x.db"), "--once", *words],
        env={**os.environ, **system.environment()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def stands(folder: Path) -> dict[str, int]:
    rows = sqlite3.connect(folder / "x.db").execute(
        "SELECT exposure_id, revision FROM exposures WHERE status != ?", ("withdrawn",)
    )
    return dict(rows)


def test_the_consumer_keeps_what_stands_and_goes_on_where_it_was(system: System, tmp_path: Path) -> None:
    said = consume(system, tmp_path)
    assert stands(tmp_path) == STANDS
    assert said.count(f"withdrawn C1 p1{'a' * 26} 7 low") == 1
    assert consume(system, tmp_path) == [], "nothing is told twice"
    system.publish("exposures", [record("a", 4), record("c1", 9, "updated")], key="exposure_id")
    assert consume(system, tmp_path) == [f"updated C1 p1{'a' * 26} 9 low"]
    assert stands(tmp_path) == {**STANDS, "c1": 9}


def test_the_pipe_of_kcat_reads_committed_records_and_passes_on_what_is_news(system: System, tmp_path: Path) -> None:
    """With a stand-in for kcat, which writes down how it was called and prints the topic as `kcat -J` does."""
    read = system.kafka.read(system.prefix + "exposures", partitions=system.partitions)
    lines = [
        json.dumps(
            {"topic": "exposures", "partition": 0, "offset": i, "key": r.key.decode(), "payload": r.value.decode()}
        )
        for i, r in enumerate(read)
    ]
    lines.append(json.dumps({"topic": "exposures", "partition": 0, "offset": 99, "key": "c0", "payload": None}))
    (tmp_path / "lines").write_text("\n".join(lines) + "\n")
    (tmp_path / "kcat").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/called\ncat {tmp_path}/lines\n')
    (tmp_path / "kcat").chmod(0o755)
    done = subprocess.run(
        [str(EXAMPLES / "follow_exposures_kcat.sh"), "-e"],
        env={**system.environment(), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    called = (tmp_path / "called").read_text()
    for words in (
        f"-b {system.settings().kafka}",
        f"-t {system.prefix}exposures",
        "isolation.level=read_committed",
        "-J",
        "-e",
    ):
        assert words in called
    told = [json.loads(line) for line in done.stdout.splitlines()]
    last = {news["exposure_id"]: news.get("revision") for news in told}
    assert last["a"] == 5 and last["b"] == 7 and last["c0"] is None
    assert told[-1] == {"exposure_id": "c0", "status": "ended"}
