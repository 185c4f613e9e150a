"""`truyvet bench ingest`: the whole pipeline beside a bare loop and stock Faust, in turns on one machine."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from console.bench.contenders import Contender, Ours, Peer
from console.bench.foreign import Foreign, missing, tell_missing
from console.bench.load import Load, Province, distinct
from console.bench.meter import Meter
from console.bench.results import machine, write_out
from console.bench.system import System
from console.publishing import Publisher
from console.tables import as_json, table
from console.trouble import Trouble
from streams.runtime.settings import Settings

BATCH = 50  # scans a record, as a gateway sends them
OTHERS = 2_000  # people to warm up with where nobody may be known


class Line(NamedTuple):
    """A line of the table. `share`: it gets 1 of so many scans, where all would take minutes. `new`: it gets one scan
    of each person, and has met none of them."""

    title: str
    peer: str | None
    batch: int
    share: int = 1
    new: bool = False


LINES = (
    Line("truyvet, one scan a record", None, 1),
    Line("bare loop, one scan a record", "bare", 1),
    Line(f"truyvet, {BATCH} scans a record", None, BATCH),
    Line(f"bare loop, {BATCH} scans a record", "bare", BATCH),
    Line("stock Faust, empty body", "stock_faust", 1, 5),
    Line("truyvet, every person new", None, 1, new=True),
)
PEERS = (
    Line("Kafka Streams, one scan a record", "kafka_streams", 1),
    Line(f"Kafka Streams, {BATCH} scans a record", "kafka_streams", BATCH),
    Line("Quix Streams, one scan a record", "quix", 1, 10),
    Line(f"Quix Streams, {BATCH} scans a record", "quix", BATCH, 10),
)
"""With --peers: those that `make install` does not bring (console/bench/foreign.py)."""
BARE = {1: LINES[1].title, BATCH: LINES[3].title}
OURS = {1: LINES[0].title, BATCH: LINES[2].title}


class Run(msgspec.Struct, frozen=True):
    """One contender once: scans a second, CPU microseconds a scan by process, bytes of Redis a scan (0: keeps none)."""

    line: str
    scans: int
    rate: float
    client_us: float
    redis_us: float
    kafka_us: float
    redis_bytes: float


class Result(msgspec.Struct, frozen=True):
    """Everything measured, and where. `rows`: title → medians and `of_bare`, the rate as a share of the bare loop's;
    `of_ours`: as a share of the worker's."""

    machine: dict[str, Any]
    scans: int
    rows: dict[str, dict[str, float]]
    runs: list[Run]


