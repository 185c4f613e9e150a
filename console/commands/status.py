"""`truyvet status`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from console.tables import as_json, table
from console.trouble import kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from console.state import State
    from streams.runtime.settings import Settings

WORDS = {
    "ready": "ready",
    "loading": "loading: the state is being rebuilt, and nothing is published meanwhile",
    "empty": "empty: Redis holds no state; no worker has begun, or it was lost and `truyvet rebuild` brings it back",
}


@click.command(short_help="What runs and how far it is.")
@click.option("--json", "json_", is_flag=True, help="Print it as JSON: state, pids, lag, generation.")
def command(json_: bool) -> None:
    """What runs and how far it is: the `truyvet up` of this folder, or the Kafka and Redis of the settings.

    The lag is how many records of each topic have not had all their effects yet.
    """
    settings = load_settings()
    from console.state import running_up

    up = running_up(settings)
    with kafka_at(settings), redis_at(settings):
        state = asyncio.run(_look(settings, up.get("pids", {})))
    if json_:
        as_json(state)
    else:
        _show(settings, state, up)


async def _look(settings: Settings, pids: dict[str, Any]) -> State:
    from console.lag import Topics
    from console.state import look
    from console.stores import open_store

    async with Topics(settings) as topics, open_store(settings) as store:
        return await look(topics, store, pids)


def _show(settings: Settings, state: State, up: dict[str, Any]) -> None:
    from console.trouble import redis_address

    rows = [
        ("state", WORDS.get(state["state"], state["state"])),
        ("generation", state["generation"] or ""),
        ("Kafka", settings.kafka),
        ("Redis", redis_address(settings.redis)),
    ]
    if up:
        rows.append(("page", up["page"]))
        rows += [(f"pid of {name}", ", ".join(map(str, _list(pid)))) for name, pid in state["pids"].items()]
    table("What runs", ("what", ""), rows)
    lag = [(topic, f"{left:,}") for topic, left in state["lag"].items()]
    table("How far it is", ("topic", "records to go"), lag, ("records to go",))


def _list(pid: Any) -> list[Any]:
    return pid if isinstance(pid, list) else [pid or "starting again"]
