"""`truyvet bench rebuild`: the whole state from Kafka again, beside a worker that takes the same scans in."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
import psutil

from console.bench.contenders import Child, Ours, environment_of, of_ours, opened
from console.bench.results import machine, write_out
from console.bench.system import System
from console.bench.town import Town
from console.publishing import Publisher
from console.tables import as_json, table
from console.trouble import Trouble
from streams.runtime.settings import Settings
from streams.state.generation import read_generation

LOOK = 0.1
HOURS = 6.0


class Run(NamedTuple):
    """Seconds, scans a second, greatest resident memory of the process in MiB."""

    seconds: float
    rate: float
    resident: float


class Result(msgspec.Struct, frozen=True):
    machine: dict[str, Any]
    scans: int
    kept: int
    redis_mib: float
    ingest: Run
    rebuild: Run


async def measure(scans: int, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Raises Trouble, also where the rebuilt state holds another number of scans."""
    async with System() as system:
        settings = await system.fresh("rebuild.")
        records = await _publish(settings, scans, tell)
        with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as folder:
            began = time.monotonic()
            worker = Ours(settings, (records // 20, records), Path(folder) / "worker")
            try:
                await worker.reach(0)  # started, and at work
                first = time.monotonic()
                resident = await _most(worker.pid, worker.reach(1))
                ingest = _run(time.monotonic() - first, scans * 19 // 20, resident)
                tell(f"taken in: {ingest.rate:,.0f} scans/s ({time.monotonic() - began:.0f} s with the start)")
                kept = await worker.kept()
            finally:
                worker.stop()
            rebuild = await _rebuild(settings, scans, Path(folder) / "rebuild")
            again = await worker.kept()
            async with opened(settings) as store:
                redis = int((await store.client.info("memory"))["used_memory"]) / 2**20
        if kept is None or again != kept:
            raise Trouble(f"{again:,} scans are there after the rebuild, and {kept:,} were before")
    return Result(machine(), scans, kept, redis, ingest, rebuild)


async def _publish(settings: Settings, scans: int, tell: Callable[[str], None]) -> int:
    async with Publisher(settings, "scans") as out:
        for value, _ in Town(scans, int(time.time())).records():
            await out.add(value)
        records = out.records
    tell(f"{scans:,} scans are in the topic, {records:,} records")
    return records


async def _rebuild(settings: Settings, scans: int, log: Path) -> Run:
    async with opened(settings) as store:
        before = await read_generation(store)
    began = time.monotonic()
    child = Child(of_ours("console.main", "rebuild", "--yes"), environment_of(settings), log)

    async def done() -> None:
        deadline = began + HOURS * 3_600
        async with opened(settings) as store:
            while True:
                generation = await read_generation(store)
                if generation is not None and generation.state == "ready" and generation != before:
                    return
                child.lines()
                if time.monotonic() > deadline:
                    raise Trouble(f"not rebuilt within {HOURS:.0f} hours")
                await asyncio.sleep(LOOK)

    try:
        resident = await _most(child.pid, done())
        return _run(time.monotonic() - began, scans, resident)
    finally:
        child.stop()


async def _most(pid: int, work: Any) -> float:
    """The greatest resident memory (MiB) of a process while something is waited for."""
    waiting, most = asyncio.ensure_future(work), 0
    while not waiting.done():
        try:
            most = max(most, psutil.Process(pid).memory_info().rss)
        except psutil.NoSuchProcess:
            break
        await asyncio.wait([waiting], timeout=LOOK)
    await waiting
    return most / 2**20


def _run(seconds: float, scans: int, resident: float) -> Run:
    return Run(seconds, scans / seconds, resident)


@click.command(short_help="The state from Kafka again: scans a second, memory.")
@click.option("--scans", type=click.IntRange(20_000, 200_000_000), default=2_000_000, show_default=True)
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def command(scans: int, json_: bool, out: Path | None) -> None:
    """How long `truyvet rebuild` takes, beside a worker that takes the same scans in, 50 a record.

    The worker counts for dashboards and looks for cases meanwhile; a rebuild does neither. Afterwards both must hold
    the same number of scans. The time of a rebuild includes the start of the process.
    """
    result = asyncio.run(measure(scans, lambda words: click.echo(words, err=True)))
    write_out(result, out)
    if json_:
        as_json(msgspec.to_builtins(result))
        return
    rows = [
        [
            title,
            f"{run.seconds:,.0f}",
            f"{run.rate:,.0f}",
            f"{run.rate / result.ingest.rate:.2f}",
            f"{run.resident:,.0f}",
        ]
        for title, run in (("one worker takes them in", result.ingest), ("rebuild", result.rebuild))
    ]
    columns = ["", "seconds", "scans/s", "of the worker", "MiB of the process"]
    table(f"{scans:,} scans; Redis holds {result.redis_mib:,.0f} MiB", columns, rows, columns[1:])
