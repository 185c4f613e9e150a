"""`truyvet bench graph`: what a scan takes in Redis, under its person and under its venue."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np

from console.bench.results import machine, write_out
from console.bench.town import DAYS, Town
from console.tables import as_json, table
from streams.rules.codes import venue_token
from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.redis import RedisStore
from streams.state import graph
from streams.state.layout import RECORD, tokens_of

A_BATCH = 20_000
SAMPLE = 1_000  # keys of each side


class Result(msgspec.Struct, frozen=True):
    """Bytes a scan. `both`: what Redis's memory grew by, everything included; `person`, `venue`: of a sample of keys,
    as MEMORY USAGE has them; `resident`: what the process grew by; `record`: what is kept of a scan on either side."""

    machine: dict[str, Any]
    scans: int
    people: int
    both: float
    person: float
    venue: float
    resident: float
    record: int = RECORD


async def measure(scans: int, a_day: int, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Scans are written as the ingest writes them, in order of time."""
    town = Town(scans, int(time.time()))
    town.people = max(scans // (DAYS * a_day), 100)
    with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            store = await RedisStore.open(server.url)
            before = await store.client.info("memory")
            facts = _facts(town)
            for first in range(0, scans, A_BATCH):
                part = slice(first, first + A_BATCH)
                await graph.write(store, graph.Facts(*(column[part] for column in facts)))
                if first % 1_000_000 == 0 and first:
                    tell(f"{first:,} scans written")
            after = await store.client.info("memory")
            person, venue = await _side(store, "tv:p:*"), await _side(store, "tv:v:*")
            await store.close()
        finally:
            server.kill()
    grown = {name: (after[name] - before[name]) / scans for name in ("used_memory", "used_memory_rss")}
    return Result(machine(), scans, town.people, grown["used_memory"], person, venue, grown["used_memory_rss"])


def _facts(town: Town) -> tuple[Any, ...]:
    """The town's scans as columns, in order of time."""
    rng = np.random.default_rng(5)
    n = town.scans
    people = tokens_of(rng.bytes(8 * town.people))
    places = tokens_of(b"".join(venue_token(f"VN-{i:06d}") for i in range(town.busy + town.quiet)))
    busy = rng.random(n) < 0.2
    venue = places[np.where(busy, rng.integers(0, town.busy, n), town.busy + rng.integers(0, town.quiet, n))]
    day = town.first_day + rng.integers(0, DAYS, n)
    second = np.sort(day * 86_400 - 25_200 + rng.integers(6 * 3_600, 22 * 3_600, n))
    person = people[rng.integers(0, town.people, n)]
    return person, venue, second, rng.random(n) < 0.2, rng.random(n) < 0.05, np.zeros(n, bool)


async def _side(store: RedisStore, pattern: str) -> float:
    """Bytes a scan of some keys of one side."""
    client = store.client
    keys = [key async for key in client.scan_iter(pattern, 1000)]
    keys = keys[:: max(len(keys) // SAMPLE, 1)]
    room = scans = 0
    for key in keys:
        room += await client.memory_usage(key, samples=0)
        if pattern.startswith("tv:v"):
            scans += await client.strlen(key) // RECORD
        else:
            scans += sum(len(value) for value in await client.hvals(key)) // RECORD
    return room / max(scans, 1)


@click.command(short_help="Bytes a scan in Redis.")
@click.option("--scans", type=click.IntRange(10_000, 100_000_000), default=10_000_000, show_default=True)
@click.option("--a-day", type=click.IntRange(1, 50), default=4, show_default=True, help="Scans of a person in a day.")
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def command(scans: int, a_day: int, json_: bool, out: Path | None) -> None:
    """What a scan takes in Redis, on both sides of the contact graph: fourteen days of a town.

    The more scans a person has in a day, the less room each takes, and the more there are in all: a key has its price.
    """
    result = asyncio.run(measure(scans, a_day, lambda words: click.echo(words, err=True)))
    write_out(result, out)
    if json_:
        as_json(msgspec.to_builtins(result))
        return
    rows = [
        ["both sides, all that Redis grew by", f"{result.both:.1f}"],
        ["under its person (keys' own size)", f"{result.person:.1f}"],
        ["under its venue (keys' own size)", f"{result.venue:.1f}"],
        ["both sides, resident", f"{result.resident:.1f}"],
    ]
    table(f"{scans:,} scans, {a_day} a person and day; bytes a scan", ["", "bytes"], rows, ["bytes"])
