"""`truyvet topics`."""

from __future__ import annotations

import asyncio

import click

from console.tables import as_json, count, table
from console.trouble import kafka_at, load_settings


@click.command(short_help="Make the topics.")
@click.option("--partitions", type=click.IntRange(1, 1000), help="Default: that of the settings.")
@click.option("--replication", type=click.IntRange(1, 10), default=1, show_default=True, help="Copies of each record.")
@click.option(
    "--production",
    is_flag=True,
    help="Kafka stamps scans when they arrive (LogAppendTime): a terminal's clock must not stamp both times.",
)
@click.option("--json", "json_", is_flag=True, help="Print the differences as JSON.")
@click.pass_context
def command(ctx: click.Context, partitions: int | None, replication: int, production: bool, json_: bool) -> None:
    """Make the topics that are missing: partitions, compaction and retention as the contract wants.

    A topic that is there is never changed; what differs is said, and the command ends with 1.
    """
    settings = load_settings()
    from streams.runtime.topics import ensure_topics

    with kafka_at(settings):
        differences = asyncio.run(ensure_topics(settings, partitions, production=production, replication=replication))
    rows = [(d.topic, d.what, d.wanted, d.found) for d in differences]
    if json_:
        as_json([dict(zip(("topic", "what", "wanted", "found"), row, strict=True)) for row in rows])
    elif rows:
        table(f"{count(len(rows), 'difference')}", ("topic", "what", "wanted", "found"), rows)
    else:
        click.echo("All topics are there, as they should be.")
    ctx.exit(1 if rows else 0)
