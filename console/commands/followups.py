"""`truyvet followups`."""

from __future__ import annotations

import click

from console.listing import Listing

BANDS = ("high", "medium", "low")

FOLLOWUPS = Listing(
    "followups",
    ("person to follow up", "persons to follow up"),
    ("person", "band", "until", "test on", "exposures"),
    lambda notice: (
        notice["person"],
        notice.get("band") or "",
        notice.get("follow_up_until"),
        notice.get("test_on"),
        len(notice["exposures"]),
    ),
    lambda notice: ((*BANDS, None).index(notice.get("band")), notice.get("test_on") or "", notice["person"]),
    numbers=("exposures",),
)


@click.command(short_help="Whom to follow up, and until when.")
@click.option("--person", metavar="PSEUDONYM", help="Only this person.")
@click.option("--band", type=click.Choice(BANDS), help="Only those whose strongest exposure is in this band.")
@click.option("--json", "json_", is_flag=True, help="JSON, one person a line, as on the topic `followups`.")
def command(person: str | None, band: str | None, json_: bool) -> None:
    """One line a person, however many cases: the strongest band, the latest of the dates. Strongest first."""
    FOLLOWUPS.show(person, json_, lambda notice: band in (None, notice.get("band")))
