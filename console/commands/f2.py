"""`truyvet f2`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from console.tables import as_json, count, table
from console.times import shown
from console.trouble import Trouble, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings
    from streams.steps.f2 import Chain, Meeting


@click.command(short_help="Who met an F1 of a case after the F1 met the case.")
@click.argument("case_id", metavar="CASE")
@click.option("--json", "json_", is_flag=True, help="JSON: F1, F2 with `via`, crowds, and every meeting.")
def command(case_id: str, json_: bool) -> None:
    """F2 of a case, worked out now: persons beside an F1 long enough, after that F1 met the case. Pseudonyms.

    Visits of an F1 among more than `crowd_limit` others are left out, and listed. Ends with 1 when nobody reported
    such a case.
    """
    import msgspec

    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        chain = asyncio.run(chain_of(settings, case_id))
    if json_:
        as_json(msgspec.to_builtins(chain))
    else:
        show(chain)


async def chain_of(settings: Settings, case_id: str) -> Chain:
    """Raises Trouble when nobody reported the case."""
    from console.asking import asking
    from streams.steps.f2 import f2_of

    async with asking(settings) as worker:
        chain = await f2_of(worker, case_id)
    if chain is None:
        raise Trouble(f"nobody reported a case {case_id}: `truyvet cases` lists those that are known")
    return chain


def show(chain: Chain) -> None:
    title = f"{count(len(chain.f2), 'F2', 'F2')} through {count(len(chain.f1), 'F1', 'F1')} of case {chain.case_id}"
    if chain.state != "open":
        click.echo(f"Case {chain.case_id} is {chain.state}: it has no contacts.")
        return
    if not chain.f2:
        click.echo(f"No F2; case {chain.case_id} has {len(chain.f1)} F1.")
    else:
        met: dict[str, list[Meeting]] = {}
        for meeting in chain.meetings:
            if meeting.level == "F2":
                met.setdefault(meeting.person, []).append(meeting)
        rows = []
        for f2 in chain.f2:
            stays = sorted((stay for m in met[f2.person] for stay in m.stays), key=lambda stay: stay.start)
            venues = list(dict.fromkeys(stay.venue_id for stay in stays))
            via = ", ".join(f2.via[:2]) + (f" +{len(f2.via) - 2}" if len(f2.via) > 2 else "")
            most = max(meeting.minutes for meeting in met[f2.person])
            rows.append((f2.person, via, most, shown(stays[0].start), ", ".join(venues[:3])))
        table(title, ("person", "via", "min", "first", "venues"), rows, ("min",), ("venues", "first"))
    if chain.crowds:
        table(
            f"{count(len(chain.crowds), 'visit')} left out: more than {chain.crowd_limit} others were there",
            ("F1", "venue", "from", "to", "people"),
            [(c.person, c.venue_id, shown(c.start), shown(c.end), c.people) for c in chain.crowds],
            ("people",),
        )
