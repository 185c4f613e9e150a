"""`truyvet replay`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.arriving import Arriving
from console.progress import Progress, progress
from console.scanfiles import BadFile, Format, ScanFile
from console.tables import as_json, count
from console.trouble import Trouble, kafka_at, load_settings

if TYPE_CHECKING:
    from console.replaying import Replay

_DAY = 86_400


@click.command(short_help="Publish scans from files.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    help="Times real time, by the data's own times. Default: as fast as it goes.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Scans in one record (more than 1: an array).",
)
@click.option("--format", "form", type=click.Choice(["auto", "ndjson", "csv"]), default="auto", show_default=True)
@click.option(
    "--timestamps",
    type=click.Choice(["now", "data"]),
    default="now",
    show_default=True,
    help="The record timestamp: when it is sent, or the scan's own time.",
)
@click.option("--json", "json_", is_flag=True, help="Print the result as JSON.")
def command(
    files: tuple[str, ...], speed: float | None, batch: int, form: Format, timestamps: str, json_: bool
) -> None:
    """Publish scans from NDJSON or CSV files, plain or gzip; `-` is standard input.

    A CSV begins with a line of field names (venue_id, person, scanned_at, …). Nothing is corrected: a bad line is
    published and rejected like any gateway's, and the result says how many there were.

    \b
    --timestamps now   as a gateway sends it: scans older than the retention (21 days) are rejected as `expired`
    --timestamps data  as if each had been sent when it was scanned: for old data. Kafka and Truyvet forget by age
                       all the same: with old data set TRUYVET_RETENTION_DAYS=0 before the topics are made, or
                       TRUYVET_RETENTION_CLOCK=stream. A topic with LogAppendTime overrules it.
    """
    # A fault in the third file must not show after two have been published.
    opened = []
    for name in files:
        try:
            opened.append(ScanFile(name, form))
        except OSError as error:
            raise click.BadParameter(f"{name}: {error.strerror}", param_hint="FILE") from None
    settings = load_settings()
    from console.replaying import Replay

    replay = Replay(settings, batch=batch, speed=speed, timestamps=timestamps)
    began = time.monotonic()
    with kafka_at(settings), progress("publishing", sum(file.size for file in opened)) as bar:
        try:
            asyncio.run(replay.run(map(_source, opened), lambda: _tell(bar, replay, opened, began)))
        except BadFile as bad:
            raise Trouble(f"{bad}; {count(replay.lines, 'line')} before that went out") from None
    seconds = time.monotonic() - began
    retention = settings.retention_days if settings.retention_days is not None else 21
    if (
        timestamps == "now"
        and retention
        and replay.oldest is not None
        and time.time() - replay.oldest > retention * _DAY
    ):
        click.echo(
            f"Some scans are more than {retention} days old and will be rejected as expired: "
            "--timestamps data keeps their own time (see replay --help).",
            err=True,
        )
    if replay.too_long:
        click.echo(f"Not published, too long for a record of Kafka: {count(replay.too_long, 'line')}.", err=True)
    result = {
        "lines": replay.lines,
        "scans": replay.scans,
        "records": replay.records,
        "bad": replay.bad,
        "too_long": replay.too_long,
        "seconds": round(seconds, 3),
        "scans_per_second": round(replay.scans / seconds),
    }
    if json_:
        as_json(result)
        return
    click.echo(
        f"Published {count(replay.scans, 'scan')} in {count(replay.records, 'record')}, {seconds:.1f} s, "
        f"{count(round(replay.scans / seconds), 'scan')}/s"
        + (f"; {replay.bad:,} bad ones besides, which will be in `truyvet rejects`" if replay.bad else "")
    )


def _tell(bar: Progress, replay: Replay, opened: list[ScanFile], began: float) -> None:
    rate = replay.scans / max(0.001, time.monotonic() - began)
    bar.to(sum(file.position() for file in opened), f"{replay.scans:,} scans, {rate:,.0f}/s")


def _source(file: ScanFile) -> Iterator[bytes] | Arriving:
    return Arriving(file.lines()) if file.live else file.lines()
