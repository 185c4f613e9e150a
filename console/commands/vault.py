"""`truyvet vault keys`, `truyvet vault sweep`."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.tables import as_json, count
from console.times import now_ms
from console.trouble import Trouble, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from streams.ports import Log
    from streams.runtime.settings import Settings

EXPOSURE_DAYS = 60
"""How long `exposures` keeps what stands (messages.md, Topics): so long somebody may have to be called back."""
_SPARE = 9
"""The vault is told of a person once a week (streams/steps/ingest.py); and two days for clocks and days' ends."""
_DAY = 86400


@click.group(short_help="The vault of codes: its keys, and its age.")
def command() -> None:
    """The sealed codes behind pseudonyms. To open them: `truyvet reidentify`."""


@command.command()
@click.option("--out", "file", required=True, type=click.Path(path_type=Path), help="File for the private half; new.")
@click.option("--escrow", is_flag=True, help="The pair is the escrow's: its private half belongs in a safe.")
@click.option("--json", "json_", is_flag=True, help="Print the public half as JSON.")
def keys(file: Path, escrow: bool, json_: bool) -> None:
    """Make a pair of keys. Run it on the machine that is to hold the private half; workers get the printed one."""
    from nacl.public import PrivateKey

    made = PrivateKey.generate()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Trouble(f"{file} is there already: what was sealed to its key would be lost with it") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(b64encode(bytes(made)) + b"\n")
    name = "TRUYVET_ESCROW_PUBLIC" if escrow else "TRUYVET_VAULT_PUBLIC"
    public = b64encode(bytes(made.public_key)).decode()
    if json_:
        as_json({"setting": name, "public": public, "private_file": str(file)})
    else:
        click.echo(f"{name}={public}")


@command.command()
@click.option("--json", "json_", is_flag=True, help="Print the count as JSON.")
def sweep(json_: bool) -> None:
    """Let the codes go of people who were last met so long ago that nothing can stand about them. To be run once a day.

    That is the retention of scans and the 60 days of exposures, by the clock of TRUYVET_RETENTION_CLOCK. With a
    retention of 0 days everything is kept.
    """
    settings = load_settings()
    days = _kept_days(settings)
    gone = 0
    if days is not None:
        with kafka_at(settings), redis_at(settings):
            gone = asyncio.run(_sweep(settings, days))
    if json_:
        as_json({"gone": gone, "kept_days": days})
    elif days is None:
        click.echo("The retention is 0 days: everything is kept.")
    else:
        click.echo(f"{count(gone, 'code')} let go: last met more than {days} days ago.")


def _kept_days(settings: Settings) -> int | None:
    """None: for ever. Of several policies the longest retention counts: each decides for records of its own days."""
    if settings.retention_days is not None:
        retention = [settings.retention_days]
    else:
        from streams.rules.policy import load_policies

        retention = [policy.retention_days for policy in load_policies(settings.policies)]
    return None if 0 in retention else max(retention) + EXPOSURE_DAYS + _SPARE


async def _sweep(settings: Settings, days: int) -> int:
    from console.auditing import open_log
    from console.stores import open_store
    from streams.state import vault

    async with open_store(settings) as store, open_log(settings) as log:
        if settings.retention_clock == "stream":
            now = await _last_record(log, log.partitions("scans"))
        else:
            now = now_ms() // 1000
        return await vault.sweep(store, max(0, now - days * _DAY))


async def _last_record(log: Log, partitions: int) -> int:
    """Second of the highest record timestamp at the ends of `scans`, 0 when it is empty."""
    highest = 0
    for number in range(partitions):
        end = await log.end("scans", number)
        async for chunk in log.tail("scans", number, max(0, end - 1), committed=True):
            highest = max(highest, *(read.timestamp // 1000 for read in chunk))
    return highest
