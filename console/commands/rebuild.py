"""`truyvet rebuild`."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from console.progress import progress
from console.tables import as_json
from console.trouble import Trouble, WrongUse, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


@click.command(short_help="Rebuild the Redis state from Kafka.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "json_", is_flag=True, help="Print the new generation as JSON.")
def command(yes: bool, json_: bool) -> None:
    """Throw the Redis state away and rebuild it from Kafka.

    Workers may run: they wait meanwhile, and go on when it is done. What was published stands; only what differs from
    it afterwards is published, which is nothing when nothing was lost. May be stopped and begun again.
    """
    settings = load_settings()
    if not yes:
        if not sys.stdin.isatty():
            raise WrongUse("rebuild throws the Redis state away: say --yes when nobody can be asked")
        click.confirm("Throw the Redis state away and rebuild it from Kafka?", abort=True, err=True)
    from streams.ports import Fenced

    try:
        with kafka_at(settings), redis_at(settings):
            generation = asyncio.run(_rebuild(settings))
    except Fenced as why:
        raise Trouble(f"this rebuild ended before it was through: {why}") from None
    if json_:
        as_json({"generation": generation})
    else:
        click.echo(f"Rebuilt: generation {generation} is ready.")


async def _rebuild(settings: Settings) -> str:
    from console.stores import rebuild_with

    stages: dict[str, float] = {}

    def tell(stage: str, done: int, total: int) -> None:
        stages[stage] = done / total if total else 1.0
        bar.to(sum(stages.values()), f"{stage} {done:,}/{total:,}")

    with progress("rebuilding", 0) as bar:
        return await rebuild_with(settings, tell)
