"""Peers that `make install` does not bring, as contenders: Kafka Streams and Quix Streams.

Their programs are in tests/bench/peers of a checkout; the install.sh there brings what they need into .peers.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from console.bench.contenders import Child, said
from console.trouble import Trouble
from streams.runtime.embedded import program
from streams.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("tests/bench/peers")
COUNTS = 300.0  # seconds in which it has counted what it keeps


def _streams() -> tuple[Path, list[str]]:
    home = ROOT / ".peers/kafka-streams"
    options = ["-Xms256m", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
    return home / ".installed", [program("java"), *options, "-cp", f"{home}/build/peer.jar:{home}/libs/*", "peer.Peer"]


def _quix() -> tuple[Path, list[str]]:
    home = ROOT / ".peers/venv"
    return home / ".installed", [str(home / "bin/python"), str(ROOT / HERE / "quix_streams.py")]


_PEERS = {"kafka_streams": (_streams, "streams"), "quix": (_quix, "python")}


def missing(names: Sequence[str]) -> dict[str, str]:
    """Those of them that are not installed → the command that installs them."""
    found = {}
    for name in names:
        where, part = _PEERS[name]
        if not where()[0].exists():
            where_to = "" if (ROOT / HERE).is_dir() else " in a checkout of Truyvet"
            found[name] = f"{HERE}/install.sh {part}{where_to}"
    return found


def tell_missing(lacking: Mapping[str, str]) -> None:
    """`lacking`: what is not installed → the command that installs it."""
    for title, how in lacking.items():
        click.echo(f"{title} is not installed and is not measured; this brings it: {how}", err=True)


class Foreign:
    """One of them at work. `marks` as in Peer; it says by itself what it keeps, in three counts that must be one."""

    def __init__(self, name: str, settings: Settings, marks: Sequence[int], log: Path) -> None:
        self._name, self._marks = name, marks
        self._folder = tempfile.TemporaryDirectory(prefix="truyvet-peer-", ignore_cleanup_errors=True)
        environment = {
            "PEER_KAFKA": settings.kafka,
            "PEER_TOPIC": settings.topic_prefix + "scans",
            "PEER_GROUP": settings.topic_prefix + name,
            "PEER_PARTITIONS": str(settings.partitions),
            "PEER_STATE": self._folder.name,
            "PEER_MARKS": ",".join(map(str, marks)),
        }
        self._child = Child(_PEERS[name][0]()[1], environment, log)

    @property
    def pid(self) -> int:
        return self._child.pid

    async def reach(self, mark: int) -> None:
        await said(self._child, b"%d" % self._marks[mark])

    async def kept(self) -> int | None:
        deadline = time.monotonic() + COUNTS
        while True:
            self._child.lines()
            said = [line.split() for line in self._child.heard() if line.startswith(b"kept ")]
            if said:
                break
            if time.monotonic() > deadline:
                raise Trouble(f"{self._name} did not say within {COUNTS:.0f} s what it keeps")
            await asyncio.sleep(0.05)
        by_person, by_venue, counted = (int(word) for word in said[0][1:])
        if not by_person == by_venue == counted:
            raise Trouble(f"{self._name} keeps {by_person:,} by person, {by_venue:,} by venue and counted {counted:,}")
        return by_person

    def stop(self) -> None:
        self._child.stop()
        self._folder.cleanup()
