"""`truyvet bench workers`: what more workers bring on this machine, and what is the limit."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from console.bench.contenders import Ours
from console.bench.load import Province, distinct
from console.bench.meter import Meter
from console.bench.results import joined, machine, worker_of, write_out
from console.bench.system import System
from console.publishing import Publisher
from console.tables import as_json, table
from console.trouble import Trouble
from streams.runtime.settings import Settings

BATCH = 50


class Run(msgspec.Struct, frozen=True):
    """CPU microseconds a scan: of all workers together, of Redis, of Kafka."""

    workers: int
    rate: float
    client_us: float
    redis_us: float
    kafka_us: float


class Result(msgspec.Struct, frozen=True):
    machine: dict[str, Any]
    scans: int
    runs: list[Run]


async def measure(
    scans: int, turns: int, counts: tuple[int, ...], tell: Callable[[str], None] = lambda _: None
) -> Result:
    """Each number of workers in each turn, on fresh topics. Raises Trouble, also where a scan was lost."""
    province, now = Province(), int(time.time())
    everybody, load = province.everybody(now), province.days(scans, now)
    found = []
    async with System() as system:
        for turn in range(turns):
            for count in counts:
                settings = await system.fresh(f"w{turn}-{count}.")
                found.append(await _one(system, settings, count, everybody, load))
                run = found[-1]
                tell(f"turn {turn + 1}: {count} workers: {run.rate:,.0f} scans/s, CPU µs a scan {run.client_us:.1f}")
    return Result(machine(), scans, found)


async def _one(system: System, settings: Settings, count: int, before: Any, load: Any) -> Run:
    met, more = (await _publish(settings, before)), len(load.records(BATCH))
    with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as folder, ExitStack() as stack:
        first = Ours(settings, (met, met + more), Path(folder) / "log-0")
        stack.callback(first.stop)
        others = [worker_of(settings, Path(folder) / f"log-{n}") for n in range(1, count)]
        for other in others:
            stack.callback(other.stop)
        await first.reach(0)
        await joined(settings, count)
        pids = [first.pid, *(other.pid for other in others)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        await _publish(settings, load)
        with Meter({**{f"worker {n}": pid for n, pid in enumerate(pids)}, **system.pids()}) as meter:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            await first.reach(1)
        kept, wanted = await first.kept(), distinct(before, load)
        if kept != wanted:
            raise Trouble(f"{kept:,} scans are kept, and {wanted:,} were sent")
    us = {name: seconds / len(load) * 1e6 for name, seconds in meter.cpu.items()}
    client = sum(us[f"worker {n}"] for n in range(count))
    return Run(count, len(load) / meter.wall, client, us["redis"], us["kafka"])


async def _publish(settings: Settings, load: Any) -> int:
    async with Publisher(settings, "scans") as out:
        for value in load.records(BATCH):
            await out.add(value)
        return out.records


@click.command(short_help="What more workers bring, and what is the limit.")
@click.option("--scans", type=click.IntRange(10_000, 10_000_000), default=300_000, show_default=True)
@click.option("--turns", type=click.IntRange(1, 20), default=3, show_default=True)
@click.option("--workers", default="1,2,4", show_default=True, help="How many, in turn.")
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def command(scans: int, turns: int, workers: str, json_: bool, out: Path | None) -> None:
    """Scans a second of 1, 2 and 4 workers, 50 scans a record, all beside one Redis and one Kafka on this machine.

    Medians of the turns. docs/sizing.md reads these figures.
    """
    counts = tuple(int(count) for count in workers.split(","))
    result = asyncio.run(measure(scans, turns, counts, lambda words: click.echo(words, err=True)))
    write_out(result, out)
    if json_:
        as_json(msgspec.to_builtins(result))
        return
    rows = []
    base = statistics.median(run.rate for run in result.runs if run.workers == counts[0])
    for count in counts:
        mine = [run for run in result.runs if run.workers == count]
        rate, *us = (
            statistics.median(getattr(run, name) for run in mine)
            for name in ("rate", "client_us", "redis_us", "kafka_us")
        )
        rows.append([str(count), f"{rate:,.0f}", f"{rate / base:.2f}", *(f"{u:.1f}" for u in us)])
    columns = ["workers", "scans/s", f"of {counts[0]}", "workers µs", "Redis µs", "Kafka µs"]
    table(f"{scans:,} scans, {turns} turns, {result.machine['cores']} cores", columns, rows, columns[1:])
