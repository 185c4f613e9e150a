"""`truyvet exposures`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from console.tables import as_json, count, table
from console.times import shown
from console.trouble import kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

COLUMNS = (
    "case",
    "person",
    "level",
    "certainty",
    "score",
    "band",
    "min",
    "direct",
    "indirect",
    "first",
    "last",
    "venues",
    "follow up",
)
NUMBERS = ("score", "min", "direct", "indirect")
SPARE = ("level", "certainty", "direct", "indirect", "last", "follow up", "case", "first")
"""What a narrow terminal goes without, in this order."""


@click.command(short_help="What stands.")
@click.option("--case", "case_id", metavar="ID", help="Only this case.")
@click.option("--follow", is_flag=True, help="Go on and show every change; ends with Ctrl-C.")
@click.option("--json", "json_", is_flag=True, help="JSON, one exposure a line, as on the topic `exposures`.")
def command(case_id: str | None, follow: bool, json_: bool) -> None:
    """The exposures that stand, strongest first within each case. Persons are pseudonyms. Of a case with too many
    contacts for its policy those that are held back are not here: it is said below how many, and `truyvet decide
    release` raises them.

    Without --follow they are read from Redis. With it, from the topic `exposures`: what stands there now, then every
    change as it is published.
    """
    settings = load_settings()
    if follow:
        from console.following import follow_exposures

        with kafka_at(settings):
            asyncio.run(follow_exposures(settings, case_id, json_))
        return
    with kafka_at(settings), redis_at(settings):
        found, cases = asyncio.run(_read(settings, case_id))
    show(found, json_)
    if not json_:
        for case in sorted(cases, key=lambda c: c["case_id"]):
            if case.get("held"):
                click.echo(f"Case {case['case_id']} is {case['state']}: {count(case['held'], 'contact')} kept back.")


async def _read(settings: Settings, case_id: str | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Exposures and statuses of cases that stand, in no order."""
    from console.ledger import standing

    return await standing(settings, "exposures", case_id), await standing(settings, "case-status", case_id)


def in_order(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By case, then score (highest first), then person."""
    return sorted(records, key=lambda r: (r["case_id"], -(r.get("score") or 0), r["person"]))


def show(records: list[dict[str, Any]], json_: bool, title: str | None = None) -> None:
    records = in_order(records)
    if json_:
        for record in records:
            as_json(record)
        return
    if not records:
        click.echo("No exposure stands.")
        return
    cases = len({record["case_id"] for record in records})
    table(
        title or f"{count(len(records), 'exposure')} of {count(cases, 'case')}",
        COLUMNS,
        [row(r) for r in records],
        NUMBERS,
        SPARE,
    )


def row(record: dict[str, Any]) -> tuple[Any, ...]:
    """One exposure as the cells of COLUMNS."""
    score, advice = record.get("score"), record.get("advice") or {}
    venues = list(dict.fromkeys(episode["venue_id"] for episode in record.get("episodes") or ()))
    return (
        record["case_id"],
        record["person"],
        record["level"],
        record.get("certainty"),
        f"{score:.2f}" if score is not None else "",
        record.get("band") or "",
        record.get("minutes"),
        record.get("direct_minutes"),
        record.get("indirect_minutes"),
        shown(record.get("first_at")),
        shown(record.get("last_at")),
        ", ".join(venues[:3]) + (f" +{len(venues) - 3}" if len(venues) > 3 else ""),
        advice.get("follow_up_until"),
    )
