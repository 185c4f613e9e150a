"""`truyvet wait`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from console.progress import progress
from console.tables import as_json, table
from console.trouble import kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


@click.command(short_help="Wait until all has had its effects.")
@click.option("--timeout", type=click.FloatRange(0), default=600.0, show_default=True, help="Seconds.")
@click.option("--json", "json_", is_flag=True, help="Print what lags as JSON: {topic: records}.")
@click.pass_context
def command(ctx: click.Context, timeout: float, json_: bool) -> None:
    """Return when every message that was in the input topics at the call has had all its effects.

    That includes what is written less often than it changes: a venue alert has its last word after at most 30 s
    (TRUYVET_ALERT_SECONDS). What is sent after the call is not waited for. Ends with 1 at the time-out, and says what
    lags: records of topics, publications begun, cases to be looked at again.
    """
    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        left = asyncio.run(_wait(settings, timeout))
    if json_:
        as_json({"done": not left, "lag": left})
    elif left:
        table(f"Not done after {timeout:g} s", ("what", "left"), list(left.items()), ("left",))
    ctx.exit(1 if left else 0)


async def _wait(settings: Settings, timeout: float) -> dict[str, int]:
    from console.stores import open_store
    from console.waiting import wait_for_effects

    most = 0

    def tell(left: int) -> None:
        nonlocal most
        most = max(most, left)
        bar.to(1 - left / most if most else 1, f"{left:,} records to go")

    with progress("waiting", 1) as bar:
        async with open_store(settings) as store:
            return await wait_for_effects(settings, store, timeout, tell)
