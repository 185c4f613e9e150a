"""`truyvet bench counters`: what a round of counting costs while scans stream in, as a share of a core.

The roll-up runs here alone, on a Redis of its own, second by second as in a worker: the scans of a second are written
as the ingest writes them (not measured), then a round is (measured). So nothing else's work is in its figure.
"""

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

from console.bench.meter import Meter
from console.bench.results import machine, quantile, write_out
from console.bench.system import KEY
from console.tables import as_json, table
from streams.ports import Store
from streams.rules.codes import Pseudonymiser, venue_token
from streams.rules.policy import load_policies
from streams.runtime.clock import SharedClock
from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.redis import RedisStore
from streams.runtime.serving import TICK
from streams.state import dirty, graph
from streams.state.generation import begin_generation, offset_done
from streams.state.layout import tokens_of
from streams.state.shards import add_days
from streams.state.venues import VenueRow, VenueTable, encode_row
from streams.steps.rollup import Rollup
from streams.steps.worker import Worker

VENUES, COMMUNES = 2_000, 300
SCANS_A_PERSON = 5
A_BATCH = 20_000


class Result(msgspec.Struct, frozen=True):
    """Of each round: CPU seconds of the roll-up and of Redis, and how long it took. `first` = seconds until a new owner
    had read and written the day."""

    machine: dict[str, Any]
    rate: int
    before: int
    first: float
    cpu: list[float]
    redis: list[float]
    wall: list[float]

    @property
    def oldest(self) -> float:
        """Seconds: how old a figure may be. A scan that comes when a round has begun waits for the next one to end."""
        return TICK + 2 * quantile(self.wall, 0.95)


async def measure(rate: int, seconds: int, before: int, tell: Callable[[str], None] = lambda _: None) -> Result:
    """`before` scans of today are there, of 2,000 venues in 300 communes, when `rate` a second begin to come."""
    with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            store = await RedisStore.open(server.url)
            try:
                return await _measure(store, server.pid, rate, seconds, before, tell)
            finally:
                await store.close()
        finally:
            server.kill()


async def _measure(
    store: RedisStore, pid: int, rate: int, seconds: int, before: int, tell: Callable[[str], None]
) -> Result:
    clock, no_log = SharedClock(), None
    generation = (await begin_generation(store, "ready")).id
    worker = Worker(
        store=store,
        log=no_log,  # type: ignore[arg-type]  # nothing is published
        clock=clock,
        pseudonymiser=Pseudonymiser(KEY),
        policies=load_policies(),
        seal=lambda payload: payload,
        generation=generation,
    )
    crowd = _Crowd(before)
    await _register(store)
    now = int(time.time())
    await add_days(store, {(now + 7 * 3_600) // 86_400 + n for n in (-1, 0)})
    for first in range(0, before, A_BATCH):
        await _write(store, crowd.scans(min(A_BATCH, before - first), now - 6 * 3_600, now))
    await offset_done(store, generation, "scans", 0, 1, now * 1000)
    rollup = Rollup(worker)
    began = time.perf_counter()
    while not await rollup.tick():
        pass
    first_s = time.perf_counter() - began
    tell(f"{before:,} scans are counted")
    cpu, redis, wall = [], [], []
    for second in range(seconds):
        now = int(time.time())
        await _write(store, crowd.scans(rate, now - 60, now))
        await offset_done(store, generation, "scans", 0, second + 2, now * 1000)
        with Meter({"redis": pid}) as meter:
            at = time.process_time()
            await rollup.tick()
            cpu.append(time.process_time() - at)
        redis.append(meter.cpu["redis"])
        wall.append(meter.wall)
        await asyncio.sleep(max(0.0, TICK - meter.wall))
    return Result(machine(), rate, before, first_s, cpu, redis, wall)


class _Crowd:
    def __init__(self, before: int) -> None:
        self._rng = np.random.default_rng(5)
        self._people = tokens_of(self._rng.bytes(8 * max(before // SCANS_A_PERSON, 1_000)))
        self._places = tokens_of(b"".join(venue_token(_venue(n)) for n in range(VENUES)))
        weight = 1 / (np.arange(VENUES) + 5.0)  # some are visited by thousands, most by some
        self._weight = weight / weight.sum()

    def scans(self, count: int, since: int, until: int) -> graph.Facts:
        rng = self._rng
        return graph.Facts(
            self._people[rng.integers(0, len(self._people), count)],
            self._places[rng.choice(VENUES, count, p=self._weight)],
            np.sort(rng.integers(since, until, count)),
            rng.random(count) < 0.2,
            rng.random(count) < 0.05,
            np.zeros(count, bool),
        )


def _venue(number: int) -> str:
    return f"VN-{number:05d}"


async def _register(store: Store) -> None:
    await graph.add_venues(store, {venue_token(_venue(n)): _venue(n).encode() for n in range(VENUES)})
    rows = {}
    for number in range(VENUES):
        value = {
            "venue_id": _venue(number),
            "name": "Quán",
            "type": "shop",
            "organisation": f"org-{number % 50}",
            "province": "79",
            "commune": f"{number % COMMUNES:05d}",
            "registered_at": "2021-01-01T00:00:00Z",
        }
        row = VenueRow(1, msgspec.json.encode(value), "shop", None, None, None)
        rows[_venue(number)] = (b"", encode_row(row))
    await VenueTable().put_many(store, rows)


async def _write(store: Store, facts: graph.Facts) -> None:
    await graph.write(store, facts)
    await store.run(dirty.mark(facts.venue, facts.second))


@click.command(short_help="What counting costs while scans stream in.")
@click.option("--rate", type=click.IntRange(1, 100_000), default=5_000, show_default=True, help="Scans a second.")
@click.option("--seconds", type=click.IntRange(2, 3_600), default=30, show_default=True)
@click.option(
    "--before", type=click.IntRange(0, 10_000_000), default=1_000_000, show_default=True, help="Scans before."
)
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def command(rate: int, seconds: int, before: int, json_: bool, out: Path | None) -> None:
    """What a round of counting costs, as a share of a core, and how old the public figures get by it.

    2,000 venues in 300 communes, on a day on which so many scans were before.
    """
    result = asyncio.run(measure(rate, seconds, before, lambda words: click.echo(words, err=True)))
    write_out(result, out)
    if json_:
        as_json(msgspec.to_builtins(result))
        return
    rows = [
        [title, f"{quantile(values, 0.5) / TICK:.0%}", f"{quantile(values, 0.95) / TICK:.0%}"]
        for title, values in (("the roll-up", result.cpu), ("Redis, for it", result.redis))
    ]
    title = f"{rate:,} scans/s after {before:,} of the day; share of a core"
    table(title, ["", "median", "95th of 100"], rows, ["median", "95th of 100"])
    click.echo(
        f"A figure is at most {result.oldest:.2f} s old; a new owner has counted the day after {result.first:.1f} s."
    )
