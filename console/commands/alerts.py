"""`truyvet alerts`."""

from __future__ import annotations

import click

from console.listing import Listing
from console.times import shown

ALERTS = Listing(
    "venue-alerts",
    ("venue alert", "venue alerts"),
    ("case", "venue", "from", "to", "people", "F1", "crowd"),
    lambda alert: (
        alert["case_id"],
        alert["venue_id"],
        shown(alert["start"]),
        shown(alert.get("end")),
        alert.get("people"),
        alert.get("f1"),
        "crowd" if alert.get("crowd") else "",
    ),
    lambda alert: (alert["case_id"], alert["start"], alert["venue_id"]),
    numbers=("people", "F1"),
)


@click.command(short_help="Where cases were while they were infectious.")
@click.option("--case", "case_id", metavar="ID", help="Only of this case.")
@click.option("--venue", "venue_id", metavar="ID", help="Only at this venue.")
@click.option("--json", "json_", is_flag=True, help="JSON, one alert a line, as on the topic `venue-alerts`.")
def command(case_id: str | None, venue_id: str | None, json_: bool) -> None:
    """Every infectious visit of every case: how many other people were there, and how many of them are its contacts."""
    ALERTS.show(case_id, json_, lambda alert: venue_id in (None, alert["venue_id"]))
