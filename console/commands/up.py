"""`truyvet up`."""

from __future__ import annotations

from pathlib import Path

import click

_PORT = click.IntRange(1, 65535)


@click.command(short_help="Everything on this machine.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=".truyvet/data",
    show_default=True,
    help="Folder of Kafka's and Redis's data, the key and the logs; found again at the next start.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--partitions", type=click.IntRange(1, 1000), help="Of each topic, for a new folder.  [default: 4]")
@click.option("--kafka-port", type=_PORT, help="Default: a free one.")
@click.option("--redis-port", type=_PORT, help="Default: a free one.")
@click.option("--page-port", type=_PORT, help="Default: a free one.")
def command(
    data: Path,
    workers: int,
    partitions: int | None,
    kafka_port: int | None,
    redis_port: int | None,
    page_port: int | None,
) -> None:
    """Everything on this machine: a real Kafka and Redis, the topics, workers and the page.

    Prints one line of JSON when all is ready, and goes on until Ctrl-C or SIGTERM; then it ends cleanly. Other truyvet
    commands started in the same folder talk to it. A part that dies is started again. Without TRUYVET_KEY it makes a
    key in the data folder.
    """
    from console.system import System

    System(data, workers, partitions, (kafka_port, redis_port, page_port or 0)).run()
