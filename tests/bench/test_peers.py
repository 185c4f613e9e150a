"""The peers of `truyvet bench ingest --peers` do the whole job, or are not measured."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from console.bench import foreign, ingest
from console.bench.contenders import Child
from console.bench.foreign import HERE, ROOT, Foreign, missing
from console.bench.ingest import PEERS, Line
from console.bench.load import Load, Province
from console.bench.system import System
from console.trouble import Trouble
from streams.runtime.settings import Settings

UNTIL = 1_790_000_000


def test_broker_and_kafka_streams_are_one_release() -> None:
    def version(pom: Path, artifact: str) -> str:
        found = re.search(rf"<artifactId>{re.escape(artifact)}</artifactId><version>([^<]+)<", pom.read_text())
        assert found is not None, pom
        return found[1]

    broker = version(ROOT / "deploy/kafka/pom.xml", "kafka_2.13")
    assert version(ROOT / HERE / "kafka_streams/pom.xml", "kafka-streams") == broker


def _peer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str) -> Foreign:
    """One that says so, and waits."""
    code = f"import signal\nprint({says!r}, flush=True)\nsignal.pause()"
    monkeypatch.setitem(foreign._PEERS, "quix", (lambda: (tmp_path, [sys.executable, "-c", code]), "python"))
    return Foreign("quix", Settings.load({}, run_file=None), (1, 2), tmp_path / "log")


async def test_one_that_lost_a_direction_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    peer = _peer(monkeypatch, tmp_path, "1\n2\nkept 40 39 40")
    try:
        await peer.reach(1)
        with pytest.raises(Trouble, match="39 by venue"):
            await peer.kept()
    finally:
        peer.stop()


async def test_one_that_kept_everything_twice_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    peer = _peer(monkeypatch, tmp_path, "1\n2\nkept 80 80 80")
    try:
        assert await peer.kept() == 80  # and `_one` compares it with what was sent
    finally:
        peer.stop()


def test_what_a_child_said_are_whole_lines(tmp_path: Path) -> None:
    child = Child([sys.executable, "-c", "print('one\\nhalf', end='', flush=True); input()"], {}, tmp_path / "log")
    try:
        with pytest.raises(Trouble):  # no standard input: it ends, and that is told
            while True:
                child.lines()
        assert child.heard() == [b"one"]
    finally:
        child.stop()


@pytest.mark.bench
@pytest.mark.parametrize("line", PEERS, ids=lambda line: line.title)
async def test_whole_job(line: Line) -> None:
    """Some thousand scans, many of them twice and in other records: `_one` refuses a peer that keeps another number."""
    assert line.peer is not None
    if how := missing([line.peer]):
        pytest.skip(how[line.peer])
    province = Province(people=500, venues=50)
    before, days = province.everybody(UNTIL), province.days(5_000, UNTIL)
    again = days.scans[::3], days.gateway[::3], days.content[:, ::3]
    twice = Load(days.scans + again[0], days.gateway + again[1], np.concatenate([days.content, again[2]], axis=1))
    async with System() as system:
        run = await ingest._one(system, line, "peer.", before, twice)
    assert run.scans == len(twice) and run.client_us > 0 and run.redis_bytes == 0
