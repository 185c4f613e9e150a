"""`truyvet bench`: the measurements of the README."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from console.tables import as_json, table


@click.group(short_help="The measurements of the README.")
def command() -> None:
    """Measure on this machine, each time beside peers in the same run: only the ratios travel.

    Each brings a Kafka and a Redis of its own and takes them away again; the settings are not looked at.
    """


@command.command(short_help="Scans a second.")
@click.option("--scans", type=click.IntRange(10_000, 10_000_000), default=300_000, show_default=True)
@click.option("--runs", type=click.IntRange(1, 50), default=3, show_default=True, help="Turns of every contender.")
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def ingest(scans: int, runs: int, json_: bool, out: Path | None) -> None:
    """Scans a second and CPU a scan, from the topic to the contact graph.

    One worker, one scan a record and 50 a record, beside a bare aiokafka + msgspec + Redis loop that makes the same
    writes, and a stock Faust agent that makes none. All scans wait in the topic; medians of the turns.
    """
    import msgspec

    from console.bench.ingest import measure

    result = asyncio.run(measure(scans, runs, lambda words: click.echo(words, err=True)))
    written = msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n"
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(written)
    if json_:
        as_json(msgspec.to_builtins(result))
        return
    columns = ["", "scans/s", "least–most", "of bare", "client µs", "Redis µs", "Kafka µs", "bytes"]
    rows = [
        [
            title,
            f"{row['rate']:,.0f}",
            f"{row['rate_least']:,.0f}–{row['rate_most']:,.0f}",
            f"{row['of_bare']:.2f}",
            *(f"{row[name]:.2f}" for name in ("client_us", "redis_us", "kafka_us")),
            f"{row['redis_bytes']:.0f}" if row["redis_bytes"] else "–",
        ]
        for title, row in result.rows.items()
    ]
    table(f"{scans:,} scans, {runs} turns, {result.machine['cores']} cores", columns, rows, columns[1:])