async def measure(
    scans: int,
    runs: int,
    tell: Callable[[str], None] = lambda _: None,
    *,
    lines: Sequence[Line] = LINES,
    province: Province | None = None,
) -> Result:
    """`runs` turns of every line. Raises Trouble, also where a contender did not keep what it was given."""
    province = province or Province()
    now = int(time.time())
    everybody, days = province.everybody(now), province.days(scans, now)
    others = Province(seed=8, people=OTHERS).everybody(now)
    found: list[Run] = []
    async with System() as system:
        for turn in range(runs):
            for line in lines:
                loads = (others, everybody) if line.new else (everybody, days.first(scans // line.share))
                found.append(await _one(system, line, f"{turn}-{lines.index(line)}.", *loads))
                run = found[-1]
                tell(
                    f"turn {turn + 1} of {runs}: {line.title}: {run.rate:,.0f} scans/s, CPU µs a scan: "
                    f"client {run.client_us:.1f}, Redis {run.redis_us:.1f}, Kafka {run.kafka_us:.1f}"
                )
    return Result(machine(), scans, _rows(found), found)


async def _one(system: System, line: Line, prefix: str, before: Load, measured: Load) -> Run:
    """A contender is warm when it has worked off `before`: everybody once, since a person's first scan is sealed into
    the vault (a line of its own shows what that costs)."""
    settings = await system.fresh(prefix)
    met = await _publish(settings, before, line.batch)
    with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as folder:
        log = Path(folder) / "log"
        # All numbers that a contender counts in are known before: the load is the same in every turn.
        more = len(measured.records(line.batch))
        marks = len(before), len(before) + len(measured)
        contender: Contender
        if line.peer is None:
            contender = Ours(settings, (met, met + more), log)
        elif line in PEERS:
            contender = Foreign(line.peer, settings, marks, log)
        else:
            contender = Peer(line.peer, settings, marks, log, "n" if line.peer == "bare" else None)
        try:
            await contender.reach(0)
            at_first = await _memory(settings)
            # It sleeps while the scans are published: they wait in the topic, and it is warm when it wakes.
            os.kill(contender.pid, signal.SIGSTOP)
            await _publish(settings, measured, line.batch)
            with Meter({"client": contender.pid, **system.pids()}) as meter:
                os.kill(contender.pid, signal.SIGCONT)
                await contender.reach(1)
            kept, wanted = await contender.kept(), distinct(before, measured)
            if kept is not None and kept != wanted:
                raise Trouble(f"{line.title}: {kept:,} scans are kept, and {wanted:,} were sent")
            grown = await _memory(settings) - at_first
        finally:
            contender.stop()
    us = {name: seconds / len(measured) * 1e6 for name, seconds in meter.cpu.items()}
    bytes_ = grown / len(measured) if line.peer in (None, "bare") else 0.0
    return Run(line.title, len(measured), len(measured) / meter.wall, us["client"], us["redis"], us["kafka"], bytes_)


async def _publish(settings: Settings, load: Load, batch: int) -> int:
    async with Publisher(settings, "scans") as out:
        for value in load.records(batch):
            await out.add(value)
        return out.records


async def _memory(settings: Settings) -> int:
    from redis.asyncio import Redis

    async with Redis.from_url(settings.redis) as redis:
        return int((await redis.info("memory"))["used_memory"])


def _rows(runs: list[Run]) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for line in (*LINES, *PEERS):
        mine = [run for run in runs if run.line == line.title]
        if not mine:
            continue
        row = {
            name: statistics.median(getattr(run, name) for run in mine)
            for name in ("rate", "client_us", "redis_us", "kafka_us", "redis_bytes")
        }
        row["rate_least"], row["rate_most"] = min(r.rate for r in mine), max(r.rate for r in mine)
        for name, of in (("of_bare", BARE), ("of_ours", OURS)):
            # Each turn is compared with itself: the machine is not the same a minute later.
            other = [run for run in runs if run.line == of[line.batch]]
            row[name] = statistics.median(a.rate / b.rate for a, b in zip(mine, other, strict=True))
        rows[line.title] = row
    return rows


@click.command(short_help="Scans a second.")
@click.option("--scans", type=click.IntRange(10_000, 10_000_000), default=300_000, show_default=True)
@click.option("--runs", type=click.IntRange(1, 50), default=3, show_default=True, help="Turns of every contender.")
@click.option("--peers", is_flag=True, help="Kafka Streams and Quix Streams as well (docs/bench/README.md).")
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def command(scans: int, runs: int, peers: bool, json_: bool, out: Path | None) -> None:
    """Scans a second and CPU a scan, from the topic to the contact graph.

    One worker, one scan a record and 50 a record, beside a bare aiokafka + msgspec + Redis loop that makes the same
    writes, and a stock Faust agent that makes none. All scans wait in the topic; medians of the turns. Minutes.
    """
    lines = (*LINES, *_installed()) if peers else LINES
    result = asyncio.run(measure(scans, runs, lambda words: click.echo(words, err=True), lines=lines))
    write_out(result, out)
    if json_:
        as_json(msgspec.to_builtins(result))
    else:
        _print(result, runs)


def _installed() -> list[Line]:
    """The peers that are here; of the others, how to bring them."""
    lacking = missing([line.peer for line in PEERS if line.peer])
    tell_missing(lacking)
    return [line for line in PEERS if line.peer not in lacking]


def _print(result: Result, runs: int) -> None:
    columns = ["", "scans/s", "least–most", "of bare", "of ours", "client µs", "Redis µs", "Kafka µs", "bytes"]
    rows = [
        [
            title,
            f"{row['rate']:,.0f}",
            f"{row['rate_least']:,.0f}–{row['rate_most']:,.0f}",
            *(f"{row[name]:.2f}" for name in ("of_bare", "of_ours")),
            *(f"{row[name]:.2f}" for name in ("client_us", "redis_us", "kafka_us")),
            f"{row['redis_bytes']:.0f}" if row["redis_bytes"] else "–",
        ]
        for title, row in result.rows.items()
    ]
    table(f"{result.scans:,} scans, {runs} turns, {result.machine['cores']} cores", columns, rows, columns[1:])
