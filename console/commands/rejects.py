"""`truyvet rejects`, `truyvet rejects redrive`."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import click

from console.tables import as_json, count, table
from console.times import shown
from console.trouble import kafka_at, load_settings

if TYPE_CHECKING:
    from console.rejected import Rejected
    from streams.runtime.settings import Settings

REASONS = ("not_json", "schema", "future", "expired", "closed_gateway", "policy_conflict")
_WIDTH = 160


@click.group(invoke_without_command=True, short_help="What was rejected, and why.")
@click.option("--reason", type=click.Choice(REASONS), help="Only this reason.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many, the latest.")
@click.option("--json", "json_", is_flag=True, help="JSON, one reject a line, payloads whole.")
@click.pass_context
def command(ctx: click.Context, reason: str | None, limit: int, json_: bool) -> None:
    """List what was rejected: reason, place, and the payload, opened where the operations key is.

    A payload is what was sent: it can hold a person's code. Without the key it stays sealed.
    """
    ctx.obj = reason
    if ctx.invoked_subcommand is not None:
        return
    settings = load_settings()
    with kafka_at(settings):
        found = asyncio.run(_read(settings, reason))
    listed = found[-limit:]
    if json_:
        for reject in listed:
            as_json(reject.as_dict())
        return
    if not found:
        click.echo("Nothing was rejected.")
        return
    counts = ", ".join(f"{number} {why}" for why, number in sorted(Counter(r.reason for r in found).items()))
    latest = f", the latest {limit}" if len(found) > limit else ""
    rows = [(shown(r.rejected_at), r.reason, r.place, r.detail, _payload(r)) for r in listed]
    table(f"{count(len(found), 'reject')} ({counts}){latest}", ("when", "reason", "place", "detail", "payload"), rows)


@command.command()
@click.option("--reason", type=click.Choice(REASONS), help="Only this reason.")
@click.option("--dry-run", is_flag=True, help="Only say what would be published.")
@click.option("--json", "json_", is_flag=True, help="Print the counts as JSON.")
@click.pass_context
def redrive(ctx: click.Context, reason: str | None, dry_run: bool, json_: bool) -> None:
    """Publish again what would be accepted now: after a newer version, a corrected clock, a longer retention.

    Payloads come from the rejects (with the operations key) or, while it is kept, from the topic that they came by.
    Rejects stay listed; doing this twice is harmless, since a message counts once.
    """
    settings = load_settings()
    with kafka_at(settings):
        outcome = asyncio.run(_redrive(settings, reason or ctx.obj, dry_run))
    if json_:
        as_json({name.replace(" ", "_"): outcome[name] for name in ("published", "still bad", "sealed", "gone")})
        return
    click.echo(
        f"{'Would publish' if dry_run else 'Published'} {outcome['published']:,}; still bad {outcome['still bad']:,}"
    )
    if outcome["sealed"]:
        click.echo(f"{count(outcome['sealed'], 'payload')} sealed, and no operations key here", err=True)
    if outcome["gone"]:
        click.echo(f"{count(outcome['gone'], 'payload')} cut off, and no longer kept whole", err=True)


async def _read(settings: Settings, reason: str | None) -> list[Rejected]:
    from console.rejected import read_rejects
    from streams.runtime.settings import SettingError, opener

    try:
        opened_by = opener(settings)
    except SettingError:
        opened_by = None  # no private key here: the list is of use without
    return await read_rejects(settings, opened_by, reason)


async def _redrive(settings: Settings, reason: str | None, dry: bool) -> Counter[str]:
    from console.redriving import redrive as again

    return await again(settings, await _read(settings, reason), dry=dry)


def _payload(reject: Rejected) -> str:
    if reject.payload is None:
        return f"(sealed, {count(reject.payload_bytes, 'byte')})"
    text = reject.payload[:_WIDTH].decode("utf-8", "backslashreplace")
    # Control characters of a bad payload must not drive somebody's terminal.
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return text if reject.payload_bytes <= _WIDTH else f"{text}… ({count(reject.payload_bytes, 'byte')})"
